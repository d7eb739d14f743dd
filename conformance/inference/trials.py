"""Trying an adapter on a few cases before it is handed out."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from conformance.checking.comparison import against_reference
from conformance.implementations.by_hand import HandWritten
from conformance.implementations.by_hand.trying import small_case
from conformance.implementations.failures import Failure as NotMet
from reference import Case

SIZES = ((1, 1, 1, 2), (2, 3, 5, 1), (3, 5, 4, 2), (4, 2, 6, 3))
"""input_size, hidden_size, steps and rows, the simplest first."""


class Failure(NamedTuple):
    """What went wrong, and the case that it went wrong on."""

    text: str
    case: Case


def failure(mine: HandWritten) -> Failure | None:
    """The first of a few cases, uniform in (-1, 1), on which `mine` is wrong, or None."""
    for seed, (*sizes, rows) in enumerate(SIZES):
        for states in mine.supports.states:
            rng = np.random.default_rng(seed)
            case = small_case(
                mine,
                mine.supports.dtypes[0],
                states=states,
                rows=rows,
                sizes=(sizes[0], sizes[1], sizes[2]),
                fill=partial(rng.uniform, -1, 1),
            )
            try:
                against_reference(mine, case)
            except NotMet as error:
                return Failure(str(error), case)
    return None
