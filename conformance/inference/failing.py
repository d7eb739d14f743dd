"""The first of a few whole cases on which an adapter is wrong."""

from __future__ import annotations

from functools import partial
from itertools import product

import numpy as np

from conformance.checking.comparison import against_reference
from conformance.checking.engine import examine
from conformance.checking.finding import Finding
from conformance.implementations.by_hand import HandWritten
from reference import Configuration


def failure(mine: HandWritten) -> Finding | None:
    """Return what is found on the first of a few cases on which `mine` is wrong, None if on none.

    The cases are uniform in (-1, 1), and the simplest comes first: its failure is the easiest to
    read. The others show faults that need more than one row, step or unit.
    """
    sizes = ((1, 1, 1, 2), (2, 3, 5, 1), (3, 5, 4, 2), (4, 2, 6, 3))
    ragged = (False, True)[: 1 + mine.supports.lengths]
    for seed, (input_size, hidden_size, steps, rows) in enumerate(sizes):
        for states, of_each in product(mine.supports.states, ragged):
            lengths = np.maximum(steps - np.arange(rows)[::-1], 1) if of_each else None
            case = mine.small_case(
                mine.supports.dtypes[0],
                states=states,
                lengths=lengths,
                configuration=Configuration(input_size, hidden_size),
                steps=steps,
                rows=rows,
                fill=partial(np.random.default_rng(seed).uniform, -1, 1),
            )
            found = examine(against_reference, mine, case)
            if isinstance(found, Finding):
                return found
    return None
