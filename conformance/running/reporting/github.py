"""What GitHub Actions shows of a report: annotations, and the summary of the job."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.checking.verdict import Verdict, explained
from conformance.running.reporting.markdown import markdown
from conformance.running.reporting.reading import run_of

MOST = 10
"""The number of annotations that GitHub shows of one step."""
LONGEST = 1000
"""The number of characters that are kept of a failure."""


def commands(report: dict[str, Any]) -> list[str]:
    """Return workflow commands, each a line: an error for what is red, a warning for a should."""
    run = run_of(report)
    undecided, decided = explained(run.verdicts)
    lines = [
        command("error", f"{len(names)} undecided: {reason}", title="undecided")
        for reason, names in undecided.items()
    ]
    if not run.complete or (run.faultless and not run.conformant):
        lines.insert(0, command("error", run.outcome, title="lstm-conformance"))
    lines += map(_annotation, decided)
    if len(lines) > MOST:
        more = f"{len(lines) - MOST + 1} more are in the summary"
        lines[MOST - 1 :] = [command("error", more, title="lstm-conformance")]
    return lines


def command(name: str, message: str, **properties: str) -> str:
    """Return a workflow command; whatever the texts are, it is one line, and one command."""
    given = ",".join(
        f"{key}={_escaped(value).replace(':', '%3A').replace(',', '%2C')}"
        for key, value in properties.items()
        if value
    )
    return f"::{name} {given}::{_escaped(message)}"


def summarize(report: dict[str, Any]) -> None:
    """Append the Markdown to the file of the summary, if GitHub names one."""
    target = os.environ.get("GITHUB_STEP_SUMMARY")
    if target:
        with Path(target).open("a", encoding="utf-8") as file:
            file.write(markdown(report))


@contextlib.contextmanager
def without_commands() -> Iterator[None]:
    """Let GitHub take no printed line within for a command: an implementation may have written it.

    The lines go to standard output.
    """
    token = secrets.token_hex(16)
    print(f"::stop-commands::{token}", flush=True)
    try:
        yield
    finally:
        print(f"::{token}::", flush=True)


def _annotation(verdict: Verdict) -> str:
    found = verdict.counterexample
    diagnosis = found.diagnosis.lines() if found else []
    place = verdict.implementation.rpartition(":")[0]
    return command(
        "warning" if verdict.conformant else "error",
        "\n".join([f"{verdict.where}: {verdict.message[:LONGEST]}", *diagnosis]),
        file=place if place.endswith(".py") else "",
        title=f"{verdict.requirement} {verdict.outcome}",
    )


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
