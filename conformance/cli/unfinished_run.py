"""``lstm-conformance report``: what a run that was ended by force had decided until then."""

from __future__ import annotations

import argparse
from pathlib import Path

from conformance.errors import BROKEN, CONFORMANT, INTERRUPTED, NOT_CONFORMANT
from conformance.running.folder import RunFolder
from conformance.running.journal import collected
from conformance.running.reporting.report import Run
from conformance.running.reporting.terminal import show, summarize


def run_in(folder: Path) -> Run:
    """Return the run that left `folder`, with the verdicts that it had reached.

    Raises :class:`UsageError` if no run left the folder.
    """
    left = RunFolder(folder)
    asked, what = left.asked(), collected(folder)
    run = Run(asked.profile, asked.seed, asked.max_examples, dict(what.circumstances))
    run.total, run.started = len(what.items), asked.started
    run.expected = what.expected
    found = {(each.requirement, each.implementation, each.device): each for each in left.verdicts()}
    run.verdicts = list(found.values())
    run.seconds = left.seconds()
    run.sort(asked.implementations)
    return run


def report(asked: argparse.Namespace) -> int:
    """Print the table, write the report if it is asked for, and return the exit status."""
    run = run_in(asked.folder)
    console = show(run.verdicts)
    summarize(console, run)
    if asked.lstm_json:
        try:
            run.write(Path(asked.lstm_json))
        except OSError as error:
            console.print(f"{asked.lstm_json} cannot be written: {error.strerror}", markup=False)
            return BROKEN
    if not run.complete:
        console.print(f"the run was ended: {len(run.verdicts)} of {run.total} decided")
        return INTERRUPTED
    if run.unchecked and run.faultless:
        return BROKEN
    return CONFORMANT if run.conformant else NOT_CONFORMANT
