"""Settling rows of a large layer that are far from wrong, at less cost than their exact bounds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np

from reference import Arithmetic, Array, Case, Result
from reference.local_layer import local_arithmetic, previous
from reference.network import cell_weights
from reference.screening import SETTLED, Screen

LARGE = 2**18
"""How many weights make it worth while."""
BLOCK = 2**16
"""About how many pre-activations of a step are looked at together: they stay in the cache."""
THREADS = 2
"""How many blocks are looked at together, each in 1/4 GiB for a hidden size of 1024."""


class Block(NamedTuple):
    """Some rows that are right: `shares` (T, D * R) and the `largest` are what they are at most."""

    rows: Array
    shares: Array
    largest: float


def screened(
    case: Case, seen: Result, arithmetic: Arithmetic, there: Collection[str]
) -> list[Block]:
    """List the rows of a layer, laid out, that :mod:`reference.screening` settles; all are right.

    None are of a layer that is small, in float64, or with a projection, nor where the factors of
    products are rounded. Final states that are not `there` are not looked at.
    """
    c, count = case.configuration, case.batch_size
    few = case.parameters["weight_hh_l0"].size < LARGE
    if few or c.proj_size or case.dtype.name == "float64" or not arithmetic.factors.exact:
        return []
    length = max(1, BLOCK // (4 * c.hidden_size))
    blocks = [np.arange(at, min(at + length, count)) for at in range(0, count, length)]
    sides: list[list[tuple[Array, float]]] = []
    with ThreadPoolExecutor(THREADS) as pool:
        for direction, suffix in enumerate(c.suffixes()):
            weights = cell_weights(case, suffix, case.dtype.numpy)
            screen = Screen.of(weights, local_arithmetic(arithmetic))
            half = np.split(seen.output, c.num_directions, axis=-1)[direction]
            h_0, c_0 = (state[direction] for state in case.initial_states())
            last = {name: getattr(seen, name)[direction] for name in there if name != "output"}
            given = case.input, half, h_0, c_0, last, case.valid_steps()
            one = partial(_block, screen, *given, reverse=direction == 1)
            sides.append(list(pool.map(one, blocks)))
    settled = []
    for rows, *of in zip(blocks, *sides, strict=True):
        largest = max(each for _, each in of)
        if all(each < SETTLED for _, each in of):
            settled.append(Block(rows, np.concatenate([part for part, _ in of], axis=-1), largest))
    return settled


def _block(
    screen: Screen,
    x: Array,
    output: Array,
    h_0: Array,
    c_0: Array,
    last: Mapping[str, Array],
    active: Array,
    rows: Array,
    *,
    reverse: bool,
) -> tuple[Array, float]:
    """Give shares (T, H) of some rows in one direction, and the largest, that of `last` too.

    `last` has the final states by name. The largest is NaN if anything is not known.
    """
    observed, active = output[:, rows], active[:, rows]
    h_prev, _ = previous(observed, h_0[rows], active, reverse)
    found = screen.compared(x[:, rows], h_prev, observed, c_0[rows], active, reverse=reverse)
    largest = [found.shares.max()]
    for name, state in last.items():
        true, least = (found.h, found.dh) if name == "h_n" else (found.c, found.dc)
        with np.errstate(all="ignore"):
            largest.append((np.abs(state[rows] - true) / least).max())
    return found.shares, float(np.max(largest))
