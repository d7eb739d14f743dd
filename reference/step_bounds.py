"""Bounds on how far one step of a correct LSTM can be off, equation by equation.

The model is that of :mod:`reference.bounds`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from reference.arithmetic import Arithmetic, Perturbed, perturbed, sigmoid_slope, tanh_slope
from reference.case import Array
from reference.cell import Step, Weights
from reference.columns import diagonals
from reference.parts import split
from reference.products import Magnitudes, Products, preactivation_error, projection_error


class Gates(NamedTuple):
    """The gates and the candidate g of a step: their values, slopes and errors.

    `largest_i`, `largest_f`, `largest_o` are the largest values of each gate.
    """

    i: Perturbed
    f: Perturbed
    g: Perturbed
    o: Perturbed
    largest_i: Array
    largest_f: Array
    largest_o: Array


_TANH = np.array([False, False, True, False])[:, None]
_SPANS = np.where(_TANH, 2, 1)


def _slopes(a: Array) -> Array:
    """Compute the slopes of the four functions at `a` (..., 4, hidden_size)."""
    slopes: Array = np.where(_TANH, 4, 1) * sigmoid_slope(np.where(_TANH, 2, 1) * a)
    return slopes


def perturbed_gates(step: Step, da: Array, arithmetic: Arithmetic) -> Gates:
    """Bound the gates of `step`, whose pre-activations are off by `da` (N, 4 * hidden_size)."""
    k_sigmoid, k_tanh = arithmetic.sigmoid, arithmetic.tanh
    k = np.array([k_sigmoid, k_sigmoid, k_tanh, k_sigmoid])[:, None]
    # all four at once, (..., 4, hidden_size), which takes less than one after another
    values = np.stack([step.i, step.f, step.g, step.o], axis=-2)
    a = np.stack([step.a_i, step.a_f, step.a_g, step.a_o], axis=-2)
    i, f, g, o = perturbed(values, a, da.reshape(a.shape), _slopes, _SPANS, k).parts()

    # no computed gate exceeds 1 + k_sigmoid, so that the state's error cannot double in each step
    largest = (
        np.minimum(gate + perturbed.deviation, 1 + k_sigmoid)
        for gate, perturbed in ((step.i, i), (step.f, f), (step.o, o))
    )
    return Gates(i, f, g, o, *largest)


class CellError(NamedTuple):
    """The deviation of c (N, hidden_size), and the part of it that is rounding."""

    deviation: Array
    rounding: Array


def cell_error(
    step: Step, gates: Gates, added: Array, dc: Array, arithmetic: Arithmetic
) -> CellError:
    """Bound c of `step`, whose previous c is off by `dc` and i g by `added`, (N, hidden_size)."""
    u, tiny, abs_c = arithmetic.unit_roundoff, arithmetic.subnormal, np.abs(step.c_prev)

    # c' = f c + i g, the two products and the sum rounded
    forgotten = abs_c * gates.f.deviation + gates.largest_f * dc
    rounded = step.f * abs_c + step.i * np.abs(step.g) + forgotten + added
    rounding = (2 * u + u**2) * rounded + 3 * tiny
    within = rounded + rounding < arithmetic.largest
    return CellError(np.where(within, forgotten + added + rounding, np.inf), rounding)


def added_error(step: Step, gates: Gates) -> Array:
    """Bound the error of i g by the errors of i and g."""
    error: Array = np.abs(step.g) * gates.i.deviation + gates.largest_i * gates.g.deviation
    return error


class HiddenError(NamedTuple):
    """tanh(c) perturbed, the deviation of h before the projection, and its part of rounding."""

    tanh_c: Perturbed
    deviation: Array
    rounding: Array


def hidden_error(
    step: Step, gates: Gates, deviation_c: Array, arithmetic: Arithmetic
) -> HiddenError:
    """Bound h of `step`, whose c is off by `deviation_c`, before the projection."""
    u, tiny = arithmetic.unit_roundoff, arithmetic.subnormal
    k_sigmoid, k_tanh = arithmetic.sigmoid, arithmetic.tanh
    o, abs_t = gates.o, np.abs(step.tanh_c)

    # h' = o tanh(c'), the product rounded
    t = perturbed(step.tanh_c, step.c, deviation_c, tanh_slope, 2, k_tanh)
    shown = abs_t * o.deviation + gates.largest_o * t.deviation
    rounding = u * (step.o * abs_t + shown) + tiny
    within = np.abs(step.h_full) + (1 + k_sigmoid) * (1 + k_tanh) * (1 + u)
    deviation = np.where(np.isfinite(shown), np.minimum(shown + rounding, within), np.inf)
    return HiddenError(t, deviation, rounding)


@dataclass(frozen=True, eq=False)
class StepBound:
    """Bounds on the errors that are fresh in one step, and the Jacobian that carries older errors.

    - `fresh_h`, `fresh_c` (N, hidden_size), `fresh_projection` (N, R): the fresh errors;
    - `jacobian` (N, R + hidden_size, R + hidden_size): of (h, c) by the previous (h, c);
    - `h_by_c` (N, hidden_size): the derivative of h_full by c;
    - `interval` (N, R + hidden_size): the deviation of (h, c) by absolute values alone;
    - `deviation`: the deviation of every quantity.
    """

    fresh_h: Array
    fresh_c: Array
    fresh_projection: Array | None
    jacobian: Array
    h_by_c: Array
    interval: Array
    deviation: Step

    def sources(self, weight_hr: Array | None) -> Array:
        """Give the effect of fresh errors on (h, c) as columns (N, R + hidden_size, sources)."""
        on_h, on_c = diagonals(self.fresh_h), diagonals(self.fresh_c)
        through_c = diagonals(self.h_by_c * self.fresh_c)
        if weight_hr is None or self.fresh_projection is None:
            top, bottom = [on_h, through_c], [np.zeros_like(on_h), on_c]
        else:
            projected = diagonals(self.fresh_projection)
            nothing = np.zeros((*on_c.shape[:-1], projected.shape[-1]))
            top = [weight_hr @ on_h, weight_hr @ through_c, projected]
            bottom = [np.zeros_like(on_h), on_c, nothing]
        halves = [np.concatenate(half, axis=-1) for half in (top, bottom)]
        return np.concatenate(halves, axis=-2)


def step_bound(
    step: Step,
    w: Weights,
    dx: Array,
    dh: Array,
    dc: Array,
    arithmetic: Arithmetic,
    taken: Array | None = None,
    magnitudes: Magnitudes | None = None,
) -> StepBound:
    """Bound one step whose input is off by `dx`, and whose state by `dh` and `dc`.

    `dx` (N, input_size), `dh` (N, R), `dc` (N, hidden_size); `taken` is the error with which the
    products take the input, where the arithmetic's factors are not exact. `magnitudes` are those of
    `w`, if known already. Line for line the equations of :func:`reference.cell.lstm_cell`, each
    followed by its error.
    """
    products = Products.of(step.x, step.h_prev, w)
    fresh, da = preactivation_error(
        step.x, step.h_prev, products, w, dx, dh, arithmetic, taken, magnitudes
    )
    gates = perturbed_gates(step, da, arithmetic)
    i, f, g, o, *_ = gates
    fresh_i, fresh_f, fresh_g, fresh_o = split(fresh, 4)

    deviation_c, rounding_c = cell_error(step, gates, added_error(step, gates), dc, arithmetic)
    fresh_c = (
        np.abs(step.c_prev) * (f.slope * fresh_f + f.fresh)
        + np.abs(step.g) * (i.slope * fresh_i + i.fresh)
        + step.i * (g.slope * fresh_g + g.fresh)
        + f.deviation * dc
        + i.deviation * g.deviation
        + rounding_c
    )
    fresh_c = np.where(np.isfinite(deviation_c), fresh_c, np.inf)

    t, deviation_h, rounding_h = hidden_error(step, gates, deviation_c, arithmetic)
    fresh_h = (
        np.abs(step.tanh_c) * (o.slope * fresh_o + o.fresh)
        + step.o * t.fresh
        + o.deviation * t.deviation
        + rounding_h
    )
    h_by_c = step.o * t.slope

    # d(h', c') / d(h, c)
    w_i, w_f, w_g, w_o = split(w.weight_hh, 4, axis=0)
    c_by_h = (
        (step.c_prev * f.slope)[..., None] * w_f
        + (step.g * i.slope)[..., None] * w_i
        + (step.i * g.slope)[..., None] * w_g
    )
    h_by_h = (step.tanh_c * o.slope)[..., None] * w_o + h_by_c[..., None] * c_by_h
    c_by_c = diagonals(step.f)
    h_full_by_c = diagonals(h_by_c * step.f)

    # h' = W_hr h', accumulated and rounded
    fresh_projection, deviation_h_full = None, deviation_h
    if w.weight_hr is not None:
        fresh_projection = projection_error(step, w.weight_hr, deviation_h, arithmetic)
        deviation_h = deviation_h @ np.abs(w.weight_hr).T + fresh_projection
        h_by_h, h_full_by_c = w.weight_hr @ h_by_h, w.weight_hr @ h_full_by_c
    jacobian = np.concatenate(
        [
            np.concatenate([h_by_h, h_full_by_c], axis=-1),
            np.concatenate([c_by_h, c_by_c], axis=-1),
        ],
        axis=-2,
    )
    interval = np.concatenate([deviation_h, deviation_c], axis=-1)
    by_gate = [item.deviation for item in (i, f, g, o)]
    states = [deviation_c, t.deviation, deviation_h_full, deviation_h]
    deviation = Step._make([dx, dh, dc, *split(da, 4), *by_gate, *states])
    return StepBound(fresh_h, fresh_c, fresh_projection, jacobian, h_by_c, interval, deviation)
