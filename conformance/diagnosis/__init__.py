"""What can be said of wrong results beyond that they are wrong.

Where they first part from the true ones, and whether an LSTM that is right but for one simple
thing computes them. The implementation is run again on the counterexample, on parts of it, and on
larger cases of its kind; each sentence says what was observed and no more.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conformance.checking.comparison import Truth, truth
from conformance.checking.finding import changed_arrays, differs
from conformance.diagnosis.explaining import explained
from conformance.diagnosis.gradients import gradients_told
from conformance.diagnosis.locating import located
from conformance.diagnosis.parting import right
from conformance.diagnosis.recording import OutOfTime, Recording
from conformance.implementations.failures import Failure
from conformance.implementations.implementation import Implementation
from reference import Case, Result


@dataclass(frozen=True)
class Diagnosis:
    """Sentences: where results first part from the true ones, and what explains them."""

    parted: tuple[str, ...] = ()
    explanations: tuple[str, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """All sentences, the explanations last."""
        return self.parted + self.explanations


def diagnose(
    implementation: Implementation,
    case: Case,
    body: Callable[[Any, Case], object],
    what: str = "",
    *,
    seconds: float = 5.0,
    before: Callable[[Case], object] | None = None,
) -> Diagnosis:
    """What is wrong with the results that make `body` fail for `case`, in its array `what`.

    What is looked into is `case` or, if its results are right, a case that `body` derives from it.
    It takes at most about `seconds`, unless a single run of the implementation does; `before` is
    called with each case that is run. Never raises: what goes wrong is said.
    """
    recording = Recording(implementation, time.perf_counter() + seconds, before)
    parted: list[str] = []
    try:
        found = _first_wrong(recording, case, body)
        if found is None:
            return _rightly_run(recording, case, what)
        wrong_case, got, known = found
        derived, parts = _derived(case, wrong_case), located(recording, wrong_case, got, known)
        parted += [*derived, *parts] if parts else []
        explanations = explained(recording, wrong_case, got)
        parted += derived if explanations and not parts else []
        return Diagnosis(tuple(parted), tuple(explanations))
    except OutOfTime:
        return Diagnosis((*parted, f"The diagnosis was given up after {seconds:g} s."))
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        return Diagnosis((*parted, f"It could not be diagnosed further: {told}."))


def _first_wrong(
    recording: Recording, case: Case, body: Callable[[Any, Case], object]
) -> tuple[Case, Result, Truth] | None:
    """`case` itself if its results are wrong, else the first that `body` runs with wrong ones."""
    looked_into = 0
    for each in (recording.answer, lambda case: body(recording, case)):
        with contextlib.suppress(Failure):
            each(case)
        for ran, got in recording.runs[looked_into:]:
            recording.in_time()
            known = truth(ran, recording.implementation)
            if not right(got, known):
                return ran, got, known
        looked_into = len(recording.runs)
    return None


def _rightly_run(recording: Recording, case: Case, what: str) -> Diagnosis:
    """What to say where none of the runs is wrong."""
    if what.startswith("gradient of "):
        parted, explanations = gradients_told(recording, case)
        return Diagnosis(tuple(parted), tuple(explanations))
    if recording.runs and what.partition(" ")[0] in ("output", "h_n", "c_n"):
        return Diagnosis(("Made anew and called once with this case, it gives the true results.",))
    return Diagnosis()


def _derived(case: Case, wrong_case: Case) -> list[str]:
    """How the case that is looked into differs from the one that is reported, if it does."""
    if not differs(case, wrong_case):
        return []
    names = changed_arrays(case, wrong_case)
    other = f" with other {', '.join(names)}" if names else ""
    return [f"What follows is about a case derived from this one, {wrong_case!r}{other}."]
