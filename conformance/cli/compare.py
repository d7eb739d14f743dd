"""``lstm-conformance compare``: what changed from one report to another one."""

from __future__ import annotations

import argparse
from pathlib import Path

from conformance.errors import CONFORMANT, NOT_CONFORMANT
from conformance.recording.text import printable
from conformance.running.reporting.side_by_side import wording
from conformance.running.reporting.side_by_side.changes import changes
from conformance.running.reporting.side_by_side.reports import read


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
