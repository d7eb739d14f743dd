"""What pytest collects: a module of requirements, and in it an item for each to be decided."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from conformance.checking.engine import inapplicable
from conformance.checking.finding import Finding
from conformance.checking.requirement import Requirement
from conformance.checking.verdict import PROPERTY, NotApplicable, Undecided, Verdict
from conformance.errors import UsageError
from conformance.implementations.implementation import Implementation
from conformance.implementations.own_imports import OURS
from conformance.reproductions.directory import write
from conformance.requirements import REQUIREMENTS
from conformance.running import limits
from conformance.running.choosing import asked, budget, select, subject
from conformance.running.deciding import check
from conformance.running.journal import Journal
from conformance.running.limits import LOADING, last_resort


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
        root = Path(self.config.getoption("lstm_reproductions"))
        return write(root, self.requirement, here, verdict, found[-1])

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


_REFUSED = pytest.StashKey[bool]()
"""Whether a module has already told what cannot be verified, which is the same in all of them."""


class Family(pytest.File):
    """The requirements defined in one module."""

    def collect(self) -> Iterable[pytest.Item]:
        """One item per requirement, implementation and device."""
        wanted = [
            requirement
            for requirement in REQUIREMENTS.values()
            if requirement.body.__module__ == f"conformance.requirements.{self.path.stem}"
        ]
        try:
            with OURS, last_resort(LOADING), warnings.catch_warnings():
                warnings.simplefilter("default")
                chosen = select(self.config)
        except UsageError as error:
            if self.config.stash.get(_REFUSED, False):
                return
            self.config.stash[_REFUSED] = True
            raise self.CollectError(f"usage: {error}") from error
        for implementation, device in chosen:
            for requirement in wanted:
                if not asked(requirement, self.config):
                    continue
                yield RequirementItem.from_parent(
                    self,
                    name=f"{requirement.name}[{implementation.name}|{device}]",
                    requirement=requirement,
                    implementation=implementation,
                    device=device,
                )
