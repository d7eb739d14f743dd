"""Bounds on how far a correct LSTM can be from the true results, by rounding-error analysis.

The model (see :mod:`reference.dtypes`): results are stored in a type with unit roundoff u, sums of
products are accumulated with unit roundoff u_acc in any order, and sigmoid and tanh have an
absolute error of at most K u. From this model, the error that is fresh in each step is bounded
quantity by quantity, in the order of the cell's equations. Every bound is rigorous, not first
order: slopes are the largest on the interval in which the argument can lie, and the remainders of
the linearisation are added as separate errors.

Errors of step s reach step t through the product of the true Jacobians of (h, c)::

    e_t = sum_s |A_t ... A_(s+1) L_s| eps_s

The product is kept as one matrix per row whose columns are the error sources (in interval
arithmetic: a zonotope). Products of absolute values, the usual recursion, are kept beside it for
the rare rows where the linearisation is the looser of the two. Between layers, the bound on the
lower layer's output enters as an error of the input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from reference.arithmetic import Arithmetic
from reference.case import Array, Result
from reference.cell import Step, Weights
from reference.columns import diagonals, joined, spread
from reference.network import LayerTrace, Trace, assemble
from reference.products import Magnitudes
from reference.step_bounds import step_bound

Quantities = TypeVar("Quantities", Step, Weights)


@dataclass(frozen=True, eq=False)
class LayerBound:
    """Bounds on one layer in one direction, in the shapes of its :class:`LayerTrace`.

    `steps` holds the deviation of every quantity of every step, in the order of processing.
    """

    output: Array
    h_n: Array
    c_n: Array
    steps: Sequence[Step]


def layer_bound(layer: LayerTrace, dx: Array, arithmetic: Arithmetic) -> LayerBound:
    """Bound one layer whose input can be off by `dx` (T, N, features)."""
    w = float64(layer.weights)
    features = w.weight_hh.shape[1]
    output = np.zeros(layer.output.shape)
    error, columns = _initial_errors(layer, arithmetic)
    taken: Array | None = None
    if not arithmetic.factors.exact:
        x = np.zeros(dx.shape)
        x[list(layer.order)] = [step.x for step in layer.steps]
        taken = arithmetic.factors.input_error(x, dx)
    steps, magnitudes = [], Magnitudes.of(w)
    for t, step in zip(layer.order, layer.steps, strict=True):
        dh, dc = error[:, :features], error[:, features:]
        here = None if taken is None else taken[t]
        bound = step_bound(float64(step), w, dx[t], dh, dc, arithmetic, here, magnitudes)
        carried = np.concatenate([bound.jacobian @ columns, bound.sources(w.weight_hr)], axis=-1)
        linear = spread(carried)
        linear = np.where(np.isnan(linear), np.inf, linear)
        looser = ~(linear.sum(axis=-1) <= 1.5 * bound.interval.sum(axis=-1))
        if looser.any():
            carried[looser] = 0
            carried[looser, :, -error.shape[-1] :] = diagonals(
                np.where(np.isnan(bound.interval), np.inf, bound.interval)
            )[looser]
        running = layer.active[t][:, None]
        error = np.where(running, np.fmin(linear, bound.interval), error)
        if layer.active[t].all():
            columns = carried
        else:
            kept = joined(columns, carried.shape[-1] - columns.shape[-1])
            columns = np.where(running[..., None], carried, kept)
        output[t] = np.where(running, error[:, :features], 0)
        steps.append(bound.deviation)
    return LayerBound(output, error[:, :features], error[:, features:], steps)


def _initial_errors(layer: LayerTrace, arithmetic: Arithmetic) -> tuple[Array, Array]:
    """Bound the errors of (h, c) before the first step, (N, R + hidden_size), and as columns.

    Those of h are zero here, as they count among the errors of the factors of its products.
    """
    rows, hidden = layer.c_n.shape
    features = layer.weights.weight_hh.shape[1]
    error = np.zeros((rows, features + hidden))
    if not arithmetic.entry:
        return error, np.zeros((rows, features + hidden, 0))
    error[:, features:] = entered(layer.steps[0].c_prev.astype(np.float64), arithmetic)
    return error, diagonals(error)


def entered(c_0: Array, arithmetic: Arithmetic) -> Array:
    """Bound the error with which initial states `c_0` are taken in."""
    if not arithmetic.entry:
        return np.zeros(c_0.shape)
    size = np.abs(c_0)
    error = arithmetic.entry * size + arithmetic.subnormal
    return np.where(size < arithmetic.largest, error, np.inf)


def layer_bounds(trace: Trace, arithmetic: Arithmetic | None = None) -> list[LayerBound]:
    """Bound every layer and direction, in the order of `trace`; see :func:`forward_bound`."""
    case = trace.case
    model = Arithmetic.of(case.dtype) if arithmetic is None else arithmetic
    model = model.with_reference(case.dtype)
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
    """Bound how far each element of a correct Result can be from ``trace.result``.

    `arithmetic` is by default that of the case's dtype. The error of the reference itself is added,
    which is that of the same computation with the unit roundoff of the wider type. An infinite
    bound means that nothing is claimed, as where an intermediate quantity can overflow.

    A cell whose parameters are zero halves c. In float32, c can be off by 4e-7, mostly because
    sigmoid and tanh may be off by four units:

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
    """Convert the arrays in `quantities` to float64."""
    arrays = [None if item is None else np.asarray(item, np.float64) for item in quantities]
    return type(quantities)._make(arrays)
