"""Parameters that are initial states, of an LSTM that is called without any."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from conformance.checking.truth import truth
from conformance.diagnosis.parting import right
from conformance.diagnosis.recording import Recording
from conformance.implementations.by_hand import HandWritten
from conformance.implementations.by_hand.disturbing import numbers
from reference import Array, Case, Configuration


def starts(recording: Recording) -> dict[str, str]:
    """Return which parameters that an adapter does not name are the initial h or c, by name.

    Each is tried with the numbers that it gets, while all others stay as the constructor makes
    them, or are zero if they may be states too. It may be one state for all rows, or for all layers
    and directions. One for both h and c is ``h and c``.
    """
    mine = recording.implementation
    assert isinstance(mine, HandWritten)
    if mine.is_function or False not in mine.supports.states:
        return {}
    case = mine.small_case(
        mine.supports.dtypes[0],
        states=False,
        configuration=Configuration(3, 5),
        steps=4,
        rows=2,
        fill=partial(np.random.default_rng(7).uniform, -1, 1),
    )
    made = mine.subject(case)
    names = {name: numbers(name, made.leaf(name).shape) for name in mine.unnamed(case)}
    able = {name for name, given in names.items() if _is_state(case, given)}
    found: dict[str, str] = {}
    for name, given in names.items():
        others = able - {name}
        kept = [{*names} - {name}, {*names} - able][: 1 + bool(others)] if name in able else []
        for each in kept:
            alone = mine.keeping(each, {*names} - {name} - each)
            got = Recording(alone, recording.deadline, recording.before).answer(case)
            for state, started in _started(case, given):
                if got is not None and right(got, truth(started, alone)):
                    found.setdefault(name, state)
    return found


def held_at_zero(mine: HandWritten, names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the arguments of an adapter by which initial states with these `names` are zero.

    Those that the constructor makes zero are kept.
    """
    made = mine.keeping(names).subject(mine.small_case(states=False))
    at_zero = {name: not np.asarray(made.taken(made.leaf(name), name)).any() for name in names}
    kept = tuple(name for name in names if at_zero[name])
    zeroed = tuple(name for name in names if not at_zero[name])
    return {key: names for key, names in (("kept", kept), ("zeroed", zeroed)) if names}


def _is_state(case: Case, given: Array) -> bool:
    shape = case.state_shape(case.configuration.hidden_size)
    return given.size in (shape[-1], shape[0] * shape[-1], np.prod(shape))


def _started(case: Case, given: Array) -> Iterator[tuple[str, Case]]:
    """Yield `case` with these numbers as h_0, as c_0, and as both."""
    shape = case.state_shape(case.configuration.hidden_size)
    layers, *_, size = shape
    of_all = given.size in (size, layers * size)
    one = given.reshape(-1, *[1] * (len(shape) - 2), size) if of_all else given.reshape(shape)
    state = np.broadcast_to(one, shape).astype(case.dtype.numpy)
    yield "h", replace(case, h_0=state, c_0=0 * state)
    yield "c", replace(case, h_0=0 * state, c_0=state)
    yield "h and c", replace(case, h_0=state, c_0=state)
