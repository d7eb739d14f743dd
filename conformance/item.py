"""One requirement on one implementation and device, as a test item of pytest."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from conformance import limits
from conformance.engine import Finding, check, inapplicable
from conformance.implementation import Implementation
from conformance.journal import Journal
from conformance.packages import OURS
from conformance.reproductions.directory import write
from conformance.requirement import Requirement
from conformance.selection import budget, subject
from conformance.verdict import PROPERTY, NotApplicable, Undecided, Verdict


class NotConformant(Exception):
    """Carries a verdict that is not conformant to pytest."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict)
        self.verdict = verdict


class RequirementItem(pytest.Item):
    """One requirement on one implementation and device."""

    def __init__(
        self,
        *,
        requirement: Requirement,
        implementation: Implementation,
        device: str,
        **rest: Any,
    ) -> None:
        super().__init__(**rest)
        self.requirement = requirement
        self.implementation = implementation
        self.device = device
        self.started = 0.0
        self.add_marker(pytest.mark.filterwarnings("default"))

    def runtest(self) -> None:
        """Decide the requirement; the verdict travels as a property of the report."""
        in_time = limits.allowed(self.config, self.started) > 0
        with OURS, limits.last_resort(limits.granted(self.config, self.started) + 1):
            verdict = self.decide() if in_time else self.too_late()
        self.user_properties.append((PROPERTY, verdict.to_json()))
        if isinstance(verdict, NotApplicable):
            pytest.skip(verdict.reason)
        if not verdict.conformant:
            raise NotConformant(verdict)

    def decide(self) -> Verdict:
        """Draw cases and check them; each is on disk before the implementation sees it.

        A failure leaves its reproduction.
        """
        here = subject(self.config, self.implementation, self.requirement.name, self.device)
        found: list[Finding] = []
        with contextlib.closing(Journal(self.config)) as journal:
            verdict = check(
                self.requirement,
                self.implementation,
                self.device,
                budget(self.config),
                lambda case: journal.write(self.name, case, self.started, here),
                found.append,
            )
        if not found or verdict.conformant:
            return verdict
        root, last = Path(self.config.getoption("lstm_reproductions")), found[-1]
        return write(root, self.requirement, here, verdict, last.case, last.failure, last.tape)

    def too_late(self) -> Verdict:
        """The verdict where the time of the whole run is up."""
        here = self.requirement.name, self.implementation.name, self.device
        reason = inapplicable(
            self.requirement, self.implementation, self.device, budget(self.config)
        )
        if reason is not None:
            return NotApplicable(*here, reason=reason)
        return Undecided(*here, reason=limits.reached(self.config))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What, where, got, should be, allowed, and the case; a traceback only if we failed."""
        if isinstance(excinfo.value, NotConformant):
            verdict = excinfo.value.verdict
            return "\n".join([f"{verdict.outcome}: {self.requirement.claim}", *verdict.lines()])
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the requirement is defined."""
        return self.path, self.requirement.body.__code__.co_firstlineno - 1, self.name
