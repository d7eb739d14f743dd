"""Simulates many LSTMs at once, to compare an unknown one with all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from conformance.diagnosis.alternatives.equations import Equations
from reference import Array


class Blocks(NamedTuple):
    """M sets of parameters: weight_ih (M, 4, H, I), weight_hh (M, 4, H, H), bias (M, 4, H).

    Gates are in the order i, f, g, o. An array with 1 in place of M is shared by all sets.
    """

    weight_ih: Array
    weight_hh: Array
    bias: Array


class Simulated(NamedTuple):
    """What M LSTMs compute, in D directions and L layers.

    - `h`, `c`: the hidden and cell states of every step in the top layer, (M, T, N, D * H)
    - `h_n`, `c_n`: the final states of each layer and direction, (M, L * D, N, H)
    """

    h: Array
    c: Array
    h_n: Array
    c_n: Array


def simulate(
    x: Array,
    states: Sequence[Array],
    blocks: Sequence[Blocks],
    equations: Equations,
    directions: int = 1,
) -> Simulated:
    """Run M LSTMs.

    - `x`: the input of all, (T, N, I)
    - `states`: the initial h and c of all, each (L * D, N, H)
    - `blocks`: the parameters of each, for every layer and direction
    - `equations`: what a step computes
    """
    below = x[:, None]
    finals: list[tuple[Array, Array]] = []
    top: list[tuple[Array, Array]] = []
    for n, of_one in enumerate(blocks):
        turn = slice(None, None, -1 if n % directions else 1)
        initial = [state[n] for state in states]
        hs, cs = _one(below[turn], initial, of_one, equations)
        finals.append((hs[-1], cs[-1]))
        top.append((hs[turn], cs[turn]))
        if n % directions == directions - 1:
            h, c = (np.concatenate(each, -1) for each in zip(*top, strict=True))
            below, top = h, []
    h_n, c_n = (np.stack(each, 1) for each in zip(*finals, strict=True))
    return Simulated(h.swapaxes(0, 1), c.swapaxes(0, 1), h_n, c_n)


def _one(
    x: Array, states: Sequence[Array], blocks: Blocks, equations: Equations
) -> tuple[Array, Array]:
    """Run one layer in one direction on `x` (T, M or 1, N, I); returns h and c (T, M, N, H)."""
    count = max(*map(len, blocks), x.shape[1])
    h_0, c_0 = h, c = [
        np.broadcast_to(state * (name in equations.taken), (count, *state.shape))
        for name, state in zip("hc", states, strict=True)
    ]
    by_x, by_h = (
        weight.reshape(len(weight), -1, weight.shape[-1]).swapaxes(1, 2) for weight in blocks[:2]
    )
    bias = blocks.bias.reshape(len(blocks.bias), 1, -1)
    hs, cs = [], []
    with np.errstate(all="ignore"):
        for row in x:
            step = equations.step(row, h, c, row @ by_x + h @ by_h + bias)
            hs.append(step.h)
            cs.append(step.c)
            h = step.h if "h" in equations.carried else h_0
            c = step.c if "c" in equations.carried else c_0
    return np.stack(hs), np.stack(cs)
