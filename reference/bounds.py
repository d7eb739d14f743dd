"""How far a correct LSTM can be from the true result, by rounding-error analysis.

The model (see :mod:`reference.dtypes`): results are stored in a type with unit roundoff u, sums of
products are accumulated with unit roundoff u_acc in any order, and sigmoid and tanh have an
absolute error of at most K u. From it the error fresh in each step is bounded quantity by
quantity, in the order of the cell's equations. Every bound is rigorous, not first order: slopes
are taken at their largest on the interval in which the argument can lie, and the remainders of
the linearisation are added as errors of their own.

Errors of step s reach step t through the product of the true Jacobians of (h, c)::

    e_t = sum_s |A_t ... A_(s+1) L_s| eps_s

kept as one matrix per row whose columns are the error sources (in interval arithmetic: a
zonotope). Products of absolute values, the usual recursion, are kept beside it for the rare rows
where the linearisation is the looser of the two. Between layers the bound of the lower layer's
output enters as an error of the input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from reference.arithmetic import Arithmetic, perturbed, sigmoid_slope, tanh_slope
from reference.case import Array, Result
from reference.cell import Step, Weights
from reference.network import LayerTrace, Trace, assemble
from reference.products import preactivation_error, projection_error

Quantities = TypeVar("Quantities", Step, Weights)


@dataclass(frozen=True, eq=False)
class StepBound:
    """Errors fresh in one step and the Jacobian that carries the older ones.

    `fresh_h` and `fresh_c` (N, hidden_size), `fresh_projection` (N, R): what the step itself adds;
    `jacobian` (N, R + hidden_size, R + hidden_size) of (h, c) by their predecessors;
    `h_by_c` (N, hidden_size): how a change of c shows in h_full; `interval` (N, R + hidden_size):
    the deviation of (h, c) by absolute values alone; `deviation`: that of every quantity, by name.
    """

    fresh_h: Array
    fresh_c: Array
    fresh_projection: Array | None
    jacobian: Array
    h_by_c: Array
    interval: Array
    deviation: Step


@dataclass(frozen=True, eq=False)
class LayerBound:
    """Bounds on one layer in one direction, in the shapes of its :class:`LayerTrace`.

    `steps` holds the deviation of every quantity of every step, in the order of processing.
    """

    output: Array
    h_n: Array
    c_n: Array
    steps: Sequence[Step]


def step_bound(
    step: Step,
    w: Weights,
    dx: Array,
    dh: Array,
    dc: Array,
    arithmetic: Arithmetic,
    taken: Array | None = None,
) -> StepBound:
    """Bound one step whose input is off by `dx`, and whose state by `dh` and `dc`.

    `dx` (N, input_size), `dh` (N, R), `dc` (N, hidden_size); `taken` is the error with which the
    products take the input, where the arithmetic's factors are not exact. Line for line the
    equations of :func:`reference.cell.lstm_cell`, each followed by its error.
    """
    u, k, tiny = arithmetic.unit_roundoff, arithmetic.activation, arithmetic.subnormal
    fresh = preactivation_error(step, w, dx, dh, arithmetic, taken)
    da = fresh + dh @ np.abs(w.weight_hh).T
    fresh_i, fresh_f, fresh_g, fresh_o = np.split(fresh, 4, axis=-1)
    da_i, da_f, da_g, da_o = np.split(da, 4, axis=-1)
    i = perturbed(step.i, step.a_i, da_i, sigmoid_slope, 1, k)
    f = perturbed(step.f, step.a_f, da_f, sigmoid_slope, 1, k)
    g = perturbed(step.g, step.a_g, da_g, tanh_slope, 2, k)
    o = perturbed(step.o, step.a_o, da_o, sigmoid_slope, 1, k)

    # no computed gate exceeds 1 + k, so that the state's error cannot double in each step
    largest_i, largest_f, largest_o = (
        np.minimum(gate + perturbed.deviation, 1 + k)
        for gate, perturbed in ((step.i, i), (step.f, f), (step.o, o))
    )

    # c' = f c + i g, the two products and the sum rounded
    abs_c, abs_g = np.abs(step.c_prev), np.abs(step.g)
    forgotten = abs_c * f.deviation + largest_f * dc
    added = abs_g * i.deviation + largest_i * g.deviation
    rounded = step.f * abs_c + step.i * abs_g + forgotten + added
    rounding_c = (2 * u + u**2) * rounded + 3 * tiny
    deviation_c = forgotten + added + rounding_c
    fresh_c = (
        abs_c * (f.slope * fresh_f + f.fresh)
        + abs_g * (i.slope * fresh_i + i.fresh)
        + step.i * (g.slope * fresh_g + g.fresh)
        + f.deviation * dc
        + i.deviation * g.deviation
        + rounding_c
    )
    deviation_c = np.where(deviation_c < arithmetic.largest / 2, deviation_c, np.inf)
    fresh_c = np.where(np.isfinite(deviation_c), fresh_c, np.inf)

    # h' = o tanh(c'), the product rounded
    abs_t = np.abs(step.tanh_c)
    t = perturbed(step.tanh_c, step.c, deviation_c, tanh_slope, 2, k)
    shown = abs_t * o.deviation + largest_o * t.deviation
    rounding_h = u * (step.o * abs_t + shown) + tiny
    within = np.abs(step.h_full) + (1 + k) ** 2 * (1 + u)
    deviation_h = np.where(np.isfinite(shown), np.minimum(shown + rounding_h, within), np.inf)
    fresh_h = (
        abs_t * (o.slope * fresh_o + o.fresh)
        + step.o * t.fresh
        + o.deviation * t.deviation
        + rounding_h
    )
    h_by_c = step.o * t.slope

    # d(h', c') / d(h, c)
    w_i, w_f, w_g, w_o = np.split(w.weight_hh, 4)
    c_by_h = (
        (step.c_prev * f.slope)[..., None] * w_f
        + (step.g * i.slope)[..., None] * w_i
        + (step.i * g.slope)[..., None] * w_g
    )
    h_by_h = (step.tanh_c * o.slope)[..., None] * w_o + h_by_c[..., None] * c_by_h
    c_by_c = _diagonals(step.f)
    h_full_by_c = _diagonals(h_by_c * step.f)

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
    gates = [item.deviation for item in (i, f, g, o)]
    states = [deviation_c, t.deviation, deviation_h_full, deviation_h]
    deviation = Step._make([dx, dh, dc, da_i, da_f, da_g, da_o, *gates, *states])
    return StepBound(fresh_h, fresh_c, fresh_projection, jacobian, h_by_c, interval, deviation)


def _diagonals(rows: Array) -> Array:
    """(N, n) as (N, n, n) diagonal matrices."""
    return rows[..., None] * np.eye(rows.shape[-1])


def _sources(bound: StepBound, weight_hr: Array | None) -> Array:
    """The fresh errors as columns (N, R + hidden_size, sources): what each does to (h, c)."""
    on_h, on_c = _diagonals(bound.fresh_h), _diagonals(bound.fresh_c)
    through_c = _diagonals(bound.h_by_c * bound.fresh_c)
    if weight_hr is None or bound.fresh_projection is None:
        top, bottom = [on_h, through_c], [np.zeros_like(on_h), on_c]
    else:
        projected = _diagonals(bound.fresh_projection)
        nothing = np.zeros((*on_c.shape[:-1], projected.shape[-1]))
        top = [weight_hr @ on_h, weight_hr @ through_c, projected]
        bottom = [np.zeros_like(on_h), on_c, nothing]
    return np.concatenate([np.concatenate(top, axis=-1), np.concatenate(bottom, axis=-1)], axis=-2)


def layer_bound(layer: LayerTrace, dx: Array, arithmetic: Arithmetic) -> LayerBound:
    """Bound one layer whose input is off by `dx` (T, N, features)."""
    w = float64(layer.weights)
    features = w.weight_hh.shape[1]
    output = np.zeros(layer.output.shape)
    error, columns = _initial_errors(layer, arithmetic)
    taken: Array | None = None
    if not arithmetic.factors.exact:
        x = np.zeros(dx.shape)
        x[list(layer.order)] = [step.x for step in layer.steps]
        taken = arithmetic.factors.input_error(x, dx)
    steps = []
    for t, step in zip(layer.order, layer.steps, strict=True):
        dh, dc = error[:, :features], error[:, features:]
        here = None if taken is None else taken[t]
        bound = step_bound(float64(step), w, dx[t], dh, dc, arithmetic, here)
        carried = np.concatenate([bound.jacobian @ columns, _sources(bound, w.weight_hr)], axis=-1)
        linear = np.abs(carried).sum(axis=-1)
        linear = np.where(np.isnan(linear), np.inf, linear)
        looser = ~(linear.sum(axis=-1) <= 1.5 * bound.interval.sum(axis=-1))
        if looser.any():
            carried[looser] = 0
            carried[looser, :, -error.shape[-1] :] = _diagonals(
                np.where(np.isnan(bound.interval), np.inf, bound.interval)
            )[looser]
        running = layer.active[t][:, None]
        error = np.where(running, np.fmin(linear, bound.interval), error)
        if layer.active[t].all():
            columns = carried
        else:
            idle = np.zeros((*columns.shape[:-1], carried.shape[-1] - columns.shape[-1]))
            kept = np.concatenate([columns, idle], axis=-1)
            columns = np.where(running[..., None], carried, kept)
        output[t] = np.where(running, error[:, :features], 0)
        steps.append(bound.deviation)
    return LayerBound(output, error[:, :features], error[:, features:], steps)


def _initial_errors(layer: LayerTrace, arithmetic: Arithmetic) -> tuple[Array, Array]:
    """Errors of (h, c) before the first step (N, R + hidden_size), and their columns.

    Those of h count among the factors of its products.
    """
    rows, hidden = layer.c_n.shape
    features = layer.weights.weight_hh.shape[1]
    error = np.zeros((rows, features + hidden))
    if not arithmetic.entry:
        return error, np.zeros((rows, features + hidden, 0))
    c_0 = np.abs(layer.steps[0].c_prev.astype(np.float64))
    entered = arithmetic.entry * c_0 + arithmetic.subnormal
    error[:, features:] = np.where(c_0 < arithmetic.largest, entered, np.inf)
    return error, _diagonals(error)


def layer_bounds(trace: Trace, arithmetic: Arithmetic | None = None) -> list[LayerBound]:
    """Bounds on every layer and direction, in the trace's order; see :func:`forward_bound`."""
    case = trace.case
    model = Arithmetic.of(case.dtype) if arithmetic is None else arithmetic
    model = model.scaled(1 + case.dtype.wide_roundoff / case.dtype.accumulation)
    directions = case.configuration.num_directions
    dx: Array = np.zeros((case.seq_len, case.batch_size, case.configuration.input_size))
    bounds: list[LayerBound] = []
    with np.errstate(all="ignore"):
        for position, layer in enumerate(trace.layers):
            bounds.append(layer_bound(layer, dx, model))
            if (position + 1) % directions == 0:
                dx = np.concatenate([bound.output for bound in bounds[-directions:]], axis=-1)
                index = position // directions
                if trace.dropout_masks is not None and index < len(trace.dropout_masks):
                    mask = np.asarray(trace.dropout_masks[index], np.float64)
                    outputs = [y.output for y in trace.layers[-directions:]]
                    output = np.concatenate(outputs, axis=-1).astype(np.float64)
                    dx = dx * mask + 2 * model.unit_roundoff * mask * (np.abs(output) + dx)
    return bounds


def forward_bound(trace: Trace, arithmetic: Arithmetic | None = None) -> Result:
    """How far each element of a correct Result can be from ``trace.result``.

    `arithmetic` is that of the case's dtype unless given. The reference's own error is added: it
    is that of the same computation with the wider type's unit roundoff. An infinite bound means
    that nothing is claimed, as where an intermediate quantity can overflow.

    A cell whose parameters are zero halves c; in float32 it can be off by 4e-7, mostly
    because sigmoid and tanh may be off by four units:

    >>> from reference import Case, Configuration, trace
    >>> configuration = Configuration(input_size=1, hidden_size=1)
    >>> shapes = configuration.parameter_shapes()
    >>> parameters = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    >>> ones = np.ones((1, 1, 1), np.float32)
    >>> case = Case(configuration, parameters, ones, h_0=ones, c_0=ones)
    >>> print(f"{forward_bound(trace(case)).c_n.item():.0e}")
    4e-07
    """
    bounds = layer_bounds(trace, arithmetic)
    top = bounds[-trace.case.configuration.num_directions :]
    output = np.concatenate([bound.output for bound in top], axis=-1)
    return assemble(trace.case, output, [b.h_n for b in bounds], [b.c_n for b in bounds])


def float64(quantities: Quantities) -> Quantities:
    """`quantities` with its arrays in float64."""
    arrays = [None if item is None else np.asarray(item, np.float64) for item in quantities]
    return type(quantities)._make(arrays)
