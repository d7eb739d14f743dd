"""Explaining wrong results: altered LSTMs, or coarser arithmetics, that give the same results."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from conformance.checking.comparison import arithmetic, judged, shares
from conformance.diagnosis.alternatives import AlteredLSTM, hypotheses
from conformance.diagnosis.parting import right
from conformance.diagnosis.precision import claimed, consistent_with, returns_numbers_of
from conformance.diagnosis.recording import Recording
from conformance.diagnosis.richer import dense, larger, one_step
from conformance.implementations.implementation import precision
from reference import DTYPES, Case, Result, trace

MOST = 3
"""The largest number of explanations that are given."""

TELLING = 3
"""How many times its bound a hypothesis must be from the truth in the larger cases to be named."""

NEAR, ROUGHLY = 2.0**-10, 2.0**-3
"""How near a hypothesis must come, relative to 1 or the largest element, to be compared exactly.

`ROUGHLY` is for 16 bits and for a declared precision, where rounding alone takes results further.
"""


def explained(recording: Recording, case: Case, got: Result) -> list[str]:
    """List what gives the results `got` of `case` and the results of larger cases of its kind.

    A hypothesis is dropped as soon as one case contradicts it. Nothing is explained if a larger
    case has right results or none.
    """
    near = []
    for hypothesis in hypotheses(case):
        recording.in_time()
        if _fits(recording, hypothesis, case, got):
            near.append(hypothesis)
    observed = [(case, got)]
    for each in (dense(case, 1), larger(case, 2), larger(case, 3)):
        answer = recording.answer(each)
        if answer is None:
            return []
        near = [hypothesis for hypothesis in near if _fits(recording, hypothesis, each, answer)]
        observed.append((each, answer))
    further = [
        (each, answer, judged(recording.implementation, each, answer))
        for each, answer in observed[2:]
    ]
    if any(right(answer, known) for _, answer, known in further):
        return []
    near = [
        each for each in near if all(_is_telling(recording, each, case) for case, _ in observed[2:])
    ]
    also = f"here and in {len(observed) - 1} further cases"
    explanations = [
        f"The results equal those of an LSTM {each.says}, {also}."
        for each in _distinct(near, observed[-1][0], recording.supports.results)[:MOST]
    ]
    return explanations or _explained_by_precision(recording, observed, also)


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


def _fits(recording: Recording, hypothesis: AlteredLSTM, case: Case, got: Result) -> bool:
    """Whether `got` is what the hypothesis computes for `case`, up to rounding.

    The bound is costly, so a rough comparison without it comes first.
    """
    declared = bool(precision(recording.implementation).described())
    near = (
        ROUGHLY if declared or case.dtype.unit_roundoff > DTYPES["float32"].unit_roundoff else NEAR
    )
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
    known = hypothesis.compute(case, arithmetic(case, recording.implementation))
    if known is None or not all(np.isfinite(bound).all() for _, bound in known.bound.items()):
        return False
    return right(got, claimed(known, recording.supports.results))


def _is_telling(recording: Recording, hypothesis: AlteredLSTM, case: Case) -> bool:
    """Whether the hypothesis differs from the truth on `case` by clearly more than rounding.

    In a coarse dtype the results of many small changes lie within the bounds of each other.
    """
    known = hypothesis.compute(case, arithmetic(case, recording.implementation))
    true = trace(case).result
    assert known is not None
    return any(
        array.shape != expected.shape or (shares(array, expected, TELLING * bound) > 1).any()
        for array, expected, bound in (
            (getattr(each, name) for each in (known.result, true, known.bound))
            for name in recording.supports.results
        )
    )


def _explained_by_precision(
    recording: Recording, observed: list[tuple[Case, Result]], also: str
) -> list[str]:
    """Describe in which coarser dtype results were stored or computed, if that explains them."""
    dtype = returns_numbers_of(observed, recording.supports.results)
    if dtype is not None:
        return [f"Every number returned can be stored exactly in {dtype.name}, {also}."]
    single, exact = (one_step(observed[0][0], exact=exact) for exact in (False, True))
    answers = recording.answer(single), recording.answer(exact)
    if answers[0] is None or answers[1] is None:
        return []
    dtype = consistent_with(recording, observed, (single, answers[0]), (exact, answers[1]))
    if dtype is None:
        return []
    errors = f"The errors are no larger than rounding to {dtype.name} inside can make them"
    return [f"{errors}, {also}, and vanish where such rounding loses nothing."]
