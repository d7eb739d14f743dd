"""Parameters that are initial states, of an LSTM that is called without any."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from conformance.checking.comparison import truth
from conformance.diagnosis.parting import right
from conformance.implementations.by_hand import HandWritten
from conformance.implementations.by_hand.disturbing import numbers
from conformance.implementations.failures import Failure
from conformance.implementations.implementation import answer
from reference import Array, Case, Configuration


def starts(mine: HandWritten) -> dict[str, str]:
    """Return which parameters that `mine` does not name are the initial h or c, by name.

    Each is tried with the numbers that it gets, while all others stay as the constructor makes
    them. It may be one state for all rows, or for all layers and directions.
    """
    case = mine.small_case(
        mine.supports.dtypes[0],
        states=False,
        configuration=Configuration(3, 5),
        steps=4,
        rows=2,
        fill=partial(np.random.default_rng(7).uniform, -1, 1),
    )
    names = mine.unnamed(case) if False in mine.supports.states else []
    found: dict[str, str] = {}
    for name in names:
        shape = mine.subject(case).leaf(name).shape
        alone = mine.keeping({*names} - {name})
        for state, started in _started(case, numbers(name, shape)):
            try:
                if right(answer(alone, case), truth(started, alone)):
                    found[name] = state
            except Failure:
                break
    return found


def _started(case: Case, given: Array) -> Iterator[tuple[str, Case]]:
    """Yield `case` with these numbers as h_0, and as c_0, if they can be states."""
    shape = case.state_shape(case.configuration.hidden_size)
    if given.size not in (shape[-1], shape[0] * shape[-1], np.prod(shape)):
        return
    layers, *_, size = shape
    of_all = given.size in (size, layers * size)
    one = given.reshape(-1, *[1] * (len(shape) - 2), size) if of_all else given.reshape(shape)
    state = np.broadcast_to(one, shape).astype(case.dtype.numpy)
    yield "h", replace(case, h_0=state, c_0=0 * state)
    yield "c", replace(case, h_0=0 * state, c_0=state)
