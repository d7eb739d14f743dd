"""What a run that was ended by force had decided until then."""

from __future__ import annotations

from pathlib import Path

from conformance.running.folder import RunFolder
from conformance.running.journal import collected
from conformance.running.reporting.report import Run


def run_in(folder: Path) -> Run:
    """Return the run that left `folder`, with the verdicts that it had reached.

    Raises :class:`UsageError` if no run left the folder.
    """
    left = RunFolder(folder)
    asked, what = left.asked(), collected(folder)
    run = Run(asked.profile, asked.seed, asked.max_examples, dict(what.circumstances))
    run.floor, run.shard, run.items_digest = asked.floor, asked.shard, what.digest
    run.total, run.started = len(what.items), asked.started
    run.expected = what.expected
    found = {each.key: each for each in left.verdicts()}
    run.verdicts = list(found.values())
    run.seconds = left.seconds()
    run.sort()
    return run
