"""Requirements on sums in back-propagation: those of 16 bits are accumulated in float32."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.checking.requirement import requirement
from conformance.checking.truth import arithmetic
from conformance.implementations.implementation import Implementation
from conformance.requirements.helpers.cancelling import (
    ordinary,
    saturates,
    with_gradient_sums,
    with_row_sums,
    with_saturated_layer,
)
from conformance.requirements.helpers.gradients import close_gradients, cotangents, gradients_of
from conformance.requirements.helpers.needs import gradients
from conformance.requirements.precision import ACCUMULATED, SUMS
from reference import Arithmetic, Array, Case
from reference.products import gamma

_SUMS = {**SUMS, "level": "training"}


def _known(implementation: Implementation, step: Case) -> bool:
    """Return whether the factors of the sums in `step` are known exactly."""
    saturated = saturates(arithmetic(step, implementation))
    return saturated and not implementation.supports.lacking_for(step)


def _vanish(
    implementation: Implementation,
    step: Case,
    adjoint: Array,
    bound: Mapping[str, Array],
    of_h: bool = False,
) -> float:
    """Check that these gradients are zero, up to a `bound`, if that of c_n is `adjoint`.

    Where c_n is 0 and nothing is projected, c_n is also handed the gradient of h_n, or in the
    highest layer of the output, if the implementation does not return c_n. With `of_h` it is the
    gradient of h_n itself. Returns the share of the bound, 0 if no result can be differentiated.
    """
    named: dict[str, Any] = {} if of_h else {"c_n": adjoint}
    if of_h or not step.configuration.proj_size:
        top = adjoint[-step.configuration.num_directions :]
        named |= {"h_n": adjoint, "output": step.user_order(np.concatenate(top, -1)[None])}
    returned = [name for name in named if name in implementation.supports.results]
    if not returned:
        return 0.0
    given: dict[str, Any] = {returned[0]: named[returned[0]].astype(step.dtype.numpy)}
    weights = replace(cotangents(step, ()), **given)
    got = gradients_of(implementation, step, weights, returned[:1])
    found = {each: got[each] for each in bound if each in got}
    return close_gradients(found, {n: np.zeros(b.shape) for n, b in bound.items()}, bound)


def _sum(terms: Array, factors: Array, model: Arithmetic, gates: int = 1) -> Array:
    """Bound the error of `terms` (m, n) @ `factors` (n, k), known ones, accumulated in float32.

    There are terms of so many `gates`, of which one has no zeros. The result is rounded once more,
    and passes a few factors of 1.
    """
    error = gamma(gates * factors.shape[0], model) * (1 + 4 * model.unit_roundoff)
    bound: Array = error * np.abs(terms.astype(np.float64)) @ np.abs(factors.astype(np.float64))
    return bound


def _of_candidate(error: Array) -> Array:
    """Put the `error` (H, ...) of a parameter's part for the candidate among zeros (4H, ...)."""
    zeros = np.zeros_like(error)
    return np.concatenate([zeros, zeros, error, zeros])


@requirement(source=ACCUMULATED, applies=gradients, **_SUMS)
def sums_of_gradients_are_accumulated_in_float32(
    implementation: Implementation, case: Case
) -> float:
    """In float16 and bfloat16, gradients by inputs and hidden states are accumulated in float32.

    They are products with weights that cancel. The other factor is the gradient of c_n or h_n,
    which open gates and the tanh of 0 hand on exactly. Those by the input of an upper layer, and by
    what is projected, show in the gradient by the bias of the candidate that they reach.
    """
    step = with_gradient_sums(ordinary(case))
    if not _known(implementation, step):
        return 0.0
    model, of, cotangent = arithmetic(step, implementation), step.configuration, cotangents(step)
    h_n, c_n = (np.tile(np.split(each, 2, -1)[0], 2) for each in (cotangent.h_n, cotangent.c_n))

    def passed(name: str, adjoint: Array, slots: range) -> list[Array]:
        gates, start = (1, 0) if name == "weight_hr" else (4, 2 * of.hidden_size)
        rows = slice(start, start + adjoint.shape[-1])
        weights = [within.parameters[name + of.suffixes()[slot]][rows] for slot in slots]
        pairs = zip(slots, weights, strict=True)
        return [_sum(adjoint[slot], each, model, gates) for slot, each in pairs]

    within, every = step, range(len(c_n))
    into = np.sum(passed("weight_ih", c_n, every[: of.num_directions]), axis=0)
    bound = {"h_0": np.stack(passed("weight_hh", c_n, every)), "input": step.user_order(into[None])}
    share = _vanish(implementation, step, c_n, bound)
    if of.proj_size:
        reached = dict(zip(of.suffixes(), passed("weight_hr", h_n, every), strict=True))
        share = max(
            share, _vanish(implementation, step, h_n, _of_biases(reached, model), of_h=True)
        )
    within = with_gradient_sums(ordinary(case), upper=True)
    for layer in range(1, of.num_layers):
        slots = every[layer * of.num_directions : (layer + 1) * of.num_directions]
        below = np.sum(passed("weight_ih", c_n, slots), axis=0)
        parts = np.split(below, of.num_directions, axis=1)
        suffixes = of.suffixes()[slots[0] - of.num_directions : slots[0]]
        reached = dict(zip(suffixes, parts, strict=True))
        if of.proj_size:
            for suffix, error in reached.items():
                weight = np.abs(within.parameters[f"weight_hr{suffix}"].astype(np.float64))
                reached[suffix] = (1 + 16 * model.unit_roundoff) * error @ weight
        alone = np.zeros_like(c_n)
        alone[list(slots)] = c_n[list(slots)]
        share = max(share, _vanish(implementation, within, alone, _of_biases(reached, model)))
    return share


def _of_biases(reached: Mapping[str, Array], model: Arithmetic) -> dict[str, Array]:
    """Bound the gradients by biases of errors (N, H) that reach candidates, by their suffix."""
    more = 1 + 16 * model.unit_roundoff
    return {
        f"bias_ih{suffix}": _of_candidate(more * error.sum(axis=0))
        for suffix, error in reached.items()
    }


@requirement(source=ACCUMULATED, applies=gradients, should=True, **_SUMS)
def gradients_are_summed_over_rows_in_float32(implementation: Implementation, case: Case) -> float:
    """In float16 and bfloat16, gradients by weights and biases are summed over rows in float32.

    The products in a sum cancel, and their factors are known exactly: the input, h_0 or a layer
    below of ones, and the gradient of c_n, which open gates and the tanh of 0 hand on, or of h_n,
    if there is a projection of ones. There is one step, as an LSTM may add up steps in the dtype.
    One that computes row by row has only the dtype to sum in.
    """
    step = with_row_sums(ordinary(case))
    if not _known(implementation, step):
        return 0.0
    assert step.h_0 is not None
    model, of = arithmetic(step, implementation), step.configuration
    rng = np.random.default_rng(zlib.crc32(case.input.tobytes()))
    ones = np.ones((step.batch_size, of.num_directions * of.output_size))

    def halves(size: int) -> Array:
        half = rng.uniform(0.5, 1, (len(of.suffixes()), len(ones) // 2, size))
        return np.concatenate([half, -half], axis=1).astype(case.dtype.numpy)

    c_n, share = halves(of.hidden_size), 0.0
    for layer in range(of.num_layers):
        bound, alone = {}, np.zeros_like(c_n)
        given = with_saturated_layer(step, layer - 1) if layer else step
        for slot in range(layer * of.num_directions, (layer + 1) * of.num_directions):
            alone[slot] = c_n[slot]
            x = ones if layer else step.time_major(step.input)[0]
            factors = {"weight_ih": x, "weight_hh": step.h_0[slot]}
            factors |= dict.fromkeys(("bias_ih", "bias_hh"), ones[:, :1])
            for name, factor in factors.items():
                error = _of_candidate(_sum(c_n[slot].T, factor, model))
                bound[name + of.suffixes()[slot]] = error[:, 0] if "bias" in name else error
        share = max(share, _vanish(implementation, given, alone, bound))
    if of.proj_size:
        h_n = halves(of.proj_size)
        for layer in range(of.num_layers):
            step = with_saturated_layer(step, layer)
        units = np.ones((len(ones), of.hidden_size))
        bound = {
            f"weight_hr{suffix}": _sum(h_n[slot].T, units, model)
            for slot, suffix in enumerate(of.suffixes())
        }
        share = max(share, _vanish(implementation, step, h_n, bound, of_h=True))
    return share
