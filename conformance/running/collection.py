"""What pytest collects: modules of requirements, and in each the items to be decided."""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.checking.engine import inapplicable
from conformance.checking.finding import Finding
from conformance.checking.requirement import Requirement
from conformance.checking.verdict import PROPERTY, FailedShould, NotApplicable, Undecided, Verdict
from conformance.errors import UsageError
from conformance.implementations.own_imports import OURS
from conformance.recording.steps import Step
from conformance.reproductions.directory import write
from conformance.running import limits
from conformance.running.choosing import Selection, Target, budget, selection, subject
from conformance.running.deciding import check
from conformance.running.folder import RunFolder
from conformance.running.journal import Collected, Doing, Entry, Journal
from conformance.running.limits import LOADING, last_resort
from conformance.running.parametrize import NotConformant
from conformance.running.patience import TOOK, Calls
from conformance.running.quiet import quiet
from reference import Case


class RequirementItem(pytest.Item):
    """One requirement on one implementation and device."""

    def __init__(
        self, *, requirement: Requirement, target: Target, device: str, **rest: Any
    ) -> None:
        super().__init__(**rest)
        self.requirement = requirement
        self.target = target
        self.device = device
        self.started = 0.0
        self.journal = Journal(self.config)

    def begin(self) -> float:
        """Note when the item starts; returns the seconds after which it is ended."""
        self.started = time.time()
        seconds = max(limits.granted(self.config, self.started), 1)
        now = Doing(self.nodeid, self.target.implementation.name, self.started, seconds)
        self.journal.write(Entry(now))
        return seconds

    def end(self) -> None:
        """Note that the item has ended."""
        self.journal.write(Entry(Doing()))
        self.journal.close()

    def runtest(self) -> None:
        """Decide the requirement, and attach the verdict to the report as a property."""
        in_time = limits.allowed(self.config, self.started) > 0
        with OURS, quiet(), limits.last_resort(limits.granted(self.config, self.started) + 1):
            verdict = self.decide() if in_time else self.too_late()
        self.journal.decided(verdict)
        self.user_properties.append((PROPERTY, verdict.to_json()))
        if isinstance(verdict, NotApplicable):
            pytest.skip(verdict.reason)
        if isinstance(verdict, FailedShould):
            pytest.xfail("\n".join(verdict.lines()))
        if not verdict.conformant:
            raise NotConformant(verdict)

    def decide(self) -> Verdict:
        """Return the verdict, and write the reproduction of a failure.

        Each case is written to disk before the implementation sees the case.
        """
        here = subject(self.config, self.target, self.requirement.name, self.device)
        implementation = self.target.implementation
        found: list[Finding] = []
        folder = RunFolder(Path(self.config.getoption("lstm_journal")))
        limit = folder.shortened(implementation.name)
        seconds = limits.granted(self.config, self.started)
        calls = Calls()

        @functools.wraps(self.requirement.body)
        def body(*case: Any) -> Any:
            with limits.within(limit):
                measured = self.requirement.body(*case)
            calls.end()
            return measured

        def announce(case: Case) -> Callable[[Step], None]:
            now = Doing(self.nodeid, implementation.name, self.started, seconds, time.time())
            add = self.journal.write(Entry(now, case, here))
            calls.forget()

            def step(taken: Step) -> None:
                calls.end()  # what it gave is being read
                add(taken)
                if taken.case is not None:
                    calls.begin()

            return step

        verdict = check(
            replace(self.requirement, body=body),
            implementation,
            self.device,
            budget(self.config),
            announce,
            found.append,
            self.target.strict,
            selection(self.config).expected.of(
                self.requirement.name, implementation.name, self.device
            ),
        )
        if calls.took:
            self.user_properties.append((TOOK, statistics.median(calls.took)))
        if not found or not verdict.explained:
            return verdict
        root = Path(self.config.getoption("lstm_reproductions"))
        return write(root, self.requirement, here, verdict, found[-1])

    def too_late(self) -> Verdict:
        """Return the verdict for a requirement that the run has no time left for."""
        implementation = self.target.implementation
        here = self.requirement.name, implementation.name, self.device
        reason = inapplicable(self.requirement, implementation, self.device, budget(self.config))
        if reason is not None:
            return NotApplicable(*here, reason=reason)
        return Undecided(*here, reason=limits.reached(self.config))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the failure as text; with a traceback only if this suite itself failed."""
        if isinstance(excinfo.value, NotConformant):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the requirement is defined."""
        return self.path, self.requirement.body.__code__.co_firstlineno - 1, self.name


class Family(pytest.File):
    """The requirements that one module defines."""

    def collect(self) -> Iterable[pytest.Item]:
        """Yield an item for each implementation, device and requirement."""
        chosen = selected(self)
        module = f"conformance.requirements.{self.path.stem}"
        for target in chosen.targets:
            for device in target.devices:
                for requirement in chosen.requirements:
                    if requirement.body.__module__ == module:
                        yield RequirementItem.from_parent(
                            self,
                            name=f"{requirement.name}[{target.implementation.name}|{device}]",
                            requirement=requirement,
                            target=target,
                            device=device,
                        )


class Requirements(pytest.Directory):
    """The folder of the requirements; everything is selected once for all modules in it."""

    def collect(self) -> Iterable[pytest.Collector]:
        """Yield the modules that define the selected requirements."""
        names = {each.body.__module__.rpartition(".")[2] for each in selected(self).requirements}
        for name in sorted(names):
            yield Family.from_parent(self, path=self.path / f"{name}.py")


def selected(collector: pytest.Collector) -> Selection:
    """Return what the options ask for; wrong usage becomes an error of the collection."""
    try:
        with OURS, quiet(), last_resort(LOADING):
            return selection(collector.config)
    except UsageError as error:
        Journal(collector.config).collected(Collected(refusal=str(error)))
        raise collector.CollectError(f"usage: {error}") from error


def collected(session: pytest.Session) -> None:
    """Write to the journal what this process collected, for the process that reports."""
    places = {
        item.nodeid: (item.requirement.name, item.target.implementation.name, item.device)
        for item in session.items
        if isinstance(item, RequirementItem)
    }
    if places:
        chosen = selection(session.config)
        journal = Journal(session.config)
        journal.collected(Collected(places, chosen.circumstances, expected=chosen.expected))
        journal.write(Entry(Doing()))
        journal.close()
