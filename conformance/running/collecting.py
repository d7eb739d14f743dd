"""Collects the verdicts that workers, or this process, report to pytest."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from conformance.checking.verdict import PROPERTY, from_json
from conformance.errors import BROKEN, UsageError
from conformance.implementations.programs.keeper import kept
from conformance.running import limits, remote
from conformance.running.baseline import FAILURES
from conformance.running.collection import LEFT_OUT
from conformance.running.gathering import Gathering
from conformance.running.options import SHARED
from conformance.running.patience import TOOK
from conformance.running.reporting.github import commands
from conformance.running.reporting.terminal.summary import coverage, expectations
from conformance.running.reporting.terminal.tables import table
from conformance.running.resuming import Unfinished
from conformance.running.unfinished import of_dead_worker
from conformance.running.watchdog import Watchdog

TRIED = 3
"""The number of workers that may end, one after the other, without a verdict in between."""
UNINTERRUPTED = ("-c", 'trap "" INT; exec "$@"', "sh")
"""What a shell needs before a command that ignores an interrupt while it starts.

Python would print a traceback: the keyboard interrupts the workers as well.
"""


class Reporting(Gathering):
    """A pytest plugin that turns reports, of this process or of workers, into verdicts.

    Unless the report is `left` to another caller of :meth:`write`, it is written below the table.
    """

    def __init__(self, config: pytest.Config, before: Unfinished | None = None) -> None:
        super().__init__(config, before)
        self.watchdog = Watchdog(self.folder, self.patience)
        self._session: pytest.Session | None = None
        self._others = False
        self._again: set[str] = set()
        self._ended = self._idle = 0
        self._resumed = len(self.run.verdicts)

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Remember the session, whose exit status tells that no report could be written."""
        self._session = session

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self, specs: list[Any]) -> None:
        """Run each worker under a keeper, which ends whatever the worker leaves."""
        for spec in specs:
            if spec.popen and not spec.via and sys.platform != "win32":
                shell = shutil.which("sh")
                begin = [shell, *UNINTERRUPTED] if shell else []
                spec.python = shlex.join(
                    [*begin, *kept(shlex.split(spec.python or sys.executable))]
                )

    @pytest.hookimpl(optionalhook=True, wrapper=True)
    def pytest_xdist_make_scheduler(self) -> Any:
        """Let the watchdog know which worker has been given what."""
        self.watchdog.scheduler = yield
        return self.watchdog.scheduler

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give each worker the seed, the ends of the run, and what there is to resume."""
        shared = (
            *("lstm_seed", "lstm_deadline", "lstm_journal"),
            *("lstm_budget_end", "lstm_resumed", "lstm_circumstances", FAILURES),
        )
        given = {name: self.config.getoption(name) for name in shared}
        self.folder.restore()
        if remote.attach(node, self.folder.path):
            given.update(lstm_journal="", lstm_home=str(Path.cwd()), lstm_work=remote.home(node))
            limits.by_other_clock(given, -monotonic())
        else:
            node.workerinput[limits.WATCHED] = True
        node.workerinput[SHARED] = given
        self.watchdog.add(node)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """End the run if a worker died before the first verdict.

        Every other worker loads the same implementation, and would die as well.
        """
        if not error:
            return
        self.watchdog.forget(node.gateway.id)
        entry = self._entry(node.gateway.id)
        if not self.run.total and entry is not None and entry.now.doing:
            text = f"{entry.now.doing!r}: the process died or hung while loading and trying it"
            self.run.usage_errors[:] = [text]
            pytest.exit(text)
        before, self._ended = self._ended, len(self.run.verdicts)
        self._idle = self._idle + 1 if before == self._ended else 0
        if self._idle == TRIED:
            what = f" while loading {entry.now.doing!r}" if entry and entry.now.doing else ""
            self.run.broken.append(f"{TRIED} processes in a row ended{what}")
            pytest.exit(self.run.broken[-1])
        remote.replaced(node)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Note how many verdicts to expect, and on what."""
        self.run.total = len(ids) + self._resumed
        self._collected()
        self.on_verdict(self.run)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note how many verdicts to expect if there are no workers."""
        self.run.total = max(self.run.total, len(session.items) + self._resumed)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note that the run is broken if something cannot be collected."""
        if report.failed and not self._collected().refusal:
            self.run.broken.append(str(report.longrepr))

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: Any, sched: Any) -> None:
        """Add the verdict to the report of an item in which a worker died.

        Of an item that is decided there is nothing to report: its worker ended on purpose, or what
        it sent did not arrive. An item that had not been begun is given to another worker, once.
        """
        here = self._collected().items.get(crashitem)
        if here is None:
            return
        self._take_from_disk()
        if here in self._decided():
            report.outcome = "passed"
            return
        worker = report.node.gateway.id
        entry = self._entry(worker)
        if entry is not None and not entry.now.doing and crashitem not in self._again:
            self._again.add(crashitem)
            report.outcome = "passed"
            sched.mark_test_pending(crashitem)
            return
        late = self.watchdog.late(worker)
        verdict = of_dead_worker(
            self.config, entry, crashitem, here, late, self._collected().expected
        )
        self.journal.decided(verdict)
        report.user_properties.append((PROPERTY, verdict.to_json()))

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Take the verdict out of a report; a failed report without one breaks the run."""
        known = dict(report.user_properties)
        if PROPERTY in known and report.when != "teardown":
            decided = from_json(known[PROPERTY])
            if known.get(remote.LEFT):
                decided = remote.unpacked(decided, known[remote.LEFT], self.reproductions)
            if TOOK in known:
                self.patience.took(decided.implementation, known[TOOK])
            self._add(decided)
        elif LEFT_OUT in known and report.when == "call":
            self.run.left_out.append(known[LEFT_OUT])
            self.on_verdict(self.run)
        elif report.failed and report.nodeid in self._collected().items:
            self.run.broken.append(f"{report.nodeid}\n{report.longrepr}")
        elif report.when == "call" and PROPERTY not in known:
            self._others = True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Any:
        """End the workers if the run did not end, and see what they left, however the run ended."""
        if not self.run.complete:
            self.watchdog.end_all()
        done = yield
        self.watchdog.stop()
        self.finish()
        if self.run.verdicts and not (self._others or session.exitstatus):
            if self.run.unchecked:
                session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
            elif self.run.not_enough and not self.left:
                session.exitstatus = BROKEN
        if self.run.complaints and not session.exitstatus:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return done

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Write the table of verdicts below pytest's own output, then the report."""
        if self.left:
            return
        self.finish()
        if self.run.verdicts:
            terminalreporter.section("LSTM conformance")
            terminalreporter.write(table(self.run.verdicts))
            github = self.config.getoption("lstm_github")
            for line in (
                *(f"nothing was checked of {name}" for name in self.run.unchecked),
                *coverage(self.run),
                *self.run.circumstances.get("absent", ()),
                *expectations(self.run),
                *map(str, self.run.complaints),
                f"seed {self.run.seed}",
                *(commands(self.run.to_json()) if github else ()),
            ):
                terminalreporter.write_line(line)
        failed = self.write()
        if failed:
            terminalreporter.write_line(failed)
        try:
            terminalreporter.write(self.fix())
        except (UsageError, OSError) as error:
            terminalreporter.write_line(str(error))
            if self._session is not None:
                self._session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def pytest_unconfigure(self) -> None:
        """Write the report where nobody else does."""
        if not self.left:
            self.write()

    def write(self) -> str:
        """Write the report, which the exit status tells if it cannot be written."""
        failed = super().write()
        if failed and self._session is not None:
            self._session.exitstatus = BROKEN
        return failed
