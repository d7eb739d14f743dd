"""Deciding one requirement for one implementation on one device."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import InvalidArgument, Unsatisfiable

from conformance import process_state
from conformance.comparison import truth
from conformance.diagnosis import diagnose, differs
from conformance.expectations import decide
from conformance.failures import Misbehaviour, Mismatch, NoAnswer
from conformance.implementation import Implementation
from conformance.profiles import PROFILES
from conformance.requirement import Requirement
from conformance.steps import Step
from conformance.tape import Tape, recording
from conformance.verdict import (
    Counterexample,
    Crashed,
    Failed,
    NotApplicable,
    Passed,
    TimedOut,
    Verdict,
)
from reference import Case
from strategies import Support, lstm_cases


@dataclass(frozen=True)
class Budget:
    """How much is tried: `max_examples` cases per requirement, drawn from `seed`.

    After the first failure at most `shrink_seconds` go into finding a smaller one, and at most as
    many, up to 5, into its diagnosis.
    """

    max_examples: int = PROFILES["default"]
    seed: int = 0
    shrink_seconds: float = 10.0


@dataclass(frozen=True, eq=False)
class Finding:
    """A case on which a requirement does not hold, how it fails, and what was done until then."""

    case: Case
    failure: Mismatch | Misbehaviour
    tape: Tape


class _ShrunkLongEnough(BaseException):
    """Ends a Hypothesis run whose time for shrinking is up; no implementation catches it."""


def check(
    requirement: Requirement,
    implementation: Implementation,
    device: str = "cpu",
    budget: Budget = Budget(),
    before: Callable[[Case], Callable[[Step], None] | None] | None = None,
    keep: Callable[[Finding], None] = lambda _: None,
) -> Verdict:
    """Draw cases until the requirement fails or the budget is spent; never raises for a failure.

    `before` is called with each case before the implementation sees it; what it returns, if it
    does, is called with each step then taken, before it is. `keep` gets what a failure was found
    on. An exception that is neither the implementation's nor a mismatch is a fault of this suite,
    and does propagate.
    """
    supports = implementation.supports
    reason = inapplicable(requirement, implementation, device, budget)
    if reason is not None:
        return NotApplicable(requirement.name, implementation.name, device, reason=reason)
    return decide(
        requirement.name,
        implementation.name,
        device,
        supports.dtypes,
        lambda dtypes: _attempt(
            requirement,
            implementation,
            replace(supports, devices=(device,), dtypes=dtypes),
            budget,
            before,
            keep,
        ),
    )


def inapplicable(
    requirement: Requirement,
    implementation: Implementation,
    device: str,
    budget: Budget = Budget(),
) -> str | None:
    """Why `requirement` does not apply on `device`, None if it does; no case is run."""
    supports = implementation.supports
    reason = requirement.applies(implementation)
    if device not in supports.devices:
        return f"no {device.partition(':')[0].upper()} device is present"
    if device not in requirement.cases.get("devices", (device,)):
        return "is about CUDA devices"
    if requirement.costly and budget.max_examples < PROFILES["thorough"]:
        return "decided in the thorough profile"
    return reason or _lacking(requirement, replace(supports, devices=(device,)))


def _lacking(requirement: Requirement, support: Support) -> str | None:
    """What of `support` is too little for the cases of `requirement`, None if nothing is."""
    try:
        lstm_cases(support, **dict(requirement.cases)).validate()
    except InvalidArgument as error:
        return str(error).partition(", only ")[0]
    return None


def _attempt(
    requirement: Requirement,
    implementation: Implementation,
    support: Support,
    budget: Budget,
    before: Callable[[Case], Callable[[Step], None] | None] | None,
    keep: Callable[[Finding], None],
) -> Verdict:
    """As :func:`check`, for the cases of `support` alone, whatever is known to fail."""
    started = time.perf_counter()
    here = (requirement.name, implementation.name, support.devices[0])
    reason = _lacking(requirement, support)
    if reason is not None:
        return NotApplicable(*here, reason=reason)
    cases = lstm_cases(support, **dict(requirement.cases))
    tried = 0
    share: float | None = None
    found: Finding | None = None
    deadline = 0.0

    def body(case: Case) -> None:
        nonlocal tried, share, found, deadline
        if found is not None and time.perf_counter() > deadline:
            raise _ShrunkLongEnough
        tried += found is None
        sink = None if before is None else before(case)
        with recording(sink, partial(truth, implementation=implementation)) as tape:
            try:
                with process_state.restored():
                    measured = requirement.body(implementation, case)
            except (Mismatch, Misbehaviour) as failure:
                if found is None:
                    hangs = isinstance(failure, NoAnswer)
                    deadline = time.perf_counter() + (0 if hangs else budget.shrink_seconds)
                if found is None or size(case) < size(found.case):
                    found = Finding(case, failure, tape)
                raise
        if measured is not None:
            share = max(share or 0.0, measured)

    try:
        hypothesis.seed(_seed(budget.seed, requirement.name))(
            settings(
                max_examples=max(1, round(budget.max_examples * requirement.share_of_cases)),
                phases=[Phase.generate, Phase.shrink],
                database=None,
                deadline=None,
                derandomize=False,
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
                print_blob=False,
            )(given(cases)(body))
        )()
    except (Mismatch, Misbehaviour, _ShrunkLongEnough, hypothesis.errors.Flaky):
        pass
    except Unsatisfiable:
        return NotApplicable(*here, reason="offers no case that it is about")
    seconds = time.perf_counter() - started
    if found is None:
        return Passed(*here, tried, share, seconds)
    keep(found)
    smallest = counterexample(found.case, found.failure, found.tape)
    if isinstance(found.failure, Mismatch) and budget.shrink_seconds and not requirement.costly:
        limit = min(5.0, budget.shrink_seconds)
        with process_state.restored():
            told = diagnose(
                implementation,
                found.case,
                requirement.body,
                found.failure.what,
                seconds=limit,
                before=before,
            )
        smallest = replace(smallest, diagnosis=told.lines())
    return kind_of(found.failure)(*here, tried, share, seconds, counterexample=smallest)


def kind_of(failure: Mismatch | Misbehaviour) -> type[Failed | Crashed | TimedOut]:
    """The kind of verdict that a failure comes to."""
    if isinstance(failure, Mismatch):
        return Failed
    return TimedOut if isinstance(failure, NoAnswer) else Crashed


def size(case: Case) -> tuple[int, ...]:
    """How much there is to look at in a case: non-zero numbers, numbers, digits."""
    arrays = [*case.parameters.values(), case.input]
    arrays += [array for array in (case.h_0, case.c_0) if array is not None]
    nonzero = sum(int((array != 0).sum()) for array in arrays)
    return nonzero, sum(array.size for array in arrays), sum(len(str(a.tolist())) for a in arrays)


def counterexample(
    case: Case, failure: Mismatch | Misbehaviour, tape: Tape | None = None
) -> Counterexample:
    """What failed and on what, in plain values; `tape` has the steps until then, where known."""
    tensors = {name: array.astype(float).tolist() for name, array in case.parameters.items()}
    for name in ("input", "h_0", "c_0"):
        array = getattr(case, name)
        if array is not None:
            tensors[name] = array.astype(float).tolist()
    details: dict[str, Any] = {}
    if isinstance(failure, Mismatch):
        details = {
            "what": failure.what,
            "where": failure.where,
            "got": failure.got,
            "expected": failure.expected,
            "allowed": failure.allowed,
        }
    calls = [step.case for step in tape.steps if step.case is not None] if tape else []
    derived = bool(calls) and differs(case, calls[-1])
    return Counterexample(repr(case), str(failure), tensors, **details, derived=derived)


def _seed(seed: int, requirement: str) -> int:
    """A seed of its own for each requirement, the same whatever runs beside it or where."""
    digest = hashlib.sha256(f"{seed}:{requirement}".encode()).digest()
    return int.from_bytes(digest[:8], "big")
