"""One requirement on one implementation and device, decided within the limits of a run."""

from __future__ import annotations

import functools
import os
import statistics
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from conformance.checking import devices
from conformance.checking.engine import inapplicable
from conformance.checking.finding import Finding, counterexample
from conformance.checking.requirement import Requirement
from conformance.checking.verdict import Crashed, Key, NotApplicable, Undecided, Verdict
from conformance.implementations.own_imports import OURS
from conformance.recording.steps import Step
from conformance.reproductions.directory import write
from conformance.reproductions.record import Subject
from conformance.running import limits, strays
from conformance.running.alarm import Alarm
from conformance.running.baseline import baseline
from conformance.running.choosing import Target, budget, selection, subject
from conformance.running.deciding import check
from conformance.running.dividing import Division
from conformance.running.folder import RunFolder
from conformance.running.journal import Doing, Entry, Journal
from conformance.running.patience import TOOK, Calls
from conformance.running.quiet import quiet
from conformance.running.smoke import FAILED, SmokeTests
from reference import Case

SMOKE = pytest.StashKey[SmokeTests]()


class Item:
    """One requirement on one implementation and device, to be decided within the limits of a run.

    - `config`: has the options of the run
    - `nodeid`: the id of the item in journals
    - `user_properties`: what to report beside the verdict
    - `expendable`: whether this process is ended if it goes on after the item's time
    """

    config: Any
    nodeid: str
    user_properties: list[tuple[str, Any]]
    expendable = True

    def prepare(self, requirement: Requirement, target: Target, device: str) -> None:
        """Take what is to be decided, once there is a `config`."""
        self.requirement = requirement
        self.target = target
        self.device = device
        self.now = Doing()
        self.started = 0.0
        self.division: Division | None = None
        self.reached: Verdict | None = None
        self.noted = strays.Noted(target.implementation.name)
        self.journal = Journal.of(self.config)

    @property
    def key(self) -> Key:
        """What the item decides."""
        return self.requirement.name, self.target.implementation.name, self.device

    def begin(self) -> float:
        """Note when the item starts; returns the seconds after which its process is ended."""
        self.started = monotonic()
        seconds = max(limits.granted(self.config, self.started), 1)
        name = self.target.implementation.name
        self.now = Doing(self.nodeid, name, self.started, seconds)
        self.journal.write(Entry(self.now))
        return limits.ended(self.config, self.started)

    def end(self) -> None:
        """Note that the item has ended."""
        self.journal.write(Entry(Doing()))
        self.journal.close()

    def verdict(self, drawing: float | None = None) -> Verdict:
        """Decide the requirement, and write the verdict down; see :meth:`decide`."""
        in_time = limits.allowed(self.config, self.started) > 0
        end = limits.ended(self.config, self.started) + 1
        last_resort = limits.last_resort(end if self.expendable else None)
        with OURS, quiet(), last_resort, self.noted:
            try:
                verdict = (
                    self.decide(drawing) if in_time else self.undecided(limits.reached(self.config))
                )
            except BaseException as error:
                if self.expendable and _is_of_memory(error):
                    os._exit(1)  # whose memory is gone, be it by a leak or a limit
                after = self.after(error)
                if after is None:
                    raise
                return after
        return self.write_down(verdict)

    def write_down(self, verdict: Verdict) -> Verdict:
        """Write the verdict to disk, and return it."""
        self.reached = verdict
        self.journal.decided(verdict)
        return verdict

    def after(self, error: BaseException) -> Verdict | None:
        """Return the verdict after `error` came from outside :meth:`verdict`; None if it is ours.

        Where something was decided before, that stands. Nothing is, if another implementation may
        have started the thread that raised `error`.
        """
        name = self.target.implementation.name
        what = strays.stray(error, name)
        if not what:
            return None
        alone = len(selection(self.config).targets) == 1
        kind = Crashed if alone or strays.has_left(name) else Undecided
        return self.reached or self.write_down(kind(*self.key, reason=what))

    def seconds(self) -> float | None:
        """Return the seconds for drawing cases by the time budget, None without one."""
        if self.division is None:
            return None
        decided = {each.key for each in RunFolder.of(self.config).verdicts()}
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
        limit = RunFolder.of(self.config).shortened(implementation.name)
        whole = limits.own(self.config, self.started), self.started
        patient = limits.is_watched(self.config) or not self.expendable
        alarm = Alarm(limit, *whole, patient=patient)
        calls = Calls()
        effort = budget(self.config)
        if drawing is not None:
            shrinking = min(effort.shrink_seconds, max(drawing, 1.0))
            effort = replace(effort, seconds=drawing, shrink_seconds=shrinking)

        @functools.wraps(self.requirement.body)
        def body(*case: Any) -> Any:
            try:
                with alarm:
                    measured = self.requirement.body(*case)
            finally:
                self.noted.look()
            calls.end()
            return measured

        def announce(case: Case) -> Callable[[Step], None]:
            now = replace(self.now, case_started=monotonic())
            add = self.journal.write(Entry(now, case, here))
            calls.forget()

            def step(taken: Step) -> None:
                calls.end()  # what it gave is being read
                add(taken)
                alarm.again()
                if taken.case is not None:
                    calls.begin()

            return step

        sooner = Alarm(
            limit and limit / 2, *whole, patient=patient
        )  # leaves as much to the requirement
        failed = smoke_tests(self.config).failure(implementation, self.device, announce, sooner)
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
            return self.reproduced(failed.verdict(*self.key), failed, here)
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
        reason = inapplicable(self.requirement, implementation, self.device, budget(self.config))
        if reason is not None:
            return NotApplicable(*self.key, reason=reason)
        return Undecided(*self.key, reason=why, **rest)


def _is_of_memory(error: BaseException) -> bool:
    """Return whether `error`, or one in its group, says that memory has run out."""
    parts = getattr(error, "exceptions", ())
    return isinstance(error, MemoryError) or any(map(_is_of_memory, parts))


def smoke_tests(config: pytest.Config) -> SmokeTests:
    """Return the smoke tests of this process."""
    return config.stash.setdefault(SMOKE, SmokeTests(RunFolder.of(config)))
