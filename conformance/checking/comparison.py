"""Comparing results element by element, each with its own bound."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from conformance.checking.activations import judging
from conformance.implementations.failures import Quantity, WrongAttribute, WrongElement
from conformance.implementations.implementation import Implementation, run
from conformance.recording.ending import Ending
from conformance.recording.noting import bind, compared
from conformance.recording.steps import Comparison
from reference import RESULTS, Arithmetic, Array, Case, Result, forward_bound, local_bound, trace
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


def agree(got: Result, expected: Result, bound: Result) -> float:
    """Compare results; returns the largest distance as a share of its bound, over all arrays.

    Raises :class:`~conformance.Mismatch` at the first array with a wrong shape or with an element
    off by more than its bound; the element shown is the one furthest off as a share of its bound.
    """
    pairs = zip(got.items(), expected.items(), bound.items(), strict=True)
    return max(close(name, g, e, b) for (name, g), (_, e), (_, b) in pairs)


LARGE = 4096
"""The size of arrays of which a script compares only what is near the wrong element."""


def close(
    name: str,
    got: Array,
    expected: Array,
    bound: Array | float,
    *,
    quantity: Quantity = Quantity.RESULT,
    ending: Callable[[tuple[int, ...]], Ending | None] | None = None,
    own: bool = False,
) -> float:
    """Compare as :func:`agree` one array called `name`, which holds a `quantity`.

    NaN agrees with NaN and an infinity with the same infinity. Where `expected` is finite and
    the bound is not, any value agrees. `ending` gives the ending of a script from the place of
    the wrong element, where a comparison of both arrays cannot be written. With `own`, what is
    expected follows from the implementation's own results, and no script compares with it.
    """
    if got.shape != expected.shape:
        raise WrongAttribute(name, "shape", got.shape, expected.shape, got)
    if not got.size:
        return 0.0
    limit = np.broadcast_to(np.asarray(bound, np.float64), got.shape)
    share = shares(got, expected, limit)
    worst = np.unravel_index(np.argmax(share), share.shape)
    largest = float(share[worst])
    if largest > 1:
        place = tuple(map(int, worst))
        raise WrongElement(
            name,
            f"[{', '.join(map(str, place))}]" if place else "",
            number(got[worst]),
            number(expected[worst]),
            float(limit[worst]),
            quantity=quantity,
            arrays=None if own else _compared(got, expected, limit, place),
            values=(got, expected, limit),
            ending=ending(place) if ending else None,
        )
    return largest


def _compared(
    got: Array, expected: Array, limit: Array, place: tuple[int, ...]
) -> Comparison | None:
    """Describe the comparison for a script, of a large array the part near the wrong `place`."""
    if got.size <= LARGE:
        return compared(got, expected, limit)
    *before, last = place
    part = slice(last, last + 8)
    here: Any = (*before, part)
    text = f"[{', '.join(map(str, before))}, {part.start}:{part.stop}]"
    parts = got[here], expected[here], limit[here]
    for whole, cut in zip((got, expected), parts, strict=False):
        bind(cut, whole, text)
    near = compared(*parts)
    return None if near is None else replace(near, part=text)


def shares(got: Array, expected: Array, limit: Array) -> Array:
    """Divide the distance of each element of `got` from `expected` by `limit`; see :func:`close`.

    All three have the same shape.
    """
    with np.errstate(all="ignore"):
        wide = np.asarray(expected, np.result_type(expected.dtype, np.float64))
        distance = np.abs(got.astype(wide.dtype) - wide)
        same = (got == expected) | (np.isnan(wide) & np.isnan(got.astype(np.float64)))
        share = np.where(limit > 0, distance / np.where(limit > 0, limit, 1), np.inf)
        share = np.where(same, 0, np.where(np.isnan(share), np.inf, share))
        return np.where(np.isfinite(wide) & ~np.isfinite(limit), 0, share)


def number(value: Any) -> str:
    """Write a value with as many digits as distinguish it from its neighbours, at most 17."""
    return repr(float(value))


def plus(first: Result, second: Result) -> Result:
    """Add two bounds, for a comparison of two runs."""
    pairs = zip(first.items(), second.items(), strict=True)
    return Result.of(a + b for (_, a), (_, b) in pairs)


def nothing(result: Result) -> Result:
    """Give the bound of zeros, which allows `result` itself only."""
    return Result.of(np.zeros(array.shape) for _, array in result.items())


def against_reference(
    implementation: Implementation, case: Case, got: Result | None = None
) -> float:
    """Run `case`, or take what it `got`, and compare with the reference; returns the share.

    If possible, the element shown is wrong whatever the implementation returned for earlier ones.
    """
    got = run(implementation, case) if got is None else got
    known = judged(implementation, case, got)
    try:
        return agree(got, known.result, known.bound)
    except WrongElement as failure:
        found = failure
    if known.own:
        if is_small(case):
            whole = truth(case, implementation)
            agree(got, whole.result, whole.bound)
        found.arrays = None
    raise found


def same_results(
    implementation: Implementation,
    case: Case,
    other: Case,
    turned: Callable[[Result], Result] = lambda result: result,
) -> float:
    """Run two cases; the results of `case` agree with those of `other`, each `turned`.

    The sum of the bounds of both is allowed. As the cases are equivalent, these are the same.
    """
    bound = turned(truth(other, implementation).bound)
    got = run(implementation, case)
    return agree(got, turned(run(implementation, other)), plus(bound, bound))
