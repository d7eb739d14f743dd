"""Collects the verdicts of a run, in the process that reports."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.checking.verdict import (
    PROPERTY,
    Crashed,
    ExpectedFailure,
    Passed,
    Undecided,
    UnexpectedPass,
    Verdict,
    from_json,
)
from conformance.implementations.own_imports import OURS
from conformance.reproductions.directory import remove, tidy
from conformance.running.journal import Collected, Entry, collected, read
from conformance.running.limits import is_over, reached, timeout
from conformance.running.options import SHARED
from conformance.running.reporting.report import Run
from conformance.running.reporting.terminal import table
from conformance.running.unfinished import unfinished


class Reporting:
    """A pytest plugin that turns reports, of this process or of workers, into verdicts."""

    def __init__(self, config: pytest.Config) -> None:
        option = config.option
        self.config = config
        self.run = Run(option.lstm_profile, option.lstm_seed, option.lstm_max_examples)
        self.on_verdict: Callable[[Run], None] = lambda _: None
        self.reproductions = Path(option.lstm_reproductions)
        self.journal = Path(option.lstm_journal)
        self._decided: set[str] = set()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give each worker the seed, the end of the run, and the folder of the journals."""
        shared = ("lstm_seed", "lstm_deadline", "lstm_journal")
        node.workerinput[SHARED] = {name: self.config.getoption(name) for name in shared}

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """End the run if a worker died before the first verdict.

        Every other worker loads the same implementation, and would die as well.
        """
        entry = self._entry(node.gateway.id)
        if error and not self.run.total and entry is not None:
            text = f"{entry.doing!r}: the process died or hung while loading and trying it"
            self.run.usage_errors[:] = [text]
            pytest.exit(text)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Note how many verdicts to expect."""
        self.run.total = len(ids)
        self.on_verdict(self.run)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note how many verdicts to expect if there are no workers."""
        self.run.total = max(self.run.total, len(session.items))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note that the run is broken if something cannot be collected."""
        if report.failed and not self._collected().refusal:
            self.run.broken.append(str(report.longrepr))

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: Any) -> None:
        """Add the verdict to the report of an item in which a worker died.

        Of an item that is decided there is nothing to report: its worker ended on purpose.
        """
        if crashitem in self._decided:
            report.outcome = "passed"
            return
        here = self._collected().items.get(crashitem)
        if here is not None:
            entry = self._entry(report.node.gateway.id)
            verdict = self._of_dead_worker(crashitem, here, entry)
            report.user_properties.append((PROPERTY, verdict.to_json()))

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Take the verdict out of a report; a failed report without one breaks the run."""
        verdict = dict(report.user_properties).get(PROPERTY)
        if verdict is not None and report.when != "teardown":
            self._decided.add(report.nodeid)
            self._add(from_json(verdict))
        elif report.failed and report.nodeid in self._collected().items:
            self.run.broken.append(f"{report.nodeid}\n{report.longrepr}")

    def _add(self, verdict: Verdict) -> None:
        if isinstance(verdict, (Passed, ExpectedFailure, UnexpectedPass)):
            remove(self.reproductions, verdict)
        self.run.verdicts.append(verdict)
        self.on_verdict(self.run)

    def _entry(self, worker: str) -> Entry | None:
        with OURS:
            return read(self.journal / worker)

    def _collected(self) -> Collected:
        with OURS:
            return collected(self.journal)

    def _of_dead_worker(
        self, item: str, here: tuple[str, str, str], entry: Entry | None
    ) -> Verdict:
        if entry is not None and (entry.doing != item or entry.case is None):
            entry = None
        seconds, limit = 0.0 if entry is None else time.time() - entry.started, timeout(self.config)
        late = seconds >= limit
        if is_over(self.config) and not late:
            within = "" if entry is None else f" in {entry.case!r}"
            return Undecided(*here, seconds=seconds, reason=reached(self.config) + within)
        if entry is None:
            return Crashed(*here, reason="the process died")
        what = f"no verdict within {limit:g} s" if late else "the process died in this case"
        return unfinished(entry, self.reproductions, what, seconds, late)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the report, however the run ended."""
        self.run.seconds = time.time() - self.run.started
        what = self._collected()
        self.run.circumstances.update(what.circumstances)
        self.run.usage_errors += [what.refusal] if what.refusal else []
        shutil.rmtree(self.journal, ignore_errors=True)
        tidy(self.reproductions)
        self.run.sort(session.config.getoption("lstm"))
        target = session.config.getoption("lstm_json")
        if target:
            self.run.write(Path(target))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Write the table of verdicts below pytest's own output."""
        if self.run.verdicts:
            terminalreporter.section("LSTM conformance")
            terminalreporter.write(table(self.run.verdicts))
            for line in (*self.run.circumstances.get("absent", ()), f"seed {self.run.seed}"):
                terminalreporter.write_line(line)
