"""Search for a case on which a requirement does not hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from hypothesis import reject
from hypothesis.errors import InvalidArgument, StopTest

from conformance.checking import activations, blaming, devices, originals, process_state
from conformance.checking.budget import LEAST, PROFILES, Budget
from conformance.checking.cells import Exercised
from conformance.checking.database import NOWHERE
from conformance.checking.digest import Digest
from conformance.checking.expectations.deciding import Watch, ends_process
from conformance.checking.finding import Finding, size
from conformance.checking.requirement import Requirement
from conformance.checking.verdict import NotApplicable, Passed, Verdict
from conformance.implementations.failures import (
    Failure,
    LostDevice,
    Misbehaviour,
    Mismatch,
    NoAnswer,
    by_hand,
)
from conformance.implementations.implementation import Implementation
from conformance.recording.noting import recording
from conformance.recording.steps import Step
from conformance.recording.tape import Tape
from reference import Case
from strategies import Support, lstm_cases
from strategies.options import Unsupported
from strategies.search import again
from strategies.search import search as search_cases

if TYPE_CHECKING:
    from conformance.checking.requirement import Body

Announce = Callable[[Case], "Callable[[Step], None] | None"]


class _Enough(BaseException):
    """Ends a Hypothesis run: time for shrinking is up, or no further case can be counted on.

    It is a BaseException so that no ``except Exception`` of an implementation catches it.
    """


def inapplicable(
    requirement: Requirement, implementation: Implementation, device: str, budget: Budget
) -> str | None:
    """Give the reason why `requirement` does not apply on `device`, None if it does apply."""
    supports = implementation.supports
    needed = requirement.applies(implementation)
    if device not in supports.devices:
        return f"no {device.partition(':')[0].upper()} device is present"
    if device not in requirement.cases.get("devices", (device,)):
        present = any(each.startswith("cuda") for each in supports.devices)
        return "applies to CUDA devices only" if present else "no CUDA device is present"
    if left_out(requirement, budget):
        return "decided in the thorough profile"
    if isinstance(needed, str):
        return needed
    return _lacking(requirement, replace(supports, devices=(device,)))


def left_out(requirement: Requirement, budget: Budget) -> bool:
    """Return whether the requirement costs more than the budget allows."""
    return requirement.costly and budget.max_examples < PROFILES["thorough"]


def _lacking(requirement: Requirement, support: Support) -> str | None:
    """Give what `support` lacks for the cases of `requirement`, None if it lacks nothing."""
    try:
        lstm_cases(support, **dict(requirement.cases)).validate()
    except Unsupported as error:
        return error.reason
    except InvalidArgument as error:
        return str(error)
    return None


def search(
    requirement: Requirement,
    implementation: Implementation,
    support: Support,
    budget: Budget,
    before: Announce | None = None,
    only: Callable[[Case], bool] = lambda _: True,
    watch: Watch | None = None,
) -> tuple[Verdict, Finding | None]:
    """Draw cases of `support` until the requirement fails or the budget is spent.

    Only cases for which `only` returns True are tried. Failures that `watch` expects are passed
    over. Returns the verdict, and the finding if a case fails. `before` is called with each case
    before the implementation gets the case. If `before` returns a function, that function is called
    with each step before the step is taken. An exception other than a
    :class:`~conformance.implementations.failures.Failure` is a fault of this suite, and propagates.

    Cases that the database of the budget has are tried first. They count where one of them fails,
    and are never part of the digest.
    """
    started = perf_counter()
    here = (requirement.name, implementation.name, support.devices[0])
    reason = _lacking(requirement, support)
    if reason is not None:
        return NotApplicable(*here, reason=reason), None
    cases = lstm_cases(support, **dict(requirement.cases))
    tried = held = 0
    shares: dict[str, float] = {}
    found: Finding | None = None
    deadline = 0.0
    digest, exercised = Digest(), Exercised()
    watch = watch or Watch()
    drawing = False

    def body(case: Case) -> None:
        nonlocal tried, held, found, deadline
        if found is not None and perf_counter() > deadline:
            raise _Enough
        if not only(case):
            reject()
        if found is None:
            tried += 1
            if drawing:
                digest.add(case)
                exercised.add(case)
            watch.tries(case)
        modes: set[bool] = set()
        came = attempt(
            requirement, implementation, case, before, lambda tape: modes.update(tape.modes)
        )
        if found is None and drawing:
            exercised.called(modes)
        if isinstance(came, Finding) and not watch.passes_over(came):
            if found is None:
                once = isinstance(came.failure, (NoAnswer, LostDevice))
                deadline = perf_counter() + (0 if once else budget.shrink_seconds)
            if found is None or (came.decides and size(case) < size(found.case)):
                found = came
            # Hypothesis looks at causes, which are exceptions of somebody else
            came.failure.__cause__ = came.failure.__context__ = None
            raise came.failure.with_traceback(None)
        held += 1
        if isinstance(came, Finding):
            if ends_process(came):
                raise _Enough
        elif came is not None:
            shares[case.dtype.name] = max(shares.get(case.dtype.name, 0.0), came)

    examples = max(1, round(budget.max_examples * requirement.share_of_cases))
    known, key = budget.database or NOWHERE, f"{requirement.name} {implementation.name} {support}"
    end = float("inf")
    if budget.seconds is not None:
        end = started + budget.seconds
        examples *= budget.stretch

    def enough(valid: int) -> bool:
        return valid >= LEAST and perf_counter() >= end

    try:
        for name in known.recall(key):
            again(cases, body, name)
            known.forget(key, name)
        tried, held, drawing = 0, 0, True
        seed = f"{budget.seed}:{requirement.name}"
        keep = partial(known.keep, key)
        valid = search_cases(
            cases, body, seed=seed, max_examples=examples, failed=keep, enough=enough
        )
        if not valid and found is None and not held:
            reason = "no case that this implementation supports meets the requirement's conditions"
            return NotApplicable(*here, reason=reason), None
    except _Enough:
        pass
    except (Exception, StopTest):
        # without a finding nothing is decided, whatever it was: Flaky, or a fault of this suite
        if found is None:
            raise
    seconds = perf_counter() - started
    share = max(shares.values(), default=None)
    if found is None:
        assert held, "no case was tried"
        verdict: Verdict = Passed(*here, tried, share, seconds)
    else:
        verdict = watch.judged(found.verdict(*here, tried, share, seconds), found)
    cells = exercised.cells()
    return replace(verdict, cases_digest=digest.text(), shares=shares, cells=cells), found


def examine(
    body: Body[Any],
    implementation: Implementation,
    case: Case,
    sink: Callable[[Step], None] | None = None,
    seen: Callable[[Tape], None] = lambda _: None,
) -> Finding | float | None:
    """Run `body` on one case; returns the finding if it fails, else what `body` measured.

    `sink` is called with each step before the step is taken, and `seen` with all of them at the
    end.
    """
    before = process_state.snapshot()
    came: Finding | float | None = None
    fault: BaseException | None = None
    with recording(sink) as tape:
        try:
            with devices.left_usable(case.device):
                came = body(implementation, case)
        except Failure as failure:
            came = Finding(implementation, case, failure, tape)
        except BaseException as error:
            fault = error
    changed, left = process_state.restore(before)
    seen(tape)
    if fault is not None:
        did = [f"changed {', '.join(changed)}"] if changed else []
        theirs = blaming.of(fault, body, [*did, *filter(None, [originals.put_back()])])
        if theirs is None or by_hand(fault):
            raise fault
        came = Finding(implementation, case, theirs, tape)
    if left:
        text = f"changed {', '.join(left)}, which cannot be restored"
        devices.give_up(text)
        if not isinstance(came, Finding):
            came = Finding(implementation, case, Misbehaviour(text), tape)
    return replace(came, changed=tuple(changed)) if isinstance(came, Finding) else came


def attempt(
    requirement: Requirement,
    implementation: Implementation,
    case: Case,
    before: Announce | None = None,
    seen: Callable[[Tape], None] = lambda _: None,
) -> Finding | float | None:
    """As :func:`examine`; what does not hold by the declared precision is tried by the measured."""
    while True:
        sink = None if before is None else before(case)
        activations.forget()
        came = examine(requirement.body, implementation, case, sink, seen)
        mismatched = isinstance(came, Finding) and isinstance(came.failure, Mismatch)
        if not mismatched or requirement.by_dtype or not activations.loosen_all():
            return came
