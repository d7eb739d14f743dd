"""LSTMs whose cell has other equations, or rounds the numbers that it multiplies."""

from __future__ import annotations

import numpy as np

from conformance.diagnosis.alternatives.altered import AlteredLSTM
from conformance.diagnosis.alternatives.equations import EQUATIONS, LSTM, Equations, Function
from conformance.diagnosis.alternatives.states import initial
from reference import Array, Step, Weights, lstm_cell
from reference.network import Cell


def altered(equations: Equations) -> AlteredLSTM:
    """Make the LSTM with these equations."""
    taken = equations.taken
    if taken != "hc":
        ignoring = initial(lambda _, h, c: (h * ("h" in taken), c * ("c" in taken)))
        return AlteredLSTM(equations.says, case=ignoring)
    return AlteredLSTM(equations.says, cell=equations.cell, carried=equations.carried)


def cell_of_rounded_factors(rounds: Function) -> Cell:
    """Make the cell that applies `rounds` to both factors of every product of matrices."""

    def cell(x: Array, h: Array, c: Array, w: Weights) -> Step:
        ih, hh = rounds(w.weight_ih), rounds(w.weight_hh)
        s = lstm_cell(rounds(x), rounds(h), c, w._replace(weight_ih=ih, weight_hh=hh))
        if w.weight_hr is None:
            return s
        return s._replace(h=rounds(s.h_full) @ rounds(w.weight_hr).T)

    return cell


def cell_of_views(x: Array, h: Array, c: Array, w: Weights) -> Step:
    """Compute a step whose pre-activations (N, 4 * H) are viewed as (4, N, H), not cut."""
    s = lstm_cell(x, h, c, w)
    a = np.concatenate([s.a_i, s.a_f, s.a_g, s.a_o], -1)
    viewed = np.moveaxis(a.reshape(4, -1, c.shape[-1]), 0, 1)
    s = LSTM.step(x, h, c, viewed.reshape(a.shape))
    return s if w.weight_hr is None else s._replace(h=s.h_full @ w.weight_hr.T)


def tf32_cut(a: Array) -> Array:
    """Set the last 13 bits of the mantissa of float32 numbers to zero."""
    bits = np.ascontiguousarray(a, np.float32).view(np.int32) & ~np.int32(0x1FFF)
    return bits.view(np.float32).astype(a.dtype)


def tf32_rounded(a: Array) -> Array:
    """Round float32 numbers to 10 bits of mantissa, ties to even."""
    bits = np.ascontiguousarray(a, np.float32).view(np.int32)
    odd = (bits >> 13) & 1
    return tf32_cut((bits + np.int32(0xFFF) + odd).view(np.float32)).astype(a.dtype)


CELLS = (
    *map(altered, EQUATIONS),
    AlteredLSTM(
        "that views the sums of its gates (N, 4 H) as (4, N, H), which mixes rows",
        cell=cell_of_views,
    ),
    AlteredLSTM(
        "that truncates the factors of its products to the 10 bits of TF32",
        cell=cell_of_rounded_factors(tf32_cut),
    ),
    AlteredLSTM(
        "that rounds the factors of its products to the 10 bits of TF32",
        cell=cell_of_rounded_factors(tf32_rounded),
    ),
)
"""Other equations, or rounded factors."""
