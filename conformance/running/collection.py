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

from conformance.checking import devices
from conformance.checking.engine import inapplicable
from conformance.checking.finding import Finding, counterexample
from conformance.checking.requirement import Requirement
from conformance.checking.verdict import PROPERTY, FailedShould, NotApplicable, Undecided, Verdict
from conformance.errors import UsageError
from conformance.implementations.own_imports import OURS
from conformance.recording.json import encode
from conformance.recording.steps import Step
from conformance.reproductions.directory import write
from conformance.reproductions.subject import Subject
from conformance.running import journal as journals
from conformance.running import limits, remote
from conformance.running.baseline import baseline
from conformance.running.bound import NotConformant
from conformance.running.choosing import Selection, Target, budget, decided_on, selection, subject
from conformance.running.deciding import check
from conformance.running.dividing.time_budget import Division, Key
from conformance.running.folder import RunFolder
from conformance.running.journal import Collected, Doing, Entry, Journal
from conformance.running.limits import LOADING, last_resort
from conformance.running.patience import TOOK, Calls
from conformance.running.quiet import quiet
from conformance.running.resuming import check_same
from conformance.running.smoke import FAILED, SmokeTests
from reference import Case

DIGEST = pytest.StashKey[str]()
"""The digest of all items, of other shards as well."""
LEFT_OUT = "lstm_conformance_left_out"
"""The property of a pytest report that names a requirement without time."""
SMOKE = pytest.StashKey[SmokeTests]()


class Item:
    """One requirement on one implementation and device, to be decided within the limits of a run.

    - `config`: has the options of the run
    - `nodeid`: the id of the item in journals
    - `user_properties`: what to report beside the verdict
    """

    config: Any
    nodeid: str
    user_properties: list[tuple[str, Any]]

    def prepare(self, requirement: Requirement, target: Target, device: str) -> None:
        """Take what is to be decided, once there is a `config`."""
        self.requirement = requirement
        self.target = target
        self.device = device
        self.started = 0.0
        self.division: Division | None = None
        self.journal = Journal.of(self.config)

    @property
    def key(self) -> Key:
        """What the item decides."""
        return self.requirement.name, self.target.implementation.name, self.device

    def begin(self) -> float:
        """Note when the item starts; returns the seconds after which its process is ended."""
        self.started = time.time()
        seconds = max(limits.granted(self.config, self.started), 1)
        now = Doing(self.nodeid, self.target.implementation.name, self.started, seconds)
        self.journal.write(Entry(now))
        return limits.ended(self.config, self.started)

    def end(self) -> None:
        """Note that the item has ended."""
        self.journal.write(Entry(Doing()))
        self.journal.close()

    def verdict(self, drawing: float | None = None) -> Verdict:
        """Decide the requirement, and write the verdict down; see :meth:`decide`."""
        in_time = limits.allowed(self.config, self.started) > 0
        with OURS, quiet(), limits.last_resort(limits.ended(self.config, self.started) + 1):
            verdict = (
                self.decide(drawing) if in_time else self.undecided(limits.reached(self.config))
            )
        self.journal.decided(verdict)
        return verdict

    def seconds(self) -> float | None:
        """Return the seconds for drawing cases by the time budget, None without one."""
        if self.division is None:
            return None
        folder = RunFolder(Path(self.config.getoption("lstm_journal")))
        decided = {each.key for each in folder.verdicts()}
        end = self.config.getoption("lstm_budget_end")
        return self.division.granted(self.key, decided, end, limits.workers(self.config))

    def decide(self, drawing: float | None) -> Verdict:
        """Return the verdict, and write the reproduction of a failure.

        Cases are drawn for as many seconds as `drawing`, if that is given. Each case is written to
        disk before the implementation sees the case.
        """
        here = subject(self.config, self.target, self.requirement.name, self.device)
        implementation = self.target.implementation
        found: list[Finding] = []
        folder = RunFolder(Path(self.config.getoption("lstm_journal")))
        limit = folder.shortened(implementation.name)
        seconds = limits.granted(self.config, self.started)
        alarm = limits.Alarm(limit, limits.own(self.config, self.started), self.started)
        calls = Calls()
        effort = budget(self.config)
        if drawing is not None:
            shrinking = min(effort.shrink_seconds, max(drawing, 1.0))
            effort = replace(effort, seconds=drawing, shrink_seconds=shrinking)

        @functools.wraps(self.requirement.body)
        def body(*case: Any) -> Any:
            with alarm:
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
                alarm.again()
                if taken.case is not None:
                    calls.begin()

            return step

        least = limit and limit / 2  # which leaves as much to the requirement
        failed = smoke_tests(self.config).failure(implementation, self.device, announce, least)
        if failed is not None:
            return self.not_begun(failed, here)
        verdict = baseline(self.config).judged(
            check(
                replace(self.requirement, body=body),
                implementation,
                self.device,
                effort,
                announce,
                found.append,
                self.target.strict,
                selection(self.config).expected.of(*self.key),
            )
        )
        if calls.took:
            self.user_properties.append((TOOK, statistics.median(calls.took)))
        return self.reproduced(verdict, found[-1], here) if found else verdict

    def not_begun(self, failed: Finding, here: Subject) -> Verdict:
        """Return the verdict after a smoke test that failed; the first one has a reproduction."""
        verdict = self.undecided(FAILED, counterexample=counterexample(failed))
        if devices.lost() and isinstance(verdict, Undecided):
            about = self.requirement.name, self.target.implementation.name, self.device
            return self.reproduced(failed.verdict(*about), failed, here)
        return self.reproduced(verdict, failed, here) if self.is_first() else verdict

    def is_first(self) -> bool:
        """Return whether this is the first of the requirements asked for that apply."""
        what, tries = (self.target.implementation, self.device), budget(self.config)
        asked = selection(self.config).requirements
        return self.requirement is next(
            each for each in asked if inapplicable(each, *what, tries) is None
        )

    def reproduced(self, verdict: Verdict, finding: Finding, here: Subject) -> Verdict:
        """Return `verdict`, with a reproduction of `finding` if its reader is to see that."""
        if not verdict.explained:
            return verdict
        root = Path(self.config.getoption("lstm_reproductions"))
        return write(root, self.requirement, here, verdict, finding)

    def undecided(self, why: str, **rest: Any) -> Verdict:
        """Return the verdict for a requirement that is not begun; `rest` are fields of it."""
        implementation = self.target.implementation
        here = self.requirement.name, implementation.name, self.device
        reason = inapplicable(self.requirement, implementation, self.device, budget(self.config))
        if reason is not None:
            return NotApplicable(*here, reason=reason)
        return Undecided(*here, reason=why, **rest)


class RequirementItem(Item, pytest.Item):
    """The item as pytest has it."""

    def __init__(
        self, *, requirement: Requirement, target: Target, device: str, **rest: Any
    ) -> None:
        super().__init__(**rest)
        self.prepare(requirement, target, device)

    def runtest(self) -> None:
        """Decide the requirement, and attach the verdict to the report as a property."""
        seconds = self.seconds()
        if seconds == 0:
            self.user_properties.append((LEFT_OUT, self.requirement.name))
            pytest.skip("the time budget has no time for it")
        verdict = self.verdict(seconds)
        self.user_properties.append((PROPERTY, verdict.to_json()))
        if remote.CHANNEL in getattr(self.config, "workerinput", {}):
            self.user_properties.append((remote.LEFT, remote.packed(verdict)))
        if isinstance(verdict, NotApplicable):
            pytest.skip(verdict.reason)
        if isinstance(verdict, FailedShould):
            pytest.xfail("\n".join(verdict.lines()))
        if not verdict.conformant:
            raise NotConformant(verdict)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the failure as text; with a traceback only if this suite itself failed."""
        if isinstance(excinfo.value, NotConformant):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the requirement is defined."""
        return self.path, self.requirement.body.__code__.co_firstlineno - 1, self.name


def smoke_tests(config: pytest.Config) -> SmokeTests:
    """Return the smoke tests of this process."""
    return config.stash.setdefault(
        SMOKE, SmokeTests(RunFolder(Path(config.getoption("lstm_journal"))))
    )


class Family(pytest.File):
    """The requirements that one module defines."""

    def collect(self) -> Iterable[pytest.Item]:
        """Yield an item for each implementation, device and requirement."""
        chosen = selected(self)
        module = f"conformance.requirements.{self.path.stem}"
        here = [each for each in chosen.requirements if each.body.__module__ == module]
        for target in chosen.targets:
            places = [decided_on(each, target, budget(self.config)) for each in here]
            for device in target.devices:
                for requirement, found in zip(here, places, strict=True):
                    if device in found:
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
            found = selection(collector.config)
        check_same(collector.config.getoption("lstm_circumstances"), encode(found.circumstances))
        return found
    except UsageError as error:
        Journal.of(collector.config).collected(Collected(refusal=str(error)))
        raise collector.CollectError(f"usage: {error}") from error


def collected(session: pytest.Session) -> None:
    """Write to the journal what this process collected, for the process that reports."""
    places = {item.nodeid: item.key for item in session.items if isinstance(item, RequirementItem)}
    digest = session.config.stash.get(DIGEST, "")
    if digest:
        chosen = selection(session.config)
        journal = Journal.of(session.config)
        what = Collected(places, chosen.circumstances, "", digest, chosen.expected)
        try:
            journal.collected(what)
        except OSError:  # of a full disk
            if not journals.collected(Path(session.config.getoption("lstm_journal"))).items:
                raise
        journal.write(Entry(Doing()))
        journal.close()
