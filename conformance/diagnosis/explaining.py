"""Telling what equals, or is consistent with, wrong results."""

from __future__ import annotations

import numpy as np

from conformance.checking.comparison import arithmetic, shares, truth
from conformance.diagnosis.alternatives import AlteredLSTM, hypotheses
from conformance.diagnosis.parting import right
from conformance.diagnosis.precision import consistent_with, returns_numbers_of
from conformance.diagnosis.recording import Recording
from conformance.diagnosis.richer import dense, larger, one_step
from conformance.implementations.implementation import precision
from reference import DTYPES, Case, Result, trace

MOST = 3
"""How many explanations are given."""

TELLING = 3
"""How many times its bound a hypothesis must be from the truth in the larger cases."""

NEAR, ROUGHLY = 2.0**-10, 2.0**-3
"""How near a hypothesis must come, relative to 1 or the largest element, to be tried.

The second where that cannot be expected: in 16 bits, or where another precision is declared.
"""


def explained(recording: Recording, case: Case, got: Result) -> list[str]:
    """What equals, or is consistent with, the results of `case` and of larger ones of its kind."""
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
    if any(right(answer, truth(each, recording.implementation)) for each, answer in observed[2:]):
        return []
    near = [
        each for each in near if all(_is_telling(recording, each, case) for case, _ in observed[2:])
    ]
    also = f"here and in {len(observed) - 1} further cases"
    told = [
        f"The results equal those of an LSTM {each.says}, {also}."
        for each in _distinct(near, observed[-1][0])[:MOST]
    ]
    return told or _precision_told(recording, observed, also)


def _distinct(hypotheses: list[AlteredLSTM], case: Case) -> list[AlteredLSTM]:
    """Without those that give the same numbers for `case` as a simpler one, which they then are."""
    distinct: dict[bytes, AlteredLSTM] = {}
    for each in hypotheses:
        known = each.compute(case, bounded=False)
        assert known is not None
        bits = b"".join(
            (array.astype(np.float64) + 0).tobytes() for _, array in known.result.items()
        )
        distinct.setdefault(bits, each)
    return list(distinct.values())


def _fits(recording: Recording, hypothesis: AlteredLSTM, case: Case, got: Result) -> bool:
    """Whether `got` is what the hypothesis makes of `case`, but for rounding."""
    declared = bool(precision(recording.implementation).described())
    near = (
        ROUGHLY if declared or case.dtype.unit_roundoff > DTYPES["float32"].unit_roundoff else NEAR
    )
    rough = hypothesis.compute(case, bounded=False)
    if rough is None:
        return False
    for (_, array), (_, expected) in zip(got.items(), rough.result.items(), strict=True):
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
    return right(got, known)


def _is_telling(recording: Recording, hypothesis: AlteredLSTM, case: Case) -> bool:
    """Whether rounding cannot make what it computes of `case` look like anything near the truth.

    In a coarse dtype many small changes lie within the bounds of each other.
    """
    known = hypothesis.compute(case, arithmetic(case, recording.implementation))
    true = trace(case).result
    assert known is not None
    return any(
        array.shape != expected.shape or (shares(array, expected, TELLING * bound) > 1).any()
        for (_, array), (_, expected), (_, bound) in zip(
            known.result.items(), true.items(), known.bound.items(), strict=True
        )
    )


def _precision_told(
    recording: Recording, observed: list[tuple[Case, Result]], also: str
) -> list[str]:
    """What there is to say of the precision in which the results were computed."""
    dtype = returns_numbers_of(observed)
    if dtype is not None:
        return [f"Every number returned is a number of {dtype.name}, {also}."]
    single, exact = (one_step(observed[0][0], exact=exact) for exact in (False, True))
    answers = recording.answer(single), recording.answer(exact)
    if answers[0] is None or answers[1] is None:
        return []
    dtype = consistent_with(recording, observed, (single, answers[0]), (exact, answers[1]))
    if dtype is None:
        return []
    errors = f"The errors are no larger than rounding to {dtype.name} inside can make them"
    return [f"{errors}, {also}, and vanish where it loses nothing."]
