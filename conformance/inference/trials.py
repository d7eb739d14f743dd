"""Trying an adapter on a few cases before it is handed out."""

from __future__ import annotations

from functools import partial

import numpy as np

from conformance.checking.comparison import against_reference
from conformance.checking.engine import examine
from conformance.checking.finding import Finding
from conformance.implementations.by_hand import HandWritten
from conformance.implementations.by_hand.trying import small_case

SIZES = ((1, 1, 1, 2), (2, 3, 5, 1), (3, 5, 4, 2), (4, 2, 6, 3))
"""input_size, hidden_size, steps and rows, the simplest first."""


def failure(mine: HandWritten) -> Finding | None:
    """What is found on the first of a few cases, uniform in (-1, 1), on which `mine` is wrong."""
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
            found = examine(against_reference, mine, case)
            if isinstance(found, Finding):
                return found
    return None
