"""Decides one requirement for one implementation on one device, with the diagnosis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from conformance.checking import activations, devices, originals, process_state
from conformance.checking.budget import DEFAULT, Budget
from conformance.checking.engine import Announce, inapplicable, search
from conformance.checking.expectations.applying import applied
from conformance.checking.expectations.deciding import Watch, decide, merged
from conformance.checking.expectations.expectation import Applied
from conformance.checking.expectations.reading import known_faults
from conformance.checking.finding import Finding
from conformance.checking.requirement import Requirement
from conformance.checking.verdict import (
    Crashed,
    Failed,
    FailedShould,
    NotApplicable,
    Undecided,
    Verdict,
)
from conformance.diagnosis import diagnose
from conformance.implementations.declared import declared
from conformance.implementations.failures import Failure, Mismatch
from conformance.implementations.implementation import Implementation
from conformance.implementations.lenient import lenient
from conformance.recording.text import kind_of, text_of
from reference import Case

DIAGNOSIS = 5.0
"""The longest time for the diagnosis of a failure in seconds; a run that has begun is finished."""


@lenient()
def check(
    requirement: Requirement,
    implementation: Implementation,
    device: str = "cpu",
    budget: Budget = DEFAULT,
    before: Announce | None = None,
    keep: Callable[[Finding], None] = lambda _: None,
    strict: bool = True,
    expected: Sequence[Applied] | None = None,
) -> Verdict:
    """Draw cases until the requirement fails or the budget is spent; never raises for a failure.

    `before` is called with each case before the implementation sees the case; if it returns a
    function, that is called before each step with the step. `keep` gets what a failure was found
    on. A requirement that is a should fails as one unless the check is `strict`; a process that
    dies, hangs or loses its device is never excused, nor is a failure that is `expected` to be
    another. What is expected are by default the known faults of PyTorch that apply. An exception
    that is neither the implementation's nor a mismatch is a fault of this suite, and does
    propagate. In a process that has lost a device nothing more is decided.
    """
    verdict: Verdict = Crashed(requirement.name, kind_of(implementation), device)
    try:
        with originals.Kept():
            try:
                implementation = declared(implementation)
                reason = inapplicable(requirement, implementation, device, budget)
            except Failure as failure:  # of the implementation, while it was asked what it is
                return replace(verdict, reason=text_of(failure))
            verdict = replace(verdict, implementation=implementation.name)
            if reason is not None:
                return NotApplicable(*verdict.key, reason=reason)
            if devices.lost():
                why = f"an earlier requirement {devices.lost()}, and nothing works after that here"
                return Undecided(*verdict.key, reason=why)
            if expected is None:
                expected, _ = applied(known_faults(requirement.name), implementation, [device])
            watch = Watch(expected)
            verdict = _decided(requirement, implementation, device, budget, before, keep, watch)
    except originals.Replaced as did:
        return Crashed(**{**vars(verdict), "reason": str(did)})
    except Exception:
        if not devices.lost():
            raise
        return replace(verdict, reason=devices.lost())
    excused = requirement.should and not (strict or watch.contradicted or devices.lost())
    if excused and isinstance(verdict, (Failed, Crashed)):
        return FailedShould(**vars(verdict))
    return verdict


def _decided(
    requirement: Requirement,
    implementation: Implementation,
    device: str,
    budget: Budget,
    before: Announce | None,
    keep: Callable[[Finding], None],
    watch: Watch,
) -> Verdict:
    supports = implementation.supports
    effort = budget
    if budget.seconds is not None and requirement.by_dtype:
        effort = replace(budget, seconds=budget.seconds / len(supports.dtypes))

    def attempt(dtypes: tuple[str, ...], only: Callable[[Case], bool]) -> Verdict:
        support = replace(supports, devices=(device,), dtypes=dtypes)
        verdict, found = search(requirement, implementation, support, effort, before, only, watch)
        if found is None:
            return verdict
        keep(found)
        seconds = min(DIAGNOSIS, budget.shrink_seconds)
        return diagnosed(verdict, requirement, found, seconds, before)

    def each(dtypes: tuple[str, ...], only: Callable[[Case], bool]) -> Verdict:
        return merged([attempt((name,), only) for name in dtypes])

    way = each if requirement.by_dtype else attempt
    with activations.judging_anew():
        verdict = decide(watch, supports.dtypes, way)
        verdict = replace(verdict, judged_by=activations.judged_by(implementation))
    if requirement.by_dtype and not devices.lost():
        measured = activations.by_dtype(implementation, supports.dtypes, device)
        figures = tuple(f"{name}: {each.described()}" for name, each in measured.items())
        units = {
            name: {function: error.units for function, error in each.errors.items()}
            for name, each in measured.items()
        }
        verdict = replace(verdict, figures=figures, units=units)
    return verdict


def diagnosed(
    verdict: Verdict,
    requirement: Requirement,
    found: Finding,
    seconds: float = DIAGNOSIS,
    before: Announce | None = None,
) -> Verdict:
    """Return `verdict` with a diagnosis of what was found, which takes about `seconds` at most.

    There is no diagnosis without time for it, without a mismatch, or where a run takes long.
    `before` is called with each case before it is run.
    """
    if not isinstance(found.failure, Mismatch) or not seconds or requirement.costly:
        return verdict
    with process_state.restored():
        diagnosis = diagnose(found, seconds=seconds, before=before)
    assert verdict.counterexample is not None
    smallest = replace(verdict.counterexample, diagnosis=diagnosis)
    return replace(verdict, counterexample=smallest)
