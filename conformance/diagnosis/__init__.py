"""The diagnosis of wrong results: where they go wrong, and which simple fault explains them.

A diagnosis names the place where results first differ from the true ones, and LSTMs with a single
fault that compute the same results. The implementation is run again on the counterexample, on parts
of the counterexample, and on larger cases of the same kind. Each sentence says only what was
observed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter

from conformance.checking.counterexample import Diagnosis
from conformance.checking.finding import Finding, changed_arrays, differs
from conformance.checking.truth import Truth, is_small, judged
from conformance.diagnosis.explaining import explained
from conformance.diagnosis.gradients import diagnosed_gradients
from conformance.diagnosis.locating import located
from conformance.diagnosis.parting import right
from conformance.diagnosis.recording import OutOfTime, Recording
from conformance.diagnosis.unnamed import explained_by_unnamed
from conformance.implementations.failures import Quantity
from reference import Case, Result


def diagnose(
    finding: Finding, *, seconds: float = 5.0, before: Callable[[Case], object] | None = None
) -> Diagnosis:
    """Describe what is wrong with the results of `finding`.

    The case itself is examined or, if its results are right, another case that was called before
    the failure. The diagnosis takes at most about `seconds`, unless a single run of the
    implementation takes longer; `before` is called with each case that is run. An exception of the
    implementation counts as a missing result.
    """
    assert finding.implementation is not None
    recording = Recording(finding.implementation, perf_counter() + seconds, before)
    found = Diagnosis()
    try:
        wrong = _first_wrong(recording, finding)
        if wrong is None:
            return _rightly_run(recording, finding)
        case, got, known = wrong
        derived = _derived(finding.case, case)
        found = located(recording, case, got, known)
        found = replace(found, derived=derived if found.parted else "")
        explanations: tuple[str, ...] = ()
        if of_unnamed := explained_by_unnamed(recording, case):
            explanations = (of_unnamed,)
        elif is_small(case):
            explanations = tuple(explained(recording, case, got))
        derived = derived if explanations else found.derived
        return replace(found, derived=derived, explanations=explanations)
    except OutOfTime:
        stopped = f"The diagnosis was stopped after {seconds:g} s."
        return replace(found, details=(*found.details, stopped))


def _first_wrong(recording: Recording, finding: Finding) -> tuple[Case, Result, Truth] | None:
    """Find the first case with wrong results, beginning with the counterexample itself."""
    seen: list[Case] = []
    for case in (finding.case, *finding.calls()):
        if all(differs(earlier, case) for earlier in seen):
            seen.append(case)
            got = recording.answer(case)
            known = None if got is None else judged(recording.implementation, case, got)
            if got is not None and known is not None and not right(got, known):
                return case, got, known
    return None


def _rightly_run(recording: Recording, finding: Finding) -> Diagnosis:
    """Describe a failure although the results of every call are right when run again."""
    quantity = finding.failure.quantity
    if not all(map(is_small, (finding.case, *finding.calls()))):
        return Diagnosis()
    if quantity is Quantity.GRADIENT:
        return diagnosed_gradients(recording, finding.case)
    if recording.answered and quantity is Quantity.RESULT:
        right_alone = "A new instance, called once with this case, gives the true results."
        return Diagnosis(details=(right_alone,))
    return Diagnosis()


def _derived(case: Case, wrong_case: Case) -> str:
    """Describe how the examined case differs from the reported one, "" if both are the same."""
    if not differs(case, wrong_case):
        return ""
    names = changed_arrays(case, wrong_case)
    other = f" with other {', '.join(names)}" if names else ""
    return f"The following is about a case derived from this one, {wrong_case!r}{other}."
