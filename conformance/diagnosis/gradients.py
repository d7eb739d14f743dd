"""The diagnosis of wrong gradients: which are wrong, and which simple fault explains them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from conformance.checking.comparison import shares
from conformance.checking.counterexample import Diagnosis
from conformance.checking.truth import arithmetic, judged
from conformance.diagnosis.alternatives.backward import BACKWARD, AlteredBackward
from conformance.diagnosis.explaining import TELLING, explained
from conformance.diagnosis.parting import right
from conformance.diagnosis.recording import Recording
from conformance.diagnosis.richer import dense, larger
from conformance.implementations.failures import Failure
from conformance.requirements.helpers.gradients import ALL, cotangents, gradients_of, true_gradients
from reference import TOP, Array, Case, backward, gradient_bound, trace

COARSER = 8
"""The factor on bounds of altered gradients, as the bounds are derived for the true gradients."""


def diagnosed_gradients(recording: Recording, case: Case) -> Diagnosis:
    """Describe which gradients of which loss are wrong, and what explains the wrong gradients.

    The results of `case` are right. If results of larger cases are wrong, these results are
    explained instead, as wrong results explain wrong gradients.
    """
    for richer in (dense(case, 1), larger(case, 2)):
        answer = recording.answer(richer)
        if answer is not None and not right(
            answer, judged(recording.implementation, richer, answer)
        ):
            larger_one = f"those of {richer!r} with other numbers are wrong"
            details = (f"The results of this case are right, but {larger_one}.",)
            return Diagnosis(
                details=details, explanations=tuple(explained(recording, richer, answer))
            )
    returned = tuple(name for name in (*ALL, TOP) if name in recording.supports.results)
    for of in (returned, *((name,) for name in returned)):
        got = _gradients(recording, case, of)
        if got is None:
            return Diagnosis()
        names = _wrong(recording, case, of, got)
        if names:
            are = "gradient of {} is" if len(names) == 1 else "gradients of {} are"
            others = ", and all others are right" if len(names) < len(got) else ""
            wrong = f"For a loss on {_listed(of)}, the {are.format(_listed(names))} wrong{others}."
            explanations = tuple(_explained(recording, case, of, got))
            return Diagnosis(
                details=(f"The results are right. {wrong}",), explanations=explanations
            )
    all_right = "The results are right, and so are the gradients of a single backward pass."
    return Diagnosis(details=(all_right,))


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
    """Keep the hypotheses that give the gradients `got` for `case`, up to rounding."""
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
    """Whether the hypothesis differs from the truth on `case` by clearly more than rounding."""
    evaluated, weights = trace(case), cotangents(case, of)
    given = hypothesis.compute(evaluated, weights)
    bound = gradient_bound(evaluated, weights, arithmetic(case, recording.implementation))
    return any(
        (shares(given[name], expected, TELLING * COARSER * bound[name]) > 1).any()
        for name, expected in backward(evaluated, weights).items()
    )
