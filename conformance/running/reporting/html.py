"""The page in HTML of a report."""

from __future__ import annotations

from typing import Any

from conformance.running.reporting.pages import run
from conformance.running.reporting.reading import run_of


def html(report: dict[str, Any]) -> str:
    """Return one page that loads nothing else, of a report as ``--json`` writes it."""
    return run.html(run_of(report))
