"""Bounds on how far the gradients of a correct LSTM can be from the true ones.

The model is that of :mod:`reference.bounds`. Back-propagation through time is linear in the
adjoint s = (dh, dc), ``s_(t-1) = A_t^T s_t + cotangents``, where A_t is made of the forward
quantities. A correct implementation has every forward quantity within its forward deviation, so
its A_t is off by at most D_t, and rounds each step by at most r_t. With e = its adjoint - s::

    e_(t-1) = A_t^T e_t + eps,   |eps| <= D_t^T (|s_t| + |e_t|) + r_t

This is exact, as it includes the second-order term D_t^T |e_t|. So an error eps of step s reaches
step t through the product of the *true* Jacobians, and
``|e_t| <= sum_s |A_(t+1)^T ... A_s^T| |eps_s|``. As in the forward bound, one matrix per row is
kept, whose columns are the error sources. A recursion of absolute values is not kept beside it,
because it is never tighter here: the same |eps| enter both, and the product of matrices is at most
that of their absolute values. Errors that are fresh in da enter as the box |W^T| |eps|, one source
for each element of dh and of dc in each step.

An implementation may

- compute sigmoid' and tanh' of the stored gates as s (1 - s), s - s^2, 1 - t^2 or (1 - t)(1 + t);
- multiply factors in any order;
- compute W^T da at once or gate by gate;
- add up the gradients of the weights in one sum over time and batch, accumulated with u_acc, or
  step by step in the stored type, in any order.

Between layers, the elementwise bound on the upper layer's input gradient enters as an error of the
lower layer's output cotangent.

The bounds are evaluated in float64 on the true adjoints rounded to float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from reference.arithmetic import Arithmetic
from reference.bounds import LayerBound, float64, layer_bounds
from reference.case import Array, Result
from reference.cell import Step, Weights
from reference.gradient_errors import Near, Sum, weight_bound
from reference.gradients import (
    LayerGradients,
    StepGradients,
    by_name,
    masked,
    state_rows,
    trace_gradients,
)
from reference.network import LayerTrace, Trace
from reference.step_gradient_bounds import Adjoint, step_gradient_bound


def layer_gradient_bound(
    layer: LayerTrace,
    gradients: LayerGradients,
    bound: LayerBound,
    dh_n: Array,
    d_output: Near,
    arithmetic: Arithmetic,
) -> LayerGradients:
    """Bound the `gradients` of one layer whose forward quantities can be off by `bound`.

    `dh_n` (N, R) is the cotangent of the last h, and `d_output` (T, N, R) that of the output.
    """
    w = float64(layer.weights)
    rows, hidden = layer.c_n.shape
    columns: Array = np.zeros((rows, w.weight_hh.shape[1], 0))
    last = Sum(np.zeros(dh_n.shape), np.maximum(dh_n, 0), -np.minimum(dh_n, 0))
    state = Adjoint(columns, np.zeros((rows, hidden, 0)), last, np.zeros((rows, hidden)))
    error_h, error_c = np.zeros(dh_n.shape), np.zeros((rows, hidden))
    dx = np.zeros(gradients.x.shape)
    errors: list[StepGradients] = []
    for index in reversed(range(len(layer.steps))):
        t = layer.order[index]
        running = layer.active[t][:, None]
        error, passed = step_gradient_bound(
            masked(float64(layer.steps[index]), running),
            masked(bound.steps[index], running),
            StepGradients._make(np.asarray(q, np.float64) for q in gradients.steps[index]),
            Near(d_output.value[t], d_output.deviation[t]),
            state,
            w,
            arithmetic,
        )
        if not running.all():
            error = StepGradients(*(np.where(running, item, 0) for item in error))
            passed = passed.kept(state, running)
        state = passed
        error_h = np.where(running, error.h_prev, error_h)
        error_c = np.where(running, error.c_prev, error_c)
        dx[t] = error.x
        errors.insert(0, error)
    weights = weight_bounds(layer, gradients.steps, errors, bound.steps, arithmetic)
    return LayerGradients(errors, dx, error_h, error_c, weights)


def weight_bounds(
    layer: LayerTrace,
    gradients: Sequence[StepGradients],
    errors: Sequence[StepGradients],
    deviations: Sequence[Step],
    arithmetic: Arithmetic,
) -> Weights:
    """Bound the gradients by a layer's parameters; the bounds for both biases are equal."""
    running = layer.active[list(layer.order)][..., None]

    def over_time(values: Sequence[Any], deviations: Sequence[Any], name: str) -> Near:
        arrays = (np.stack([getattr(item, name) for item in of]) for of in (values, deviations))
        return Near(*(np.where(running, array, 0).astype(np.float64) for array in arrays))

    da, dh = over_time(gradients, errors, "a"), over_time(gradients, errors, "h")
    one = Near(np.ones(running.shape), np.zeros(running.shape))
    x, h_prev, h_full = (
        over_time(layer.steps, deviations, name) for name in ("x", "h_prev", "h_full")
    )
    bias = weight_bound(da, one, arithmetic)[:, 0]
    return Weights(
        weight_bound(da, x, arithmetic),
        weight_bound(da, h_prev, arithmetic),
        bias,
        bias,
        None if layer.weights.weight_hr is None else weight_bound(dh, h_full, arithmetic),
    )


def gradient_bound(
    trace: Trace, cotangents: Result, arithmetic: Arithmetic | None = None
) -> dict[str, Array]:
    """Bound how far correct gradients can be from those of :func:`reference.gradients.backward`.

    `arithmetic` is by default that of the case's dtype. The error of the reference itself is added,
    as in :func:`reference.bounds.forward_bound`. An infinite bound means that nothing is claimed,
    as where an intermediate quantity can overflow. Raises :class:`ValueError` for arithmetic that
    quantizes or stores its arguments in a narrower type, for which no bound is known.
    """
    case, directions = trace.case, trace.case.configuration.num_directions
    model = Arithmetic.of(case.dtype) if arithmetic is None else arithmetic
    if model.entry or model.factors.weight_levels or model.factors.input_levels:
        raise ValueError(f"there is no bound on gradients in {model}")
    forward = layer_bounds(trace, model)
    model = model.with_reference(case.dtype)
    u = model.unit_roundoff
    true = trace_gradients(trace, cotangents)
    cotangent: Array = np.asarray(case.time_major(cotangents.output), np.float64)
    d_output = Near(cotangent, np.zeros(cotangent.shape))
    dh_n = np.asarray(state_rows(trace, cotangents.h_n), np.float64)
    bounds: list[LayerGradients] = []
    with np.errstate(all="ignore"):
        for first in reversed(range(0, len(trace.layers), directions)):
            of_this = slice(first, first + directions)
            value, deviation = (np.split(item, directions, axis=-1) for item in d_output)
            both = [
                layer_gradient_bound(*layer, model)
                for layer in zip(
                    trace.layers[of_this],
                    true[of_this],
                    forward[of_this],
                    dh_n[of_this],
                    map(Near, value, deviation),
                    strict=True,
                )
            ]
            dx = np.sum([layer.x for layer in true[of_this]], axis=0).astype(np.float64)
            if directions == 2:
                error = both[0].x + both[1].x
                both[0] = replace(both[0], x=both[0].x + u * (np.abs(dx) + error))
            error = np.sum([layer.x for layer in both], axis=0)
            if trace.dropout_masks is not None and first > 0:
                mask = np.asarray(trace.dropout_masks[first // directions - 1], np.float64)
                error = error * mask + 2 * u * mask * (np.abs(dx) + error)
                dx = dx * mask
            d_output = Near(dx, error)
            bounds = both + bounds
        named = by_name(trace, bounds)
    return {name: np.where(np.isnan(bound), np.inf, bound) for name, bound in named.items()}
