"""Requirements on precision: that of the dtype, and float32 sums for dtypes of 16 bits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conformance.checking.comparison import against_reference
from conformance.checking.requirement import requirement
from conformance.implementations.implementation import Implementation
from reference import Case


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


HUNDREDS = 256
"""About how many products of each sign :func:`long_sums_are_accumulated_in_float32` adds up."""


@requirement(
    source="PyTorch documentation, notes on numerical accuracy: half-precision products of "
    "matrices are accumulated in single precision",
    level="core",
    dtypes=["float16", "bfloat16"],
    share_of_cases=0.5,
    hidden_size=(1, 8),
    seq_len=(1, 4),
    batch_size=(1, 6),
)
def long_sums_are_accumulated_in_float32(implementation: Implementation, case: Case) -> float:
    """In float16 and bfloat16, sums of hundreds of products are accumulated in float32.

    The features of the input are repeated, first with their weights, then with the negated weights,
    so that all products cancel. Partial sums rounded to 16 bits would leave more than the rounding
    bound, which is for sums in float32, allows.
    """
    times = HUNDREDS // case.configuration.input_size
    parameters = {
        name: np.concatenate([np.tile(array, times), np.tile(-array, times)], axis=1)
        if name.startswith("weight_ih_l0")
        else array
        for name, array in case.parameters.items()
    }
    features = 2 * times * case.configuration.input_size
    return against_reference(
        implementation,
        replace(
            case,
            configuration=replace(case.configuration, input_size=features),
            parameters=parameters,
            input=np.tile(case.input, 2 * times),
        ),
    )
