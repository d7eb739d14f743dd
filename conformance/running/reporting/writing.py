"""The files that options ask for, all made from one report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from conformance.recording.json import write_text

HOME = "conformance.running.reporting"
FORMS = {
    "lstm_json": "conformance.recording.json:as_text",
    "lstm_html": f"{HOME}.pages.run:html",
    "lstm_junit": f"{HOME}.junit:junit",
    "lstm_markdown": f"{HOME}.markdown:markdown",
}
"""What makes the text of a file, and is imported then, by the key of the option for the file."""


class Unwritable(Exception):
    """A file that cannot be written; the text is one line."""


def write_all(report: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Write each file that the options `values`, by key, ask for; raises :class:`Unwritable`.

    For GitHub that is the summary of the job.
    """
    for key, form in FORMS.items():
        target = values.get(key)
        try:
            if target:
                write_text(Path(target), resolve_name(form)(report))
        except OSError as error:
            raise Unwritable(f"{target} cannot be written: {error.strerror}") from None
    if values.get("lstm_github"):
        from conformance.running.reporting.github import summarize

        try:
            summarize(report)
        except OSError as error:
            text = f"the file of GITHUB_STEP_SUMMARY cannot be written: {error.strerror}"
            raise Unwritable(text) from None
