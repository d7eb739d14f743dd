"""Explaining wrong results: altered LSTMs, or coarser arithmetics, that give the same results."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from conformance.checking.comparison import shares
from conformance.checking.truth import arithmetic, judged
from conformance.diagnosis.alternatives import AlteredLSTM, hypotheses
from conformance.diagnosis.alternatives.clipped import CLIPPED
from conformance.diagnosis.parting import right
from conformance.diagnosis.precision import (
    Observation,
    claimed,
    consistent_activations,
    consistent_with,
    returns_numbers_of,
)
from conformance.diagnosis.recording import Recording
from conformance.diagnosis.richer import dense, extreme, larger, one_step
from conformance.implementations.implementation import precision
from reference import DTYPES, Arithmetic, Case, Precision, Result, trace

MOST = 3
"""The largest number of explanations that are given."""

TELLING = 3
"""How many times its bound a hypothesis must be from the truth in the larger cases to be named."""

NEAR, ROUGHLY = 2.0**-10, 2.0**-3
"""How near a hypothesis must come, relative to 1 or the largest element, to be compared exactly.

`ROUGHLY` is for 16 bits and for a declared precision, where rounding alone takes results further.
"""

INSIDE = "float32"
"""The dtype in which libraries for deployment compute whatever they are given."""


def explained(recording: Recording, case: Case, got: Result) -> list[str]:
    """List what gives the results `got` of `case` and the results of larger cases of its kind.

    A constant comes first, then altered LSTMs, then those that clip, then altered LSTMs that
    compute in a narrower dtype inside, and last inaccurate activations and narrower dtypes alone.
    """
    observed = [(case, got)]
    for each in (dense(case, 1), larger(case, 2), larger(case, 3)):
        answer = recording.answer(each)
        if answer is None:
            return []
        observed.append((each, answer))
    constant = _constant(recording, observed)
    if constant:
        return [constant]
    own = arithmetic(case, recording.implementation)
    if any(_is_right(recording, *each) for each in observed[2:]):
        return _explained_by_clipping(recording, case, got, own)
    return (
        _explained_by(recording, hypotheses(case), observed, own)
        or _explained_by_clipping(recording, case, got, own)
        or _explained_inside(recording, observed)
        or _explained_by_precision(recording, observed)
    )


def _constant(recording: Recording, observed: Sequence[Observation]) -> str:
    """Describe the number that every element of all results is, "" if it is not one or 0."""
    found = {
        number
        for _, got in observed
        for name in recording.supports.results
        for number in np.unique(getattr(got, name).astype(np.float64)).tolist()
    }
    if len(found) != 1 or 0 in found:
        return ""
    return f"Every number returned is {found.pop():g}, {_further(len(observed) - 1)}."


def _is_right(recording: Recording, case: Case, got: Result) -> bool:
    return right(got, judged(recording.implementation, case, got))


def _further(count: int) -> str:
    return f"here and in {count} further cases"


def _explained_by(
    recording: Recording,
    among: Iterable[AlteredLSTM],
    observed: Sequence[Observation],
    of: Arithmetic,
    inside: str = "",
) -> list[str]:
    """List which altered LSTMs give all results by the arithmetic `of`, the first by far as many.

    A hypothesis is dropped as soon as one case contradicts it. All cases but the first two must
    tell it from the truth. `inside` is what to say of the arithmetic.
    """
    near = []
    for hypothesis in among:
        recording.in_time()
        if all(_fits(recording, hypothesis, case, got, of) for case, got in observed):
            near.append(hypothesis)
    telling = [case for case, _ in observed[2:]]
    near = [each for each in near if all(_is_telling(recording, each, t, of) for t in telling)]
    distinct = _distinct(near, observed[-1][0], recording.supports.results)[:MOST]
    also = _further(len(observed) - 1)
    return [f"The results equal those of an LSTM {each.says}{inside}, {also}." for each in distinct]


def _explained_by_clipping(
    recording: Recording, case: Case, got: Result, of: Arithmetic
) -> list[str]:
    """List which limits explain the results of `case` and of two extreme ones.

    With ordinary numbers the results of an LSTM that clips are right.
    """
    observed = [(case, got)]
    for seed in (5, 6):
        another = extreme(case, seed)
        answer = recording.answer(another)
        if answer is None or _is_right(recording, another, answer):
            return []
        observed.append((another, answer))
    # an extreme case is small, and contradicts most limits
    near = [each for each in CLIPPED if _fits(recording, each, *observed[1], of)]
    return _explained_by(recording, near, observed, of)


def _explained_inside(recording: Recording, observed: Sequence[Observation]) -> list[str]:
    """List which altered LSTMs give all results if they compute in float32 inside."""
    case = observed[0][0]
    if case.dtype.unit_roundoff >= DTYPES[INSIDE].unit_roundoff:
        return []
    narrow = Arithmetic.of(case.dtype, Precision(storage=INSIDE))
    inside = f" and computes in {INSIDE} inside"
    return _explained_by(recording, hypotheses(case), observed, narrow, inside)


def _distinct(
    hypotheses: list[AlteredLSTM], case: Case, returned: Collection[str]
) -> list[AlteredLSTM]:
    """Drop hypotheses that give the same numbers for `case` as a simpler one, listed earlier.

    Only results that are `returned` count.
    """
    distinct: dict[bytes, AlteredLSTM] = {}
    for each in hypotheses:
        known = each.compute(case, bounded=False)
        assert known is not None
        bits = b"".join(
            (getattr(known.result, name).astype(np.float64) + 0).tobytes() for name in returned
        )
        distinct.setdefault(bits, each)
    return list(distinct.values())


def _fits(
    recording: Recording, hypothesis: AlteredLSTM, case: Case, got: Result, of: Arithmetic
) -> bool:
    """Whether `got` is what the hypothesis computes for `case`, up to rounding.

    The bound is costly, so a rough comparison without it comes first.
    """
    declared = bool(precision(recording.implementation).described())
    coarse = max(of.unit_roundoff, case.dtype.unit_roundoff) > 2 * DTYPES["float32"].unit_roundoff
    near = ROUGHLY if declared or coarse else NEAR
    rough = hypothesis.compute(case, bounded=False)
    if rough is None:
        return False
    for name in recording.supports.results:
        array, expected = getattr(got, name), getattr(rough.result, name)
        if array.shape != expected.shape:
            return False
        wide = expected.astype(np.float64)
        with np.errstate(all="ignore"):
            distance = np.abs(array.astype(np.float64) - wide).max(initial=0)
        if not distance <= near * max(1, np.abs(wide).max(initial=0)):
            return False
    known = hypothesis.compute(case, of)
    if known is None or not all(np.isfinite(bound).all() for _, bound in known.bound.items()):
        return False
    return right(got, claimed(known, recording.supports.results))


def _is_telling(recording: Recording, hypothesis: AlteredLSTM, case: Case, of: Arithmetic) -> bool:
    """Whether the hypothesis differs from the truth on `case` by clearly more than rounding.

    In a coarse dtype the results of many small changes lie within the bounds of each other.
    """
    known = hypothesis.compute(case, of)
    true = trace(case).result
    assert known is not None
    return any(
        array.shape != expected.shape or (shares(array, expected, TELLING * bound) > 1).any()
        for array, expected, bound in (
            (getattr(each, name) for each in (known.result, true, known.bound))
            for name in recording.supports.results
        )
    )


def _explained_by_precision(recording: Recording, observed: Sequence[Observation]) -> list[str]:
    """Describe what coarser arithmetic explains the results, the simplest first.

    That is a dtype that holds every result, or else sigmoid and tanh as inaccurate as measured, or
    else a dtype in which results can have been computed.
    """
    also = _further(len(observed) - 1)
    dtype = returns_numbers_of(observed, recording.supports.results)
    if dtype is not None:
        return [f"Every number returned can be stored exactly in {dtype.name}, {also}."]
    off = consistent_activations(recording, observed)
    if off:
        return [f"The errors are no larger than {off} can make them, {also}."]
    single, exact = (one_step(observed[0][0], exact=exact) for exact in (False, True))
    answers = recording.answer(single), recording.answer(exact)
    if answers[0] is None or answers[1] is None:
        return []
    dtype = consistent_with(recording, observed, (single, answers[0]), (exact, answers[1]))
    if dtype is None:
        return []
    errors = f"The errors are no larger than rounding to {dtype.name} inside can make them"
    return [f"{errors}, {also}, and vanish where such rounding loses nothing."]
