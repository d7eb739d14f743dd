"""What each element of the results of a case should be, and within which bound."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from conformance.checking.activations import judging
from conformance.implementations.implementation import Implementation
from reference import RESULTS, Arithmetic, Case, Result, forward_bound, local_bound, trace
from reference.arithmetic import largest


@dataclass(frozen=True, eq=False)
class Truth:
    """The true result of a case, and for each element how far a correct one may be from it.

    `own`: whether elements follow from earlier ones that the implementation itself returned, so
    that another implementation may return something else.
    """

    result: Result
    bound: Result
    own: bool = False


def arithmetic(case: Case, implementation: Implementation) -> Arithmetic:
    """That by which `implementation` is judged in the case's dtype and on its device.

    Code for CUDA may take subnormal float32 numbers for zero (nvcc documentation, ``--ftz``); the
    backward pass of cuDNN does.
    """
    model = Arithmetic.of(case.dtype, judging(implementation, case.dtype, case.device))
    flushes = case.device.startswith("cuda") and case.dtype.name == "float32"
    return model.flushing(_largest(case)) if flushes else model


def _largest(case: Case) -> float:
    """Bound every number of the forward pass.

    c grows by at most 1 in a step, and a projected h is a sum over hidden_size.
    """
    parameters = case.parameters
    states = [array for array in (case.h_0, case.c_0) if array is not None]
    projecting = [array for name, array in parameters.items() if "weight_hr" in name]
    return max(
        largest(*parameters.values()),
        largest(case.input, *states) + case.seq_len,
        case.configuration.hidden_size * largest(*projecting) if projecting else 1.0,
    )


def truth(case: Case, implementation: Implementation) -> Truth:
    """Evaluate the reference, and the bound for the precision by which `implementation` is judged.

    A result that `implementation` does not return has an infinite bound, so that it always agrees.
    """
    return _truth(case, arithmetic(case, implementation), tuple(implementation.supports.results))


@lru_cache(maxsize=64)
def _truth(case: Case, arithmetic: Arithmetic, returned: tuple[str, ...]) -> Truth:
    evaluated = trace(case)
    bound = forward_bound(evaluated, arithmetic)
    return Truth(evaluated.result, claimed(bound, returned))


def claimed(bound: Result, returned: Collection[str]) -> Result:
    """Claim nothing of the results that an implementation does not return."""
    return bound.only(returned, np.inf)


def judged(implementation: Implementation, case: Case, got: Result) -> Truth:
    """Give what each element of `got` should be, by whichever bound is the smaller one.

    For one layer whose output comes back, :func:`reference.local_bound` takes each step from the
    h that the implementation itself returned for the step before. Cases for which the bound of
    :func:`truth` is too costly are judged by that alone, and of such a case with several layers
    nothing is claimed.
    """
    returned = implementation.supports.results
    seen = "output" in returned and got.output.shape == case.output_shape()
    if case.configuration.num_layers > 1 or not seen:
        return truth(case, implementation) if is_small(case) else Truth(got, claimed(got, ()))
    expected, bound = local_bound(case, got.output, arithmetic(case, implementation))
    near = Truth(expected, claimed(bound, returned), own=True)
    return _smaller(near, truth(case, implementation)) if is_small(case) else near


def is_small(case: Case) -> bool:
    """Whether errors can be carried through all steps of `case` by matrices, in half a second."""
    c = case.configuration
    layers = c.num_layers * c.num_directions
    cost = layers * case.batch_size * c.hidden_size**3 * case.seq_len**2
    return cost <= 2**26


def _smaller(near: Truth, whole: Truth) -> Truth:
    """Take of each element the smaller of two bounds, and what it should be by that."""
    results, bounds = [], []
    for name in RESULTS:
        of = [getattr(each, name) for each in (near.result, whole.result, near.bound, whole.bound)]
        smaller = of[2] < of[3]  # not where a step before has returned NaN or infinity
        results.append(np.where(smaller, of[0], of[1]))
        bounds.append(np.where(smaller, of[2], of[3]))
    return Truth(Result.of(results), Result.of(bounds), own=True)
