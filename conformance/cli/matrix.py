"""``lstm-conformance matrix``: reports of several versions side by side."""

from __future__ import annotations

import argparse
from pathlib import Path

from conformance.errors import CONFORMANT
from conformance.recording.text import printable
from conformance.running.reporting.side_by_side.markdown import markdown
from conformance.running.reporting.side_by_side.matrix import tables
from conformance.running.reporting.side_by_side.reports import found_in, read


def matrix(asked: argparse.Namespace) -> int:
    """Write the page, the Markdown, or both; print the Markdown if neither is asked for.

    The exit status is 0 whatever the verdicts are. Raises :class:`UsageError` for files that are no
    reports, or that are about the same version.
    """
    found = tables([read(file) for file in found_in(asked.reports)])
    text = printable("\n".join(markdown(found)), longest=10**8)
    if asked.lstm_markdown:
        Path(asked.lstm_markdown).write_text(text + "\n", encoding="utf-8")
    if asked.lstm_html:
        from conformance.running.reporting.side_by_side.page import html

        Path(asked.lstm_html).write_text(html(found), encoding="utf-8")
    if not asked.lstm_markdown and not asked.lstm_html:
        print(text)
    return CONFORMANT
