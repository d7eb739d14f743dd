"""Comparing gradients with those of back-propagation through time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from conformance.checking.comparison import close
from conformance.checking.truth import arithmetic
from conformance.implementations.failures import Quantity
from conformance.implementations.implementation import (
    Implementation,
    documented_shapes,
    is_differentiable,
    offered_gradients,
)
from conformance.implementations.torch_module import is_torch_module
from conformance.requirements.helpers.needs import and_also, gradients, torch_module
from conformance.requirements.helpers.torch_only import autograd
from reference import Array, Case, Result, backward, gradient_bound, trace

ALL = ("output", "h_n", "c_n")


CASES: dict[str, Any] = {
    "level": "training",
    "hidden_size": (1, 9),
    "input_size": (1, 9),
    "seq_len": (1, 12),
    "batch_size": (1, 6),
    "num_layers": (1, 3),
    "gradients": True,
    "share_of_cases": 0.5,
}
module_gradients = and_also(torch_module, gradients)


def cotangents(case: Case, of: Collection[str] = ALL) -> Result:
    """Make small simple cotangents of each result, zero for what is not in `of`."""
    arrays = []
    for shape in documented_shapes(case).values():
        pattern = 1 - np.arange(np.prod(shape, dtype=int)) * 5 % 7 / 4
        arrays.append(pattern.reshape(shape).astype(case.dtype.numpy))
    return Result.of(arrays).only(of, 0)


def close_gradients(
    got: Mapping[str, Array],
    expected: Mapping[str, Array],
    bound: Mapping[str, Array],
    times: int = 1,
    own: bool = False,
) -> float:
    """Compare gradients with `times` the expected ones; returns the largest error / bound.

    `own` says that these follow from the implementation's own gradients; see :func:`close`.
    Raises :class:`~conformance.Mismatch` if an error exceeds its bound.
    """
    missing = set(got) - set(expected)
    assert not missing, missing
    return max(
        close(
            f"gradient of {name}",
            got[name],
            times * expected[name],
            times * bound[name],
            quantity=Quantity.GRADIENT,
            own=own,
        )
        for name in got
    )


def true_gradients(
    implementation: Implementation, case: Case, weights: Result
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Compute the true gradients, and their bounds for the precision of `implementation`."""
    evaluated = trace(case)
    bound = gradient_bound(evaluated, weights, arithmetic(case, implementation))
    return backward(evaluated, weights), bound


def gradients_of(
    implementation: Implementation,
    case: Case,
    weights: Result,
    of: Collection[str],
    train: bool = True,
) -> Mapping[str, Array]:
    """Get the gradients of `case` by name: by autograd of a torch module, else by `gradients`."""
    if is_torch_module(implementation):
        return autograd(implementation, case, weights, of, train=train)
    assert is_differentiable(implementation)
    return offered_gradients(implementation, case, weights)
