"""Comparing results element by element, each with its own bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.checking.truth import is_small, judged, truth
from conformance.implementations.failures import Quantity, WrongAttribute, WrongElement
from conformance.implementations.implementation import Implementation, run
from conformance.recording.ending import Ending
from conformance.recording.noting import bind, compared
from conformance.recording.steps import Comparison
from reference import Array, Case, Result


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
