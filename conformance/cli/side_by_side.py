"""``lstm-conformance compare`` and ``matrix``: two reports, and reports of several versions."""

from __future__ import annotations

import argparse
from pathlib import Path

from conformance.errors import CONFORMANT, NOT_CONFORMANT
from conformance.recording.text import printable
from conformance.running.reporting.side_by_side import markdown, wording
from conformance.running.reporting.side_by_side.changes import changes
from conformance.running.reporting.side_by_side.matrix import tables
from conformance.running.reporting.side_by_side.reports import found_in, read


def compare(asked: argparse.Namespace) -> int:
    """Print what changed, write it as Markdown if that is asked for, and return the exit status.

    It is 0 if nothing got worse, and 1 if something did. Raises :class:`UsageError` for files that
    cannot be compared.
    """
    old, new = read(asked.old), read(asked.new)
    found = changes(old, new)
    print(printable("\n".join(wording.text(old, new, found)), longest=10**7))
    if asked.lstm_markdown:
        text = "\n".join(wording.markdown(old, new, found))
        Path(asked.lstm_markdown).write_text(text + "\n", encoding="utf-8")
    return NOT_CONFORMANT if any(change.kind.worse for change in found) else CONFORMANT


def matrix(asked: argparse.Namespace) -> int:
    """Write the page, the Markdown, or both; print the Markdown if neither is asked for.

    The exit status is 0 whatever the verdicts are. Raises :class:`UsageError` for files that are
    not reports, or that are about the same version.
    """
    found = tables([read(file) for file in found_in(asked.reports)])
    text = printable("\n".join(markdown.markdown(found)), longest=10**8)
    if asked.lstm_markdown:
        Path(asked.lstm_markdown).write_text(text + "\n", encoding="utf-8")
    if asked.lstm_html:
        from conformance.running.reporting.side_by_side.page import html

        Path(asked.lstm_html).write_text(html(found), encoding="utf-8")
    if not asked.lstm_markdown and not asked.lstm_html:
        print(text)
    return CONFORMANT
