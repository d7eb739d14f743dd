"""Trial runs of a hand-written LSTM, which show what it supports."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from conformance.errors import UsageError
from conformance.implementations.by_hand.expressions import LENGTHS
from conformance.implementations.failures import Misbehaviour
from conformance.implementations.probing import dtypes_taken, takes, tried
from reference import DTYPES
from strategies import ONE_LAYER, Support

if TYPE_CHECKING:
    from conformance.implementations.by_hand.adapter import HandWritten


def supported(mine: HandWritten) -> Support:
    """Return which cases the LSTM takes; raises :class:`UsageError` if it cannot be made."""
    usage, small = mine.usage, mine.small
    optional = mine.states_optional and usage.draws is None
    states = (True,) * usage.takes_states + (False,) * (optional or not usage.takes_states)
    try:
        made = mine.subject(mine.small_case(states=usage.takes_states))
    except (UsageError, Misbehaviour) as error:
        raise UsageError(f"{mine.name!r}: {error}") from error
    dtypes: tuple[str, ...] = ("float64", "float32")
    devices: tuple[str, ...] = ("cpu",)
    if made.differentiable:
        from conformance.implementations.pytorch.modules import torch_devices

        dtypes, devices = tuple(DTYPES), torch_devices()
    dtypes = dtypes_taken(
        mine,
        dtypes,
        lambda dtype: [mine.small_case(dtype, states=given) for given in states],
        kept=True,
    )
    # few people who write an LSTM think of empty batches: they count where the shape is right
    empty = mine.small_case(dtypes[0], states=states[0], rows=0)
    of_none = tried(mine, empty) if mine.batched else None
    return replace(
        ONE_LAYER,
        dtypes=dtypes,
        devices=devices,
        min_layers=small.num_layers,
        max_layers=small.num_layers,
        bidirectional=(small.bidirectional,),
        bias=(mine.biased,),
        batch_first=(mine.batch_first,),
        states=states,
        batched=(mine.batched,),
        lengths=_takes_lengths(mine, dtypes[0], states[0]),
        empty_batch=of_none is not None and of_none.output.shape == empty.output_shape(),
        gradients=made.differentiable,
        results=mine.returned,
        adapts_module=made.registered,
    )


def _takes_lengths(mine: HandWritten, dtype: str, states: bool) -> bool:
    """Return whether rows can have different lengths, in any order."""
    ends = "output" in mine.returned and "output" not in mine.usage.answer.names
    # the reverse direction of the rest of a row that has ended has no steps
    if LENGTHS not in mine.usage.call.names or (ends and mine.small.bidirectional):
        return False
    return takes(mine, mine.small_case(dtype, states=states, lengths=np.array([1, 2])))
