"""Telling which gradients are wrong, and what equals them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from conformance.checking.comparison import arithmetic, shares, truth
from conformance.checking.verdict import Diagnosis
from conformance.diagnosis.alternatives.backward import BACKWARD, AlteredBackward
from conformance.diagnosis.explaining import TELLING, explained
from conformance.diagnosis.parting import right
from conformance.diagnosis.recording import Recording
from conformance.diagnosis.richer import dense, larger
from conformance.implementations.failures import Failure
from conformance.requirements.gradients import ALL, cotangents, gradients_of, true_gradients
from reference import Array, Case, backward, gradient_bound, trace

COARSER = 8
"""What the bound is multiplied with for altered gradients, as it is derived for the true ones."""


def gradients_told(recording: Recording, case: Case) -> Diagnosis:
    """Which gradients of which loss are wrong, and what explains them, if it is not the results.

    Those of `case` being right, wrong results of larger cases explain the gradients first.
    """
    for richer in (dense(case, 1), larger(case, 2)):
        answer = recording.answer(richer)
        if answer is not None and not right(answer, truth(richer, recording.implementation)):
            told = f"The results of this case are right, and those of {richer!r} with other numbers"
            explanations = tuple(explained(recording, richer, answer))
            return Diagnosis(details=(f"{told} are not.",), explanations=explanations)
    for of in (ALL, *((name,) for name in ALL)):
        got = _gradients(recording, case, of)
        if got is None:
            return Diagnosis()
        names = _wrong(recording, case, of, got)
        if names:
            are = "gradient of {} is" if len(names) == 1 else "gradients of {} are"
            told = f"The results are right. Of a loss on {_listed(of)} the {are} wrong"
            others = ", and all others are right" if len(names) < len(got) else ""
            explanations = tuple(_explained(recording, case, of, got))
            told = f"{told.format(_listed(names))}{others}."
            return Diagnosis(details=(told,), explanations=explanations)
    told = "The results are right, and so are the gradients of a single backward pass."
    return Diagnosis(details=(told,))


def _listed(names: Collection[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _gradients(recording: Recording, case: Case, of: Collection[str]) -> Mapping[str, Array] | None:
    recording.announce(case)
    try:
        return gradients_of(recording.implementation, case, cotangents(case, of), of)
    except Failure:
        return None


def _wrong(
    recording: Recording, case: Case, of: Collection[str], got: Mapping[str, Array]
) -> list[str]:
    expected, bound = true_gradients(recording.implementation, case, cotangents(case, of))
    return [name for name in got if (shares(got[name], expected[name], bound[name]) > 1).any()]


def _explained(
    recording: Recording, case: Case, of: Collection[str], got: Mapping[str, Array]
) -> list[str]:
    near = _fitting(BACKWARD, recording, case, of, got)
    for richer in (dense(case, 1), larger(case, 2)):
        answer = _gradients(recording, richer, of) if near else None
        if answer is None or not _wrong(recording, richer, of, answer):
            return []
        near = _fitting(near, recording, richer, of, answer)
    near = [each for each in near if _is_telling(recording, each, richer, of)]
    also = "here and in 2 further cases"
    return [f"The gradients equal those of back-propagation {each.says}, {also}." for each in near]


def _fitting(
    hypotheses: Collection[AlteredBackward],
    recording: Recording,
    case: Case,
    of: Collection[str],
    got: Mapping[str, Array],
) -> list[AlteredBackward]:
    """Those of the hypotheses that give `got` for `case`, but for rounding."""
    evaluated, weights = trace(case), cotangents(case, of)
    bound = gradient_bound(evaluated, weights, arithmetic(case, recording.implementation))
    if not all(np.isfinite(bound[name]).all() for name in got):
        return []
    fitting = []
    for each in hypotheses:
        recording.in_time()
        expected = each.compute(evaluated, weights)
        if not any(
            (shares(array, expected[name], COARSER * bound[name]) > 1).any()
            for name, array in got.items()
        ):
            fitting.append(each)
    return fitting


def _is_telling(
    recording: Recording, hypothesis: AlteredBackward, case: Case, of: Collection[str]
) -> bool:
    """Whether rounding cannot make what it gives for `case` look like anything near the truth."""
    evaluated, weights = trace(case), cotangents(case, of)
    given = hypothesis.compute(evaluated, weights)
    bound = gradient_bound(evaluated, weights, arithmetic(case, recording.implementation))
    return any(
        (shares(given[name], expected, TELLING * COARSER * bound[name]) > 1).any()
        for name, expected in backward(evaluated, weights).items()
    )
