"""The files that options ask for, all made from one report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from conformance.recording.json import as_text, write_text


def _html(report: dict[str, Any]) -> str:
    from conformance.running.reporting.html import html

    return html(report)


def _junit(report: dict[str, Any]) -> str:
    from conformance.running.reporting.junit import junit

    return junit(report)


def _markdown(report: dict[str, Any]) -> str:
    from conformance.running.reporting.markdown import markdown

    return markdown(report)


FORMS: dict[str, Callable[[dict[str, Any]], str]] = {
    "lstm_json": as_text,
    "lstm_html": _html,
    "lstm_junit": _junit,
    "lstm_markdown": _markdown,
}
"""What makes the text of a file, by the key of the option that names the file."""


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
                write_text(Path(target), form(report))
        except OSError as error:
            raise Unwritable(f"{target} cannot be written: {error.strerror}") from None
    if values.get("lstm_github"):
        from conformance.running.reporting.github import summarize

        try:
            summarize(report)
        except OSError as error:
            text = f"the file of GITHUB_STEP_SUMMARY cannot be written: {error.strerror}"
            raise Unwritable(text) from None
