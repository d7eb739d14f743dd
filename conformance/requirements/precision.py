"""Requirements on precision: that of the dtype, and float32 sums for dtypes of 16 bits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from conformance.checking.comparison import against_reference, close
from conformance.checking.requirement import requirement
from conformance.checking.truth import arithmetic, truth
from conformance.implementations.implementation import Implementation, run
from conformance.requirements.helpers.cancelling import (
    ordinary,
    saturates,
    with_input_sums,
    with_projected_sums,
    with_recurrent_sums,
)
from conformance.requirements.parts import layer_alone
from reference import Case, trace
from reference.bounds import float64
from reference.products import projection_error

TF32 = (
    "PyTorch documentation, notes on CUDA semantics: float32 products are cut to TF32 only where "
    "that is allowed"
)


@requirement(
    source=TF32,
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
SUMS: dict[str, Any] = {
    "dtypes": ["float16", "bfloat16"],
    "share_of_cases": 0.7,
    "hidden_size": (1, 8),
    "seq_len": (1, 4),
    "batch_size": (1, 6),
}


@requirement(source=ACCUMULATED, level="core", **SUMS)
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
