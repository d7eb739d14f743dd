"""A report as JUnit XML, which most services for continuous integration read."""

from __future__ import annotations

from typing import Any

from conformance.checking.verdict import by_target
from conformance.recording.text import printable
from conformance.running.reporting.pages.rendering import page
from conformance.running.reporting.reading import run_of

LONGEST = 10**9
"""The number of characters that are kept of a file."""


def junit(report: dict[str, Any]) -> str:
    """Return a test suite for each implementation and device, with a case for each requirement."""
    run = run_of(report)
    text = page(
        "junit.xml.jinja",
        groups=by_target(run.verdicts),
        known={"profile": run.profile, "seed": run.seed, **run.circumstances},
        started=report["run"]["started"].removesuffix("Z"),
    )
    # of characters that XML cannot hold, none is printable
    return printable(text, LONGEST) + "\n"
