"""Collects the verdicts of a run, in the process that reports."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.checking.verdict import PROPERTY, Verdict, from_json
from conformance.errors import BROKEN, UsageError
from conformance.implementations.own_imports import OURS
from conformance.implementations.programs.keeper import kept
from conformance.reproductions.directory import remove, shown, tidy
from conformance.running import remote
from conformance.running.baseline import FAILURES, baseline
from conformance.running.collection import LEFT_OUT
from conformance.running.expecting import fix
from conformance.running.folder import Asked, RunFolder, sweep
from conformance.running.journal import ALONE, Collected, Entry, Journal, collected, read
from conformance.running.limits import timeout
from conformance.running.options import FIXING, SHARED, deciding
from conformance.running.patience import TOOK, Patience
from conformance.running.reporting import coverage
from conformance.running.reporting.floor import floor
from conformance.running.reporting.github import commands
from conformance.running.reporting.report import Run
from conformance.running.reporting.terminal.summary import expectations
from conformance.running.reporting.terminal.tables import table
from conformance.running.reporting.writing import Unwritable, write_all
from conformance.running.resuming import Unfinished
from conformance.running.unfinished import of_dead_worker
from conformance.running.watchdog import Watchdog

TRIED = 3
"""The number of workers that may end, one after the other, without a verdict in between."""


class Reporting:
    """A pytest plugin that turns reports, of this process or of workers, into verdicts.

    `on_verdict` is called after each verdict. Unless the report is `left` to another caller of
    :meth:`write`, it is written below the table.
    """

    def __init__(self, config: pytest.Config, before: Unfinished | None = None) -> None:
        option = config.option
        self.config = config
        self.run = Run(option.lstm_profile, option.lstm_seed, option.lstm_max_examples)
        filters = option.lstm_requirement, option.lstm_level, option.lstm_max_examples
        timed = option.lstm_time_budget is not None
        self.run.floor = floor(option.lstm_floor, option.lstm_profile, any(filters), timed)
        self.run.shard = option.lstm_shard or ""
        self.on_verdict: Callable[[Run], None] = lambda _: None
        self.left = False
        self.reproductions = Path(option.lstm_reproductions)
        if before is None:
            sweep(self.reproductions)
        run, values = self.run, deciding(vars(option))
        asked = Asked(
            run.profile, run.seed, run.max_examples, run.started, run.floor, run.shard, values
        )
        self.folder = RunFolder.create(self.reproductions, asked)
        option.lstm_journal = str(self.folder.path)
        self.journal = Journal(self.folder.path / ALONE)
        self.watchdog = Watchdog(self.folder)
        self.patience = Patience(timeout(config))
        self._session: pytest.Session | None = None
        self._others = False
        self._ended = self._idle = 0
        self._before = before
        for verdict in before.verdicts if before else ():
            self.journal.decided(verdict)
            self._add(verdict)
        self._resumed = len(run.verdicts)

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Remember the session, whose exit status tells that no report could be written."""
        self._session = session

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self, specs: list[Any]) -> None:
        """Run each worker under a keeper, which ends whatever the worker leaves."""
        for spec in specs:
            if spec.popen and not spec.via and sys.platform != "win32":
                spec.python = shlex.join(kept(shlex.split(spec.python or sys.executable)))

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
        if remote.attach(node, self.folder.path):
            given.update(lstm_journal="", lstm_home=str(Path.cwd()), lstm_work=remote.home(node))
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
        """Note how many verdicts to expect."""
        self.run.total = len(ids) + self._resumed
        self.on_verdict(self.run)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note how many verdicts to expect if there are no workers."""
        self.run.total = max(self.run.total, len(session.items) + self._resumed)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note that the run is broken if something cannot be collected."""
        if report.failed and not self._collected().refusal:
            self.run.broken.append(str(report.longrepr))

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: Any) -> None:
        """Add the verdict to the report of an item in which a worker died.

        Of an item that is decided there is nothing to report: its worker ended on purpose, or what
        it sent did not arrive.
        """
        here = self._collected().items.get(crashitem)
        if here is None:
            return
        self._take_from_disk()
        if here in self._decided():
            report.outcome = "passed"
            return
        worker = report.node.gateway.id
        entry, late = self._entry(worker), self.watchdog.late(worker)
        verdict = of_dead_worker(
            self.config, entry, crashitem, here, late, self._collected().expected
        )
        self.journal.decided(verdict)
        report.user_properties.append((PROPERTY, verdict.to_json()))

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Take the verdict out of a report; a failed report without one breaks the run."""
        verdict = dict(report.user_properties).get(PROPERTY)
        if verdict is not None and report.when != "teardown":
            decided = from_json(verdict)
            files = dict(report.user_properties).get(remote.LEFT)
            if files:
                decided = remote.unpacked(decided, files, self.reproductions)
            took = dict(report.user_properties).get(TOOK)
            if took is not None:
                self.patience.took(decided.implementation, took)
            self._add(decided)
        elif LEFT_OUT in dict(report.user_properties) and report.when == "call":
            self.run.left_out.append(dict(report.user_properties)[LEFT_OUT])
            self.on_verdict(self.run)
        elif report.failed and report.nodeid in self._collected().items:
            self.run.broken.append(f"{report.nodeid}\n{report.longrepr}")
        elif report.when == "call" and verdict is None:
            self._others = True

    def _decided(self) -> set[tuple[str, str, str]]:
        return {each.key for each in self.run.verdicts}

    def _take_from_disk(self) -> None:
        """Add the verdicts that were written to disk, but did not arrive in a report."""
        with OURS:
            for verdict in self.folder.verdicts():
                self._add(verdict)

    def _add(self, verdict: Verdict) -> None:
        if verdict.key in self._decided():
            return
        if verdict.complete:
            remove(self.reproductions, verdict)
        self.run.verdicts.append(verdict)
        if self.patience.learn(verdict):
            self.watchdog.limits = self.patience.limits
            self.folder.shorten(self.patience.limits)
            self.run.circumstances["shortened"] = list(self.patience.reasons.values())
        self.on_verdict(self.run)

    def _entry(self, worker: str) -> Entry | None:
        with OURS:
            return read(self.folder.path / worker)

    def _collected(self) -> Collected:
        with OURS:
            return collected(self.folder.path)

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

    def finish(self) -> None:
        """Complete the run with what is on disk; does so once."""
        if self.run.seconds:
            return
        self._take_from_disk()
        what = self._collected()
        self.run.circumstances = {**what.circumstances, **self.run.circumstances}
        self.run.expected = what.expected
        self.run.usage_errors += [what.refusal] if what.refusal else []
        self.run.items_digest = what.digest
        self.run.sort()
        if self.config.getoption("lstm_baseline"):
            mended = baseline(self.config).mended(self.run.verdicts)
            self.run.circumstances["mended"] = list(mended)
        self.run.seconds = time.time() - self.run.started

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Write the table of verdicts below pytest's own output, then the report."""
        if self.left:
            return
        self.finish()
        if self.run.verdicts:
            terminalreporter.section("LSTM conformance")
            terminalreporter.write(table(self.run.verdicts))
            for name in self.run.unchecked:
                terminalreporter.write_line(f"nothing was checked of {name}")
            for line in coverage.lines(self.run):
                terminalreporter.write_line(line)
            for line in (
                *self.run.circumstances.get("absent", ()),
                *expectations(self.run),
                *map(str, self.run.complaints),
                f"seed {self.run.seed}",
            ):
                terminalreporter.write_line(line)
            if self.config.getoption("lstm_github"):
                for line in commands(self.run.to_json()):
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

    def fix(self) -> str:
        """Rewrite the file of expected failures if that is asked for; returns a line on it.

        Raises :class:`UsageError` if not everything was decided, and :class:`OSError`.
        """
        if not self.config.getoption(FIXING):
            return ""
        return fix(Path(self.config.getoption("lstm_expectations")), self.run) + "\n"

    def write(self) -> str:
        """Write the report and delete the folder of the run.

        Returns what prevented the report in a line; then the folder stays.
        """
        self.left = True
        self.finish()
        try:
            write_all(self.run.to_json(), vars(self.config.option))
        except Unwritable as error:
            if self._session is not None:
                self._session.exitstatus = BROKEN
            failed = str(error)
            if len(list(self.folder.verdicts())) >= len(self.run.verdicts) > 0:
                folder = shown(self.folder.path, Path.cwd())
                return f"{failed}; `lstm-conformance report {folder} --json FILE` writes it later"
        else:
            failed = ""
        if self.run.complete or not self.run.verdicts or self.run.usage_errors:
            self.folder.remove()
        else:
            self.folder.release()
        if self._before is not None and not self.run.usage_errors:
            self._before.folder.remove()
        tidy(self.reproductions)
        return failed
