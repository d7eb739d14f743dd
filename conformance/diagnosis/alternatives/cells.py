"""LSTMs whose cell differs from the reference's in one of its equations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from conformance.diagnosis.alternatives.altered import AlteredLSTM
from reference import Array, Step, Weights, lstm_cell
from reference.cell import sigmoid
from reference.network import Cell

Function = Callable[[Array], Array]


def cell_with(
    *,
    gate: Function = sigmoid,
    candidate: Function = np.tanh,
    squash: Function = np.tanh,
    next_c: Callable[[Step], Array] = lambda s: s.f * s.c_prev + s.i * s.g,
    next_h: Callable[[Step], Array] = lambda s: s.o * s.tanh_c,
) -> Cell:
    """The cell with other activations, or with another equation for c or for h.

    `squash` is applied to c; `next_c` and `next_h` read the quantities that come before them.
    """

    def cell(x: Array, h: Array, c: Array, w: Weights) -> Step:
        s = lstm_cell(x, h, c, w)
        s = s._replace(i=gate(s.a_i), f=gate(s.a_f), g=candidate(s.a_g), o=gate(s.a_o))
        s = s._replace(c=next_c(s))
        s = s._replace(tanh_c=squash(s.c))
        s = s._replace(h_full=next_h(s))
        return s._replace(h=s.h_full if w.weight_hr is None else s.h_full @ w.weight_hr.T)

    return cell


def exchanging(x: Array, h: Array, c: Array, w: Weights) -> Step:
    """The cell that returns its hidden state as c and its cell state as h."""
    s = lstm_cell(x, h, c, w)
    return s._replace(h=s.c, c=s.h)


def linear(a: Array) -> Array:
    """`a` itself."""
    return a


def relu(a: Array) -> Array:
    """`a` where it is positive, else 0."""
    return np.maximum(a, 0)


def hard_sigmoid(slope: float) -> Function:
    """``slope * a + 0.5``, cut to [0, 1]."""
    return lambda a: np.clip(slope * a + 0.5, 0, 1)


def cell_of_rounded_factors(rounds: Function) -> Cell:
    """The cell whose products are of factors to which `rounds` was applied."""

    def cell(x: Array, h: Array, c: Array, w: Weights) -> Step:
        ih, hh = rounds(w.weight_ih), rounds(w.weight_hh)
        s = lstm_cell(rounds(x), rounds(h), c, w._replace(weight_ih=ih, weight_hh=hh))
        if w.weight_hr is None:
            return s
        return s._replace(h=rounds(s.h_full) @ rounds(w.weight_hr).T)

    return cell


def tf32_cut(a: Array) -> Array:
    """Float32 numbers with the last 13 bits of their mantissa zeroed."""
    bits = np.ascontiguousarray(a, np.float32).view(np.int32) & ~np.int32(0x1FFF)
    return bits.view(np.float32).astype(a.dtype)


def tf32_rounded(a: Array) -> Array:
    """Float32 numbers rounded to 10 bits of mantissa, ties to even."""
    bits = np.ascontiguousarray(a, np.float32).view(np.int32)
    odd = (bits >> 13) & 1
    return tf32_cut((bits + np.int32(0xFFF) + odd).view(np.float32)).astype(a.dtype)


CELLS = (
    AlteredLSTM("with sigmoid on the candidate", cell=cell_with(candidate=sigmoid)),
    AlteredLSTM("without tanh on the candidate", cell=cell_with(candidate=linear)),
    AlteredLSTM("without tanh on the cell state", cell=cell_with(squash=linear)),
    AlteredLSTM("without any tanh", cell=cell_with(candidate=linear, squash=linear)),
    AlteredLSTM("with relu in place of tanh", cell=cell_with(candidate=relu, squash=relu)),
    AlteredLSTM(
        "with the hard sigmoid 0.2 a + 0.5 in place of sigmoid",
        cell=cell_with(gate=hard_sigmoid(0.2)),
    ),
    AlteredLSTM(
        "with the hard sigmoid a / 6 + 0.5 in place of sigmoid",
        cell=cell_with(gate=hard_sigmoid(1 / 6)),
    ),
    AlteredLSTM("whose hidden state is the cell state", cell=cell_with(next_h=lambda s: s.c)),
    AlteredLSTM("whose cell returns c for h and h for c", cell=exchanging),
    AlteredLSTM(
        "that computes h = tanh(o * c)", cell=cell_with(next_h=lambda s: np.tanh(s.o * s.c))
    ),
    AlteredLSTM(
        "that computes h from the cell state of the step before",
        cell=cell_with(next_h=lambda s: s.o * np.tanh(s.c_prev)),
    ),
    AlteredLSTM(
        "without a forget gate, c = c + i * g",
        cell=cell_with(next_c=lambda s: s.c_prev + s.i * s.g),
    ),
    AlteredLSTM(
        "that forgets as much as it takes in, f = 1 - i",
        cell=cell_with(next_c=lambda s: (1 - s.i) * s.c_prev + s.i * s.g),
    ),
    AlteredLSTM(
        "that computes c = f * c + i + g",
        cell=cell_with(next_c=lambda s: s.f * s.c_prev + s.i + s.g),
    ),
    AlteredLSTM(
        "that cuts the factors of its products to the 10 bits of TF32",
        cell=cell_of_rounded_factors(tf32_cut),
    ),
    AlteredLSTM(
        "that rounds the factors of its products to the 10 bits of TF32",
        cell=cell_of_rounded_factors(tf32_rounded),
    ),
)
"""Other equations, or numbers."""
