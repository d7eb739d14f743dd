"""Bounds on what each step of back-propagation adds, for sequences and layers of any size.

The model is that of :mod:`reference.gradient_bounds`. As in :mod:`reference.local_bounds`, each
step is taken from the implementation's own numbers of the step before. Those are seen where the
gates have an input each: if a part of W_ih is the identity, then that part of dx = W_ih^T da is da
itself, of every step, as it was stored. Nothing is carried through W_hh^T then. What is left is the
error of dc, which the forget gate alone carries from step to step, element by element.

So these are right, each within what it adds by itself:

- da of every step, from da of the step after, the cotangents, and the forward quantities of
  :mod:`reference.local_bounds`;
- dx, the gradients by h_0 and c_0, and those by all parameters, from da.
"""

from __future__ import annotations

import numpy as np

from reference.arithmetic import Arithmetic
from reference.case import Array, Case, Result
from reference.cell import Step, Weights
from reference.gradient_errors import (
    Near,
    Sum,
    coefficients,
    product_error,
    transposed_product,
    weight_bound,
)
from reference.gradients import masked
from reference.local_bounds import local_layers
from reference.local_layer import LocalLayer, local_arithmetic, observation_error

Bounded = tuple[dict[str, Array], dict[str, Array]]


def local_gradient_bound(
    case: Case,
    output: Array,
    dx: Array,
    cotangents: Result,
    arithmetic: Arithmetic | None = None,
    *,
    strayed: bool = False,
) -> Bounded:
    """Compute each gradient from the implementation's own `output` and `dx`, and its bound.

    `case` has one layer in one direction, and the last 4 * hidden_size columns of its weight_ih are
    the identity. `output` and `dx`, the gradient by the input, are in the shapes of the case. With
    `strayed`, the output is that of another run than the one that was differentiated: kernels for
    inference may round otherwise. See :func:`reference.local_layer.local_layer`.
    Returns the gradients and their bounds by name. Raises :class:`ValueError` for another case.
    """
    c = case.configuration
    gates = 4 * c.hidden_size
    weight = case.parameters["weight_ih_l0"]
    if (
        c.num_layers * c.num_directions > 1
        or c.input_size < gates
        or not np.array_equal(weight[:, -gates:].astype(np.float64), np.eye(gates))
    ):
        raise ValueError("the last columns of weight_ih must be the identity, in one layer")
    own = Arithmetic.of(case.dtype) if arithmetic is None else arithmetic
    model = local_arithmetic(own)
    (layer,) = local_layers(case, output, own, keep=True, strayed=strayed)
    seen = np.asarray(case.time_major(dx), np.float64)[..., -gates:]
    with np.errstate(all="ignore"):
        return _bounded(case, layer, seen, cotangents, model)


def _bounded(
    case: Case, layer: LocalLayer, seen: Array, cotangents: Result, model: Arithmetic
) -> Bounded:
    w = layer.weights
    d_output, dh_n, dc_n = (
        np.asarray(each, np.float64)
        for each in (
            case.time_major(cotangents.output),
            cotangents.h_n.reshape(case.batch_size, -1),
            cotangents.c_n.reshape(case.batch_size, -1),
        )
    )
    assert layer.steps is not None
    assert layer.deviations is not None
    active = case.valid_steps()[..., None]
    step, deviation = (masked(each, active) for each in (layer.steps, layer.deviations))
    used = Near(seen, observation_error(seen, model) + model.factors.rounding(seen))

    # dh = W_hh^T da + d_output, from da of the step after, or from the cotangent of h_n
    passed = transposed_product(w.weight_hh, used, used.deviation, 4, model)
    h_prev = used.value @ w.weight_hh
    last = ~np.concatenate([active[1:], np.zeros_like(active[:1])])
    ends = dh_n, np.zeros(dh_n.shape), np.maximum(dh_n, 0), -np.minimum(dh_n, 0)
    value, *parts = (
        np.where(last, end, np.roll(each, -1, axis=0))
        for each, end in zip((h_prev, *passed), ends, strict=True)
    )
    error = Sum(*parts).plus(d_output, 0, 4, model.unit_roundoff)
    dh = Near(*(np.where(active, each, 0) for each in (value + d_output, error)))

    da, dc = _through_gates(step, deviation, dh, Near(dc_n, np.zeros(dc_n.shape)), w, active, model)
    dh_0 = Near(h_prev[0], passed.plus(0, 0, 3, model.unit_roundoff)[0])
    return _named(case, layer, used, da, dh, dh_0, dc, model)


def _through_gates(
    step: Step, deviation: Step, dh: Near, dc: Near, w: Weights, active: Array, model: Arithmetic
) -> tuple[Near, Near]:
    """Compute and bound da of all steps and the first dc from `dh` of all steps and the last dc."""
    u, by = model.unit_roundoff, coefficients(step, deviation, model)

    # dh_full = W_hr^T dh
    dh_full = dh
    if w.weight_hr is not None:
        error = transposed_product(w.weight_hr, dh, dh.deviation, 1, model).fresh
        dh_full = Near(dh.value @ w.weight_hr, error)

    # dc = dc + dh_full o (1 - tanh(c)^2), dc_prev = dc f
    added = dh_full.value * by.c.value
    fresh = np.abs(by.c.value) * dh_full.deviation + product_error(by.c, dh_full, model)
    all_dc = Near(np.empty(added.shape), np.empty(added.shape))
    for t in reversed(range(len(added))):
        value, error = dc.value + added[t], dc.deviation + fresh[t]
        here = Near(value, error + u * (np.abs(value) + error))
        all_dc.value[t], all_dc.deviation[t] = here
        f = Near(by.c_prev.value[t], by.c_prev.deviation[t])
        error = np.abs(f.value) * here.deviation + product_error(f, here, model)
        before = f.value * value, error
        dc = Near(*(np.where(active[t], a, b) for a, b in zip(before, dc, strict=True)))

    # da_i = dc g i (1 - i), da_f = dc c_prev f (1 - f), da_g = dc i (1 - g^2)
    # da_o = dh_full tanh(c) o (1 - o)
    larger = np.abs(step.c_prev) + deviation.c_prev
    of = (by.i, all_dc, 1.0), (by.f, all_dc, larger), (by.g, all_dc, 1.0), (by.o, dh_full, 1.0)
    values = [factor.value * each.value for factor, each, _ in of]
    errors = [
        np.abs(factor.value) * each.deviation + product_error(factor, each, model, other)
        for factor, each, other in of
    ]
    joined = (np.concatenate(each, axis=-1) for each in (values, errors))
    return Near(*(np.where(active, each, 0) for each in joined)), dc


def _named(
    case: Case,
    layer: LocalLayer,
    used: Near,
    da: Near,
    dh: Near,
    dh_0: Near,
    dc_0: Near,
    model: Arithmetic,
) -> Bounded:
    """Give every gradient by name, from da as it was `used`; and da itself, as `da` should be."""
    w, u, gates = layer.weights, model.unit_roundoff, used.value.shape[-1]
    dense = w.weight_ih[:, :-gates]
    product = transposed_product(dense, used, used.deviation, 4, model)
    stored = da.deviation + observation_error(da.magnitude, model)
    stored = np.where(case.valid_steps()[..., None], stored + model.factors.rounding(da.value), 0)
    found = {
        "input": Near(
            case.user_order(np.concatenate([used.value @ dense, da.value], axis=-1)),
            case.user_order(np.concatenate([product.plus(0, 0, 3, u), stored], axis=-1)),
        )
    }
    if case.h_0 is not None and case.c_0 is not None:
        found["h_0"] = Near(dh_0.value.reshape(case.h_0.shape), dh_0.deviation)
        found["c_0"] = Near(dc_0.value.reshape(case.c_0.shape), dc_0.deviation)

    def over_time(name: str) -> Near:
        running = case.valid_steps()[..., None]
        both = (getattr(of, name) for of in (layer.steps, layer.deviations))
        return Near(*(np.where(running, each, 0) for each in both))

    one = Near(np.ones((*used.value.shape[:2], 1)), np.zeros((*used.value.shape[:2], 1)))
    of_bias = Near(*(each[:, 0] for each in _sum(used, one, model)))
    found |= {
        "weight_ih_l0": _sum(used, over_time("x"), model),
        "weight_hh_l0": _sum(used, over_time("h_prev"), model),
        "bias_ih_l0": of_bias,
        "bias_hh_l0": of_bias,
    }
    if w.weight_hr is not None:
        found["weight_hr_l0"] = _sum(dh, over_time("h_full"), model)
    asked = {"input", *case.arguments(), *case.parameters}
    kept = {name: near for name, near in found.items() if name in asked}
    bounds = {name: near.deviation.reshape(near.value.shape) for name, near in kept.items()}
    return (
        {name: near.value for name, near in kept.items()},
        {name: np.where(np.isnan(bound), np.inf, bound) for name, bound in bounds.items()},
    )


def _sum(adjoint: Near, factor: Near, model: Arithmetic) -> Near:
    """Sum `adjoint` (T, N, m) times `factor` (T, N, n) over time and batch, with its bound."""
    a, f = (each.reshape(-1, each.shape[-1]) for each in (adjoint.value, factor.value))
    return Near(a.T @ f, weight_bound(adjoint, factor, model))
