"""Bounds on what each step of one layer adds, from the output that the layer itself has shown.

:mod:`reference.local_bounds` has the derivation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reference.arithmetic import Arithmetic
from reference.bounds import entered
from reference.case import Array
from reference.cell import Step, Weights, gates, hidden
from reference.parts import split
from reference.products import (
    Magnitudes,
    Products,
    multiplied,
    preactivation_error,
    projection_error,
)
from reference.step_bounds import (
    Gates,
    added_error,
    cell_error,
    hidden_error,
    perturbed_gates,
)

CHUNK = 2**19
"""About how many pre-activations are computed by one product."""


@dataclass(frozen=True, eq=False)
class LocalLayer:
    """One layer in one direction, each step from the implementation's own h, and its bounds.

    - `weights`: the parameters;
    - `steps`, `deviations`: the quantities of all steps (T, N, ...) and how far those of a right
      implementation can be from them, None unless they are kept;
    - `output` (T, N, R), `h_n` (N, R), `c_n` (N, hidden_size): the results;
    - `bound_output`, `bound_h_n`, `bound_c_n`: their bounds.
    """

    weights: Weights
    steps: Step | None
    deviations: Step | None
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
    w, times = weights, len(x)
    h_prev, first = previous(observed, h_0, active, reverse)
    dh_prev = np.where(first[..., None], 0, observation_error(h_prev, arithmetic))
    output, bound = np.zeros(observed.shape), np.zeros(observed.shape)
    h, dh = h_0, np.zeros(h_0.shape)
    c, dc = c_0, entered(c_0, arithmetic)
    exact = arithmetic.factors.exact
    taken = None if exact else arithmetic.factors.input_error(x, dx)
    magnitudes = Magnitudes.of(w)
    kept: list[tuple[Step, Step]] = []
    rows, units = c_0.shape
    length = 1 if strayed else max(1, CHUNK // max(1, 4 * rows * units))
    with np.errstate(all="ignore"):
        for some in _chunks(range(times)[:: -1 if reverse else 1], length):
            running = active[some][..., None]
            if strayed:
                other = dh + observation_error(np.abs(h_prev[some]) + dh, arithmetic)
                dh_prev[some] = np.where(first[some][..., None], 0, other)
            given = x[some], h_prev[some]
            products, off = Products.of(*given, w), (dx[some], dh_prev[some])
            here = None if taken is None else taken[some]
            _, da = preactivation_error(*given, products, w, *off, arithmetic, here, magnitudes)
            a = products.preactivations(w)
            empty: Array = np.empty((len(some), rows, units))
            of_c = [empty, *(np.empty_like(empty) for _ in range(3))]
            of_a = split(a, 4)
            step = Step._make([*given, of_c[0], *of_a, *gates(a), of_c[1], a, a, a])
            opened = perturbed_gates(step, da, arithmetic)
            c, dc = _carried(step, opened, of_c, c, dc, running, arithmetic)
            tanh_c, h_full, h_next = hidden(step.o, step.c, w)
            step = step._replace(tanh_c=tanh_c, h_full=h_full, h=h_next)
            shown = hidden_error(step, opened, of_c[3], arithmetic)
            deviation = shown.deviation
            if w.weight_hr is not None:
                fresh = projection_error(step, w.weight_hr, deviation, arithmetic)
                deviation = multiplied(deviation, np.abs(w.weight_hr).T) + fresh
            if keep:
                by_gate = [each.deviation for each in opened[:4]]
                states = [of_c[3], shown.tanh_c.deviation, shown.deviation, deviation]
                of_a = split(da, 4)
                kept.append((step, Step(*off, of_c[2], *of_a, *by_gate, *states)))
            if strayed:
                deviation = deviation + np.abs(step.h - observed[some])
            output[some], bound[some] = (np.where(running, each, 0) for each in (step.h, deviation))
            for at in range(len(some)):
                h = np.where(running[at], step.h[at], h)
                dh = np.where(running[at], deviation[at], dh)
    results = output, h, c, _claimed(bound), _claimed(dh), _claimed(dc)
    return LocalLayer(weights, *_by_time(kept, reverse), *results)


def _carried(
    step: Step,
    opened: Gates,
    of_c: Sequence[Array],
    c: Array,
    dc: Array,
    running: Array,
    arithmetic: Arithmetic,
) -> tuple[Array, Array]:
    """Carry c and its error through some steps, and put them into `of_c`; returns the last ones.

    `of_c` are c before and after each step, and the error of each, all (T, N, hidden_size).
    """
    before, after, dc_before, dc_after = of_c
    added, deviation_f = added_error(step, opened), opened.f.deviation
    for at in range(len(before)):
        of = step._replace(c_prev=c, f=step.f[at], i=step.i[at], g=step.g[at])
        f = replace(opened.f, deviation=deviation_f[at])
        here = opened._replace(f=f, largest_f=opened.largest_f[at])
        error = cell_error(of, here, added[at], dc, arithmetic)
        before[at], dc_before[at] = c, dc
        after[at], dc_after[at] = of.f * c + of.i * of.g, error.deviation
        c = np.where(running[at], after[at], c)
        dc = np.where(running[at], error.deviation, dc)
    return c, dc


def _by_time(kept: Sequence[tuple[Step, Step]], reverse: bool) -> tuple[Step | None, Step | None]:
    """Join the steps of all chunks, and put them in the order of time."""
    if not kept:
        return None, None
    joined = (
        Step(*map(np.concatenate, zip(*each, strict=True))) for each in zip(*kept, strict=True)
    )
    steps, deviations = (
        Step(*(array[::-1] if reverse else array for array in each)) for each in joined
    )
    return steps, deviations


def _claimed(bound: Array) -> Array:
    return np.where(np.isnan(bound), np.inf, bound)


def _chunks(order: Sequence[int], length: int) -> Iterator[list[int]]:
    for start in range(0, len(order), length):
        yield list(order[start : start + length])
