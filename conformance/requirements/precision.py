"""Requirements on precision: that of the dtype, and float32 sums for dtypes of 16 bits."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.checking.comparison import against_reference, arithmetic, close, truth
from conformance.checking.requirement import requirement
from conformance.implementations.implementation import Implementation, run
from conformance.requirements.gradients import close_gradients, cotangents, gradients_of
from conformance.requirements.helpers.cancelling import (
    ordinary,
    saturates,
    with_gradient_sums,
    with_input_sums,
    with_projected_sums,
    with_recurrent_sums,
    with_row_sums,
)
from conformance.requirements.helpers.needs import gradients
from conformance.requirements.variations import layer_alone
from reference import Array, Case, trace
from reference.bounds import float64
from reference.products import gamma, projection_error


@requirement(
    source="PyTorch documentation, notes on CUDA semantics: float32 products are cut to TF32 only "
    "where that is allowed",
    level="core",
    dtypes=["float64", "float32"],
    weights=["zeros", "one", "default", "unit", "small"],
    share_of_cases=0.5,
)
def results_have_full_precision(implementation: Implementation, case: Case) -> float:
    """In float64 and float32 nothing is computed in a narrower type, such as TF32 or bfloat16."""
    return against_reference(implementation, case)


ACCUMULATED = (
    "PyTorch documentation, notes on numerical accuracy: half-precision products of matrices are "
    "accumulated in single precision"
)
HUNDREDS = 256
"""About how many products of each sign :func:`long_sums_are_accumulated_in_float32` adds up."""
_SUMS: dict[str, Any] = {
    "dtypes": ["float16", "bfloat16"],
    "share_of_cases": 0.5,
    "hidden_size": (1, 8),
    "seq_len": (1, 4),
    "batch_size": (1, 6),
}


@requirement(source=ACCUMULATED, level="core", **_SUMS)
def long_sums_are_accumulated_in_float32(implementation: Implementation, case: Case) -> float:
    """In float16 and bfloat16, sums of many products are accumulated in float32.

    The features of the input are repeated, first with their weights, then with the negated weights,
    so that all products cancel. Partial sums rounded to 16 bits would leave more than the rounding
    bound, which is for sums in float32, allows. So do products with recurrent weights, with the
    input of an upper layer, and with a projection: there the factors are known exactly, as they are
    given or saturated.
    """
    share = against_reference(implementation, _with_repeated_features(case))
    step = ordinary(case)
    if implementation.supports.lacking_for(step):
        return share
    share = max(share, against_reference(implementation, with_recurrent_sums(step)))
    layers, model = step.configuration.num_layers, arithmetic(step, implementation)
    if not saturates(model):
        return share
    for layer in range(1, layers):
        share = max(share, _sums_of_saturated_inputs(implementation, step, layer))
    if step.configuration.proj_size:
        for layer in range(layers):
            share = max(share, _projections_of_ones(implementation, step, layer))
    return share


def _with_repeated_features(case: Case) -> Case:
    times = HUNDREDS // case.configuration.input_size
    parameters = {
        name: np.concatenate([np.tile(array, times), np.tile(-array, times)], axis=1)
        if name.startswith("weight_ih_l0")
        else array
        for name, array in case.parameters.items()
    }
    features = 2 * times * case.configuration.input_size
    return replace(
        case,
        configuration=replace(case.configuration, input_size=features),
        parameters=parameters,
        input=np.tile(case.input, 2 * times),
    )


def _sums_of_saturated_inputs(implementation: Implementation, step: Case, layer: int) -> float:
    """Compare a `layer` with the same layer alone whose input is ones."""
    of = step.configuration
    given = with_input_sums(step, layer)
    result = run(implementation, given)
    alone = layer_alone(given, layer, of.num_directions * of.output_size)
    known = truth(replace(alone, input=np.ones_like(alone.input)), implementation)
    here = slice(layer * of.num_directions, (layer + 1) * of.num_directions)
    share = 0.0
    for name in ("h_n", "c_n"):
        got = getattr(result, name)[here]
        share = max(
            share, close(name, got, *(getattr(r, name) for r in (known.result, known.bound)))
        )
    if layer == of.num_layers - 1:
        share = max(share, close("output", result.output, known.result.output, known.bound.output))
    return share


def _projections_of_ones(implementation: Implementation, step: Case, layer: int) -> float:
    """Compare h_n of a `layer` whose units are all 1 with the sums of its projection's rows."""
    given = with_projected_sums(step, layer)
    result, evaluated = run(implementation, given), trace(given)
    model, share = arithmetic(given, implementation), 0.0
    for slot, of in enumerate(evaluated.layers):
        if slot // step.configuration.num_directions == layer:
            weight, of_step = float64(of.weights).weight_hr, float64(of.steps[0])
            assert weight is not None
            allowed = projection_error(of_step, weight, np.zeros(of_step.h_full.shape), model)
            if "h_n" not in implementation.supports.results:
                allowed = allowed + np.inf
            share = max(share, close("h_n", result.h_n[slot], of.h_n, allowed))
    return share


@requirement(source=ACCUMULATED, applies=gradients, **{**_SUMS, "level": "training"})
def sums_of_gradients_are_accumulated_in_float32(
    implementation: Implementation, case: Case
) -> float:
    """In float16 and bfloat16, gradients by the input and by h_0 are accumulated in float32.

    They are products with weights that cancel. The other factor is the gradient of c_n, which open
    gates and the tanh of 0 hand on exactly.
    """
    step = with_gradient_sums(ordinary(case))
    model, directions = arithmetic(step, implementation), step.configuration.num_directions
    returned = "c_n" in implementation.supports.results
    if implementation.supports.lacking_for(step) or not returned or not saturates(model):
        return 0.0
    zeros, hidden = cotangents(step, ()), step.configuration.hidden_size
    handed = np.tile(cotangents(step, ("c_n",)).c_n[..., : hidden // 2], 2)
    got = gradients_of(implementation, step, replace(zeros, c_n=handed), ("c_n",))
    terms = gamma(4 * hidden, model) * (1 + 4 * model.unit_roundoff)
    allowed: dict[str, list[Array]] = {"h_0": [], "input": []}
    for slot, suffix in enumerate(step.configuration.suffixes()):
        of_step = np.abs(handed[slot].astype(np.float64))
        for name, weight in (("h_0", "weight_hh"), ("input", "weight_ih")):
            rows = step.parameters[weight + suffix][2 * hidden : 3 * hidden].astype(np.float64)
            if name == "h_0" or slot < directions:
                allowed[name].append(terms * of_step @ np.abs(rows))
    bound = {"h_0": np.stack(allowed["h_0"])}
    bound["input"] = step.user_order(np.sum(allowed["input"], axis=0)[None])
    named = {name: got[name] for name in bound if name in got}
    return close_gradients(named, {n: np.zeros(b.shape) for n, b in bound.items()}, bound)


@requirement(source=ACCUMULATED, applies=gradients, should=True, **{**_SUMS, "level": "training"})
def gradients_are_summed_over_rows_in_float32(implementation: Implementation, case: Case) -> float:
    """In float16 and bfloat16, gradients by weights and biases are summed over rows in float32.

    The products in a sum cancel, and their factors are known exactly: the input or h_0, and the
    gradient of c_n, which open gates and the tanh of 0 hand on. There is one step, as an LSTM may
    add up steps in the dtype. One that computes row by row has only the dtype to sum in.
    """
    step = with_row_sums(ordinary(case))
    model, of = arithmetic(step, implementation), step.configuration
    returned = "c_n" in implementation.supports.results
    if implementation.supports.lacking_for(step) or not returned or not saturates(model):
        return 0.0
    zeros = cotangents(step, ())
    rng = np.random.default_rng(zlib.crc32(case.input.tobytes()))
    half = rng.uniform(0.5, 1, (len(zeros.c_n), zeros.c_n.shape[1] // 2, of.hidden_size))
    handed = np.concatenate([half, -half], axis=1).astype(case.dtype.numpy)
    got = gradients_of(implementation, step, replace(zeros, c_n=handed), ("c_n",))
    bound: dict[str, Array] = {}
    terms = gamma(handed.shape[1], model) * (1 + 4 * model.unit_roundoff)
    x = step.time_major(step.input)[0].astype(np.float64)
    for slot, suffix in enumerate(of.suffixes()):
        adjoint = np.abs(handed[slot].astype(np.float64)).T
        factors = {"weight_hh": step.h_0[slot].astype(np.float64), "bias_ih": np.ones(len(x))}
        if slot < of.num_directions:
            factors["weight_ih"] = x
        factors["bias_hh"] = factors["bias_ih"]
        for name, factor in factors.items():
            bound[name + suffix] = np.zeros(step.parameters[name + suffix].shape)
            candidate = slice(2 * of.hidden_size, 3 * of.hidden_size)
            bound[name + suffix][candidate] = terms * adjoint @ factor
    named = {name: got[name] for name in bound if name in got}
    return close_gradients(named, {n: np.zeros(b.shape) for n, b in bound.items()}, bound)
