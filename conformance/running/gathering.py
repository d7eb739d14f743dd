"""Gathers the verdicts of a run, in the process that reports: on disk, and in the report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest

from conformance.checking.verdict import Key, Verdict
from conformance.implementations.own_imports import OURS
from conformance.reproductions.directory import remove, shown, tidy
from conformance.running.baseline import baseline
from conformance.running.expecting import fix
from conformance.running.folder import Asked, RunFolder, sweep
from conformance.running.journal import ALONE, Collected, Entry, Journal, collected, read
from conformance.running.limits import timeout
from conformance.running.options import FIXING, deciding
from conformance.running.patience import Patience
from conformance.running.reporting.floor import floor
from conformance.running.reporting.report import Run
from conformance.running.reporting.writing import Unwritable, write_all
from conformance.running.resuming import Unfinished


class Gathering:
    """The verdicts of the run that `config` asks for; those `before` it are of one to be resumed.

    `on_verdict` is called after each verdict.
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
        self._began = monotonic()
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
        self.patience = Patience(timeout(config))
        self._before = before
        self._found = Collected()
        for verdict in before.verdicts if before else ():
            self.journal.decided(verdict)
            self._add(verdict)

    def _decided(self) -> set[Key]:
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
            self.folder.shorten(self.patience.limits)
            self.run.circumstances["shortened"] = list(self.patience.reasons.values())
        self.on_verdict(self.run)

    def _entry(self, worker: str) -> Entry | None:
        with OURS:
            return read(self.folder.path / worker)

    def _collected(self) -> Collected:
        with OURS:
            found = collected(self.folder.path)
        if found != Collected():  # else code under test has deleted the folder
            self._found = found
        return self._found

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
        self.run.seconds = monotonic() - self._began

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
        failed = ""
        try:
            write_all(self.run.to_json(), vars(self.config.option))
        except Unwritable as error:
            failed = str(error)
            if len(list(self.folder.verdicts())) >= len(self.run.verdicts) > 0:
                folder = shown(self.folder.path, Path.cwd())
                return f"{failed}; `lstm-conformance report {folder} --json FILE` writes it later"
        if self.run.complete or not self.run.verdicts or self.run.usage_errors:
            self.folder.remove()
        else:
            self.folder.release()
        if self._before is not None and not self.run.usage_errors:
            self._before.folder.remove()
        tidy(self.reproductions)
        return failed
