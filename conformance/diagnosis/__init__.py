"""What can be said of wrong results beyond that they are wrong.

Where they first part from the true ones, and whether an LSTM that is right but for one simple
thing computes them. The implementation is run again on the counterexample, on parts of it, and on
larger cases of its kind; each sentence says what was observed and no more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from conformance.checking.comparison import Truth, truth
from conformance.checking.finding import Finding, changed_arrays, differs
from conformance.checking.verdict import Diagnosis
from conformance.diagnosis.explaining import explained
from conformance.diagnosis.gradients import gradients_told
from conformance.diagnosis.locating import located
from conformance.diagnosis.parting import right
from conformance.diagnosis.recording import OutOfTime, Recording
from conformance.implementations.failures import Quantity
from reference import Case, Result


def diagnose(
    finding: Finding, *, seconds: float = 5.0, before: Callable[[Case], object] | None = None
) -> Diagnosis:
    """What is wrong with the results that were found.

    What is looked into is the case itself or, if its results are right, another one that was
    called before the failure. It takes at most about `seconds`, unless a single run of the
    implementation does; `before` is called with each case that is run. What the implementation
    raises is no more than a result that is missing.
    """
    assert finding.implementation is not None
    recording = Recording(finding.implementation, time.perf_counter() + seconds, before)
    found = Diagnosis()
    try:
        wrong = _first_wrong(recording, finding)
        if wrong is None:
            return _rightly_run(recording, finding)
        case, got, known = wrong
        derived = _derived(finding.case, case)
        found = located(recording, case, got, known)
        found = replace(found, derived=derived if found.parted else "")
        explanations = tuple(explained(recording, case, got))
        derived = derived if explanations else found.derived
        return replace(found, derived=derived, explanations=explanations)
    except OutOfTime:
        given_up = f"The diagnosis was given up after {seconds:g} s."
        return replace(found, details=(*found.details, given_up))


def _first_wrong(recording: Recording, finding: Finding) -> tuple[Case, Result, Truth] | None:
    """The case itself if its results are wrong, else the first that was called with wrong ones."""
    seen: list[Case] = []
    for case in (finding.case, *finding.calls()):
        if all(differs(earlier, case) for earlier in seen):
            seen.append(case)
            got = recording.answer(case)
            known = None if got is None else truth(case, recording.implementation)
            if got is not None and known is not None and not right(got, known):
                return case, got, known
    return None


def _rightly_run(recording: Recording, finding: Finding) -> Diagnosis:
    """What to say where none of the runs is wrong."""
    quantity = finding.failure.quantity
    if quantity is Quantity.GRADIENT:
        return gradients_told(recording, finding.case)
    if recording.answered and quantity is Quantity.RESULT:
        told = "Made anew and called once with this case, it gives the true results."
        return Diagnosis(details=(told,))
    return Diagnosis()


def _derived(case: Case, wrong_case: Case) -> str:
    """How the case that is looked into differs from the one that is reported, if it does."""
    if not differs(case, wrong_case):
        return ""
    names = changed_arrays(case, wrong_case)
    other = f" with other {', '.join(names)}" if names else ""
    return f"What follows is about a case derived from this one, {wrong_case!r}{other}."
