"""Bounds on how far gradients of one step of a correct LSTM can be off, equation by equation.

The model is that of :mod:`reference.gradient_bounds`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reference.arithmetic import Arithmetic
from reference.case import Array
from reference.cell import Step, Weights
from reference.columns import joined, spread
from reference.gradient_errors import Near, Sum, coefficients, product_error, transposed_product
from reference.gradients import StepGradients


class Adjoint(NamedTuple):
    """The error of (dh, dc) on the way from a step to the step before.

    - `h` (N, R, sources), `c` (N, hidden_size, sources): the effect of each error source;
    - `sum_h` (N, R), `fresh_c` (N, hidden_size): the fresh errors.
    """

    h: Array
    c: Array
    sum_h: Sum
    fresh_c: Array

    def kept(self, older: Adjoint, running: Array) -> Adjoint:
        """Keep `self` in the rows that are `running` (N, 1), and take `older` in the others."""
        idle = self.c.shape[-1] - older.c.shape[-1]
        sums = zip(self.sum_h, older.sum_h, strict=True)
        return Adjoint(
            np.where(running[..., None], self.h, joined(older.h, idle)),
            np.where(running[..., None], self.c, joined(older.c, idle)),
            Sum(*(np.where(running, mine, other) for mine, other in sums)),
            np.where(running, self.fresh_c, older.fresh_c),
        )


def step_gradient_bound(
    step: Step,
    deviation: Step,
    d: StepGradients,
    d_output: Near,
    arriving: Adjoint,
    w: Weights,
    arithmetic: Arithmetic,
) -> tuple[StepGradients, Adjoint]:
    """Bound the gradients `d` of one step whose forward quantities can be off by `deviation`.

    `d_output` (N, R) is the cotangent of the output, and `arriving` the error from the next step.
    The code is line for line the equations of :func:`reference.gradients.lstm_cell_backward`, each
    followed by its error.
    """
    u, rows = arithmetic.unit_roundoff, len(step.c)
    by = coefficients(step, deviation, arithmetic)

    # dh = W_hh^T da + d_output, in up to four products and four additions
    on_h = joined(arriving.h, arriving.sum_h.plus(d_output.value, d_output.deviation, 4, u))
    dh = Near(d.h, spread(on_h))

    # dh_full = W_hr^T dh
    on_full = on_h
    if w.weight_hr is not None:
        projected = transposed_product(w.weight_hr, dh, np.zeros(dh.value.shape), 1, arithmetic)
        on_full = joined(w.weight_hr.T @ on_h, projected.fresh)
    dh_full = Near(d.h_full, spread(on_full))

    # dc = dc + dh_full o (1 - tanh(c)^2)
    on_c = joined(arriving.c, on_full.shape[-1] - arriving.c.shape[-1])
    on_c = on_c + by.c.value[..., None] * on_full
    fresh_c = arriving.fresh_c + product_error(by.c, dh_full, arithmetic)
    fresh_c = fresh_c + u * (np.abs(d.c) + spread(on_c) + fresh_c)
    on_c, on_full = joined(on_c, fresh_c), joined(on_full, fresh_c.shape[-1])
    dc = Near(d.c, spread(on_c))

    # da_i = dc g i (1 - i), da_f = dc c_prev f (1 - f), da_g = dc i (1 - g^2)
    # da_o = dh_full tanh(c) o (1 - o)
    fresh_i = product_error(by.i, dc, arithmetic)
    fresh_f = product_error(by.f, dc, arithmetic, np.abs(step.c_prev) + deviation.c_prev)
    fresh_g = product_error(by.g, dc, arithmetic)
    fresh_o = product_error(by.o, dh_full, arithmetic)
    fresh = np.concatenate([fresh_i, fresh_f, fresh_g, fresh_o], axis=-1)
    by_c = np.concatenate([by.i.value, by.f.value, by.g.value], axis=-1)
    inherited = np.abs(by_c) * np.tile(dc.deviation, 3), np.abs(by.o.value) * dh_full.deviation
    da = Near(d.a, np.concatenate(inherited, axis=-1) + fresh)

    # dx = W_ih^T da, dh_prev = W_hh^T da
    def carried(weight: Array) -> Array:
        of_c, of_o = weight.T[:, : by_c.shape[-1]], weight.T[:, by_c.shape[-1] :]
        sum_c = (of_c * by_c[:, None]).reshape(rows, len(of_c), 3, -1).sum(axis=-2)
        columns: Array = sum_c @ on_c + (of_o * by.o.value[:, None]) @ on_full
        return columns

    sum_x = transposed_product(w.weight_ih, da, fresh, 4, arithmetic)
    error_x = spread(carried(w.weight_ih)) + sum_x.plus(0, 0, 3, u)
    sum_h = transposed_product(w.weight_hh, da, fresh, 4, arithmetic)
    h_prev = carried(w.weight_hh)
    error_h_prev = spread(h_prev) + sum_h.plus(0, 0, 3, u)

    # dc_prev = dc f
    c_prev = by.c_prev.value[..., None] * on_c
    fresh_c_prev = product_error(by.c_prev, dc, arithmetic)
    error_c_prev = spread(c_prev) + fresh_c_prev

    inner = dh.deviation, dh_full.deviation, dc.deviation, da.deviation
    errors = StepGradients(*inner, error_x, error_h_prev, error_c_prev)
    return errors, Adjoint(h_prev, c_prev, sum_h, fresh_c_prev)
