"""The progress of a run, shown in place of pytest's own output."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.terminal import TerminalReporter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

from conformance.running.interrupts import Interrupts

if TYPE_CHECKING:
    from conformance.running.collecting import Reporting
    from conformance.running.reporting.report import Run

SHARES = 10
"""The number of lines that show the progress of a run without a terminal for a bar."""


def bar(console: Console, **how: Any) -> Progress:
    """Return a bar that vanishes in the end; `how` are arguments of :class:`Progress`."""
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, **how)


def told(run: Run) -> str:
    """Return in words whether all is well so far."""
    bad = sum(not verdict.conformant for verdict in run.verdicts)
    return f"{bad} not conformant" if bad else "all conformant so far"


class Face:
    """A pytest plugin that shows progress on `console`: a bar or, without a terminal, lines.

    `log` keeps what pytest would have printed, in case the run breaks; `run` is the run itself, and
    `reporting` what collects it, None until it has begun. `interrupts` are the signals that arrive
    meanwhile.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.log = io.StringIO()
        self.interrupts = Interrupts()
        self.run: Run | None = None
        self.reporting: Reporting | None = None
        self._bar = bar(console, disable=not console.is_terminal)
        self._task = self._bar.add_task("starting", total=None)
        self._shown = 0

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Redirect pytest's terminal reporter."""
        plain = config.pluginmanager.getplugin("terminalreporter")
        if plain is not None:
            config.pluginmanager.unregister(plain)
            quiet = TerminalReporter(config, self.log)
            config.pluginmanager.register(quiet, "terminalreporter")

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Follow the verdicts as they come."""
        reporting: Any = session.config.pluginmanager.getplugin("lstm_conformance_reporting")
        if reporting is not None:
            self.run, self.reporting = reporting.run, reporting
            reporting.left = True
            reporting.on_verdict = self._advance
            self._bar.start()

    def _advance(self, run: Run) -> None:
        done, what = len(run.verdicts) + len(run.left_out), told(run)
        self._bar.update(self._task, description=what, total=run.total or None, completed=done)
        share = done * SHARES // max(run.total, 1)
        if share > self._shown and not self.console.is_terminal:
            self._shown = share
            self.console.print(f"{done} of {run.total} decided, {what}", highlight=False)

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self) -> None:
        """Let nothing interrupt the end of the run."""
        self.interrupts.ends()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Remove the progress bar."""
        self.interrupts.ends()
        # without a terminal there is no bar; stopping it would print an empty line up to rich 13
        if self.run is not None and self.console.is_terminal:
            self._bar.stop()
