"""The cases that a requirement is tried on, drawn once for all LSTMs that take the same ones."""

from __future__ import annotations

import time
from dataclasses import replace

from conformance import Budget, Case, Crashed, Implementation, Passed, Requirement, Verdict, check
from conformance.checking.verdict import Failed
from conformance.implementations.failures import Misbehaviour, Mismatch

_DRAWN: dict[tuple[object, ...], Verdict | list[Case]] = {}


def drawn(
    requirement: Requirement, implementation: Implementation, device: str, budget: Budget
) -> Verdict | list[Case]:
    """The cases that :func:`conformance.check` would try, or its verdict that there are none.

    They depend on what the implementation supports, not on what it computes. A child process
    inherits those that its parent has drawn.
    """
    key = (requirement.name, type(implementation), implementation.supports, device, budget)
    if key not in _DRAWN:
        cases: list[Case] = []
        collecting = replace(requirement, body=lambda _, case: cases.append(case))
        verdict = check(collecting, implementation, device, budget)
        _DRAWN[key] = cases if isinstance(verdict, Passed) else verdict
    return _DRAWN[key]


def replay(
    requirement: Requirement, implementation: Implementation, device: str, budget: Budget
) -> Verdict:
    """As :func:`conformance.check` decides, without a counterexample and without drawing anew."""
    here = requirement.name, implementation.name, device
    cases = drawn(requirement, implementation, device, budget)
    if isinstance(cases, Verdict):
        return replace(cases, implementation=implementation.name)
    started = time.perf_counter()
    kind: type[Verdict] = Passed
    tried = 0
    for tried, case in enumerate(cases, start=1):  # noqa: B007
        try:
            requirement.body(implementation, case)
        except (Mismatch, Misbehaviour) as failure:
            kind = Failed if isinstance(failure, Mismatch) else Crashed
            break
    return kind(*here, tried, None, time.perf_counter() - started)
