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
    """The hidden and cell states of every step, each (M, T, N, H)."""

    h: Array
    c: Array


def simulate(x: Array, states: Sequence[Array], blocks: Blocks, equations: Equations) -> Simulated:
    """Run M LSTMs.

    - `x`: the input of all, (T, N, I)
    - `states`: the initial h and c of all, each (N, H)
    - `blocks`: the parameters of each
    - `equations`: what a step computes
    """
    count = max(map(len, blocks))
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
    return Simulated(np.stack(hs, 1), np.stack(cs, 1))
