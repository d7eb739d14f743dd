"""The commands ``report``, ``compare`` and ``matrix``: one report, two, and those of versions."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from pathlib import Path

from conformance.errors import BROKEN, CONFORMANT, INTERRUPTED, NOT_CONFORMANT
from conformance.recording.text import printable
from conformance.running.folder import RunFolder
from conformance.running.journal import collected
from conformance.running.reporting.github import commands, without_commands
from conformance.running.reporting.merging import missing, whole
from conformance.running.reporting.reading import run_of
from conformance.running.reporting.report import Run
from conformance.running.reporting.side_by_side import page, wording
from conformance.running.reporting.side_by_side.changes import changes
from conformance.running.reporting.side_by_side.matrix import tables
from conformance.running.reporting.side_by_side.reports import found_in, read
from conformance.running.reporting.terminal import show
from conformance.running.reporting.terminal.summary import summarize
from conformance.running.reporting.writing import Unwritable, write_all


def report(asked: argparse.Namespace) -> int:
    """Print the table, write what is asked for, and return the exit status that the run had.

    The places are the files of the shards of one run, or the folder of a run that was ended. One
    shard of several is never enough.
    """
    first, *others = asked.places
    if first.is_dir() and not others:
        run = run_in(first)
        found = run.to_json()
    else:
        found = whole(asked.places)
        run = run_of(found)
    lacking = missing([run.shard]) if run.shard else []
    with without_commands() if asked.lstm_github else nullcontext():
        console = show(run.verdicts)
        summarize(console, run)
        for line in lacking:
            console.print(f"not enough was checked: {line}", markup=False)
        if not run.complete:
            decided = f"{len(run.verdicts)} of {run.total} decided" if first.is_dir() else ""
            console.print(f"the run was ended: {decided or 'it is not complete'}", markup=False)
    for line in commands(found) if asked.lstm_github else ():
        print(line)
    try:
        write_all(found, vars(asked))
    except Unwritable as error:
        console.print(str(error), markup=False)
        return BROKEN
    if not run.complete:
        return INTERRUPTED
    return run.status or (BROKEN if lacking else CONFORMANT)


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
    run.verdicts = list({each.key: each for each in left.verdicts()}.values())
    run.seconds = left.seconds()
    run.sort()
    return run


def compare(asked: argparse.Namespace) -> int:
    """Print what changed, write it as Markdown if that is asked for, and return the exit status.

    It is 0 if nothing got worse, and 1 if something did. Raises :class:`UsageError` for files that
    cannot be compared.
    """
    old, new = read(asked.old), read(asked.new)
    found = changes(old, new)
    print(printable("\n".join(wording.text(old, new, found)), longest=10**7))
    if asked.lstm_markdown:
        text = wording.markdown(old, new, found)
        Path(asked.lstm_markdown).write_text(text + "\n", encoding="utf-8")
    return NOT_CONFORMANT if any(change.kind.worse for change in found) else CONFORMANT


def matrix(asked: argparse.Namespace) -> int:
    """Write the page, the Markdown, or both; print the Markdown if neither is asked for.

    The exit status is 0 whatever the verdicts are. Raises :class:`UsageError` for files that are
    not reports, or that are about the same version.
    """
    found = tables([read(file) for file in found_in(asked.reports)])
    text = printable(page.markdown(found), longest=10**8)
    if asked.lstm_markdown:
        Path(asked.lstm_markdown).write_text(text + "\n", encoding="utf-8")
    if asked.lstm_html:
        Path(asked.lstm_html).write_text(page.html(found), encoding="utf-8")
    if not asked.lstm_markdown and not asked.lstm_html:
        print(text)
    return CONFORMANT
