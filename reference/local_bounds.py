"""Bounds on what each step of a correct LSTM adds, for sequences and layers of any size.

The model is that of :mod:`reference.bounds`. The output of a layer holds h of every step, as the
implementation stored it. So each step is computed from the implementation's *own* h of the step
before: it may have used another number, but one that is stored as this one, which is off by at most
``(u |h| + subnormal) / (1 - u)``. Nothing is carried through W_hh then. What is left to bound in a
step is what the step itself adds, and the error of c, which the forget gate alone carries from step
to step, element by element::

    |dc'| <= |c| df + (f + df) |dc| + |g| di + (i + di) dg + 2 u (...)

So the bound costs what a forward pass costs, needs no Jacobian and does not grow with W_hh. It says
as much as :func:`reference.bounds.forward_bound`: a right implementation is within it in every
step, and one that is within it in every step computes the equations.

The reference computes in float64, and its own error is added: that of the same computation with
u = 2^-53. For a case in float64 the bound is twice as wide for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from reference.arithmetic import Arithmetic
from reference.bounds import entered, float64
from reference.case import Array, Case, Result
from reference.cell import Step, Weights, gated
from reference.network import assemble, cell_weights
from reference.products import Products, preactivation_error, projection_error
from reference.step_bounds import perturbed_gates, state_error

CHUNK = 2**21
"""About how many pre-activations are computed by one product."""


@dataclass(frozen=True, eq=False)
class LocalLayer:
    """One layer in one direction, each step from the implementation's own h, and its bounds.

    - `steps`, `deviations`: the quantities of each step and how far those of a right implementation
      can be from them, in the order of processing;
    - `output` (T, N, R), `h_n` (N, R), `c_n` (N, hidden_size): the results;
    - `bound_output`, `bound_h_n`, `bound_c_n`: their bounds.
    """

    steps: Sequence[Step]
    deviations: Sequence[Step]
    output: Array
    h_n: Array
    c_n: Array
    bound_output: Array
    bound_h_n: Array
    bound_c_n: Array


def local_arithmetic(arithmetic: Arithmetic) -> Arithmetic:
    """Add to `arithmetic` the error of a reference that computes in float64."""
    return arithmetic.scaled(1 + 2.0**-53 / arithmetic.accumulation)


def observation_error(values: Array, arithmetic: Arithmetic) -> Array:
    """Bound how far the number that was used can be from the one that was stored, `values`."""
    u = arithmetic.unit_roundoff
    error: Array = (u * np.abs(values) + arithmetic.subnormal) / (1 - u)
    return error


def previous(observed: Array, h_0: Array, active: Array, reverse: bool) -> tuple[Array, Array]:
    """Give h before each step, (T, N, R), and where that is the initial one, (T, N)."""
    running = np.cumsum(active[::-1] if reverse else active, axis=0)
    first = (running[::-1] if reverse else running) <= 1
    before = np.roll(observed, -1 if reverse else 1, axis=0)
    return np.where(first[..., None], h_0, before), first


def local_layer(
    x: Array,
    dx: Array,
    observed: Array,
    h_0: Array,
    c_0: Array,
    weights: Weights,
    active: Array,
    arithmetic: Arithmetic,
    *,
    reverse: bool = False,
    strayed: bool = False,
    keep: bool = False,
) -> LocalLayer:
    """Compute and bound each step of a layer from its `observed` output (T, N, R).

    - `x` (T, N, features) is off by at most `dx`;
    - `active` (T, N) is False where a row has ended;
    - with `strayed`, the bounds are on how far *another* run of the same layer can be from the
      one that was observed. The difference of h is then carried, by absolute values;
    - with `keep`, the steps and their deviations are kept.

    All arrays are float64.
    """
    w = float64(weights)
    h_prev, first = previous(observed, h_0, active, reverse)
    dh_prev = np.where(first[..., None], 0, observation_error(h_prev, arithmetic))
    output, bound = np.zeros(observed.shape), np.zeros(observed.shape)
    h, dh = h_0, np.zeros(h_0.shape)
    c, dc = c_0, entered(c_0, arithmetic)
    exact = arithmetic.factors.exact
    taken = None if exact else arithmetic.factors.input_error(x, dx)
    steps, deviations = [], []
    order = range(len(x))[:: -1 if reverse else 1]
    length = 1 if strayed else max(1, CHUNK // max(1, active.shape[1] * len(w.weight_hh)))
    with np.errstate(all="ignore"):
        for some in _chunks(order, length):
            if strayed:
                other = dh + observation_error(np.abs(h_prev[some]) + dh, arithmetic)
                dh_prev[some] = np.where(first[some, :, None], 0, other)
            products = Products.of(x[some], h_prev[some], w)
            a = products.preactivations(w)
            here = None if taken is None else taken[some]
            fresh, da = preactivation_error(
                x[some], h_prev[some], products, w, dx[some], dh_prev[some], arithmetic, here
            )
            for at, t in enumerate(some):
                step = gated(x[t], h_prev[t], c, a[at], w)
                gates = perturbed_gates(step, da[at], arithmetic)
                error = state_error(step, gates, fresh[at], dc, arithmetic)
                deviation = error.h
                if w.weight_hr is not None:
                    fresh_h = projection_error(step, w.weight_hr, error.h, arithmetic)
                    deviation = error.h @ np.abs(w.weight_hr).T + fresh_h
                if keep:
                    by_gate = [each.deviation for each in gates[:4]]
                    states = [error.c, error.tanh_c.deviation, error.h, deviation]
                    of_a = np.split(da[at], 4, axis=-1)
                    steps.append(step)
                    deviations.append(Step(dx[t], dh_prev[t], dc, *of_a, *by_gate, *states))
                if strayed:
                    deviation = deviation + np.abs(step.h - observed[t])
                running = active[t][:, None]
                output[t], bound[t] = np.where(running, step.h, 0), np.where(running, deviation, 0)
                h, dh = np.where(running, step.h, h), np.where(running, deviation, dh)
                c, dc = np.where(running, step.c, c), np.where(running, error.c, dc)
    return LocalLayer(steps, deviations, output, h, c, _claimed(bound), _claimed(dh), _claimed(dc))


def _claimed(bound: Array) -> Array:
    return np.where(np.isnan(bound), np.inf, bound)


def _chunks(order: Sequence[int], length: int) -> Iterator[list[int]]:
    for start in range(0, len(order), length):
        yield list(order[start : start + length])


def local_layers(
    case: Case,
    output: Array,
    arithmetic: Arithmetic,
    *,
    x: Array | None = None,
    dx: Array | None = None,
    strayed: bool = False,
    keep: bool = False,
) -> list[LocalLayer]:
    """Compute and bound each direction of the top layer of `case` from its `output`.

    `output` is in the order of axes of the case. `x` (T, N, features) is the top layer's input,
    off by at most `dx`; by default it is that of the case, which then has one layer. See
    :func:`local_layer` for `strayed` and `keep`.
    """
    directions = case.configuration.num_directions
    if x is None:
        if case.configuration.num_layers > 1:
            raise ValueError("the input of an upper layer must be given")
        x = np.asarray(case.time_major(case.input), np.float64)
    dx = np.zeros(x.shape) if dx is None else dx
    observed = np.asarray(case.time_major(output), np.float64)
    h_0, c_0 = (state[-directions:].astype(np.float64) for state in case.initial_states())
    suffixes = case.configuration.suffixes()[-directions:]
    model, active = local_arithmetic(arithmetic), case.valid_steps()
    return [
        local_layer(
            x,
            dx,
            half,
            h_0[direction],
            c_0[direction],
            float64(cell_weights(case, suffix)),
            active,
            model,
            reverse=direction == 1,
            strayed=strayed,
            keep=keep,
        )
        for direction, (suffix, half) in enumerate(
            zip(suffixes, np.split(observed, directions, axis=-1), strict=True)
        )
    ]


def local_bound(
    case: Case, output: Array, arithmetic: Arithmetic | None = None
) -> tuple[Result, Result]:
    """Compute the results of a layer from its own `output`, and bound each element.

    `case` has one layer, in one or two directions, and `output` has its shape and any number of
    axes of the case; `arithmetic` is by default that of the case's dtype. Returns what each element
    should be after the observed step before, and how far it can be from that. Raises
    :class:`ValueError` for a case of several layers.

    A cell whose parameters are zero halves c, whatever h is:

    >>> from reference import Case, Configuration
    >>> configuration = Configuration(input_size=1, hidden_size=1)
    >>> shapes = configuration.parameter_shapes()
    >>> parameters = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    >>> ones = np.ones((1, 1, 1), np.float32)
    >>> case = Case(configuration, parameters, np.ones((2, 1, 1), np.float32), h_0=ones, c_0=ones)
    >>> expected, bound = local_bound(case, np.zeros((2, 1, 1)))
    >>> expected.c_n.item(), f"{bound.c_n.item():.0e}"
    (0.25, '5e-07')
    """
    model = Arithmetic.of(case.dtype) if arithmetic is None else arithmetic
    return results_of(case, local_layers(case, output, model))


def results_of(case: Case, layers: Sequence[LocalLayer]) -> tuple[Result, Result]:
    """Join the directions of one layer to results and bounds in the shapes of `case`."""
    sides = [layer.output for layer in layers], [layer.bound_output for layer in layers]
    h = [layer.h_n for layer in layers], [layer.bound_h_n for layer in layers]
    c = [layer.c_n for layer in layers], [layer.bound_c_n for layer in layers]
    expected, bound = (
        assemble(case, np.concatenate(sides[which], axis=-1), h[which], c[which])
        for which in (0, 1)
    )
    return expected, bound
