"""Sigmoid and tanh are as accurate as the dtype, wherever an LSTM has one of them."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from conformance.checking.comparison import close
from conformance.checking.requirement import requirement
from conformance.checking.sweep import PLACES, known, shares, step, sweep
from conformance.implementations.implementation import Implementation, precision, run
from conformance.recording.noting import paused
from reference import Case

_ONE: dict[str, Any] = {
    **dict.fromkeys(("input_size", "hidden_size", "num_layers", "seq_len", "batch_size"), (1, 1)),
    **dict.fromkeys(("bidirectional", "projection", "lengths"), False),
    **dict.fromkeys(("batched", "states"), True),
    "weights": ["zeros"],
}


def _returning_a_state(implementation: Implementation) -> Implementation | str:
    """Require that h_n or c_n comes back: each activation shows in one of them."""
    returned = {"h_n", "c_n"} & set(implementation.supports.results)
    return implementation if returned else "returns neither h_n nor c_n"


@requirement(
    source="torch.nn.LSTM documentation, equations: sigma and tanh; rounded as "
    "reference.arithmetic says, with an error of at most 4 unit roundoffs each",
    level="core",
    share_of_cases=0.05,
    by_dtype=True,
    applies=_returning_a_state,
    **_ONE,
)
def activations_are_accurate(implementation: Implementation, case: Case) -> float:
    """Sigmoid of every gate, and tanh of the candidate and of the cell state, are accurate.

    Each is seen alone, where the other gates are saturated, at two thousand arguments. The error
    allowed is that of the dtype or of the declaration. By what is measured here the other
    requirements judge, so that an inaccurate activation is one failure.
    """
    seed = zlib.crc32(case.input.tobytes())  # the numbers are as many as there are cases
    swept = sweep(implementation, case.dtype, case.device, seed)
    with paused():
        result = run(implementation, swept)
    declared, returned = precision(implementation), implementation.supports.results
    found = shares(result, swept, declared, returned)
    largest = max(float(share.max()) for share in found.values())
    if largest <= 1:
        return largest
    name, share = max(found.items(), key=lambda item: float(item[1].max()))
    row, unit = np.unravel_index(np.argmax(share), share.shape)
    place = PLACES[unit]
    assert swept.c_0 is not None
    x, c = swept.time_major(swept.input)[0, row, :1], swept.c_0[0, row : row + 1, unit]
    of = swept.configuration
    alone = step([place], x, c, case.device, of.bias, of.batch_first)
    argument = float((c if place.swept is None else x)[0])
    what = f"{place.what} at {argument:.6g}, as {name}"
    _compared(implementation, alone, name, what)
    # it takes the others, in units or rows, to be wrong
    _compared(implementation, swept, name, name)
    return largest


def _compared(implementation: Implementation, case: Case, name: str, what: str) -> None:
    """The result `name` of a step is within the bound of what the implementation declares."""
    pair = known(case, precision(implementation))
    close(what, *(getattr(each, name) for each in (run(implementation, case), *pair)))
