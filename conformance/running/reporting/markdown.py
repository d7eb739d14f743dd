"""A report as Markdown, for the summary of a run of continuous integration."""

from __future__ import annotations

from collections import Counter
from typing import Any

from conformance.checking.verdict import OUTCOMES, NotApplicable, Verdict, by_target, explained
from conformance.running.reporting.pages.rendering import page
from conformance.running.reporting.reading import run_of

MOST = 30
"""The number of failures with their details. Services limit the size of a summary."""
LONGEST = 4000
"""The number of characters that are kept of the details of a failure."""
SIGNS = {"passed": "✅", "not applicable": "⚪", "expected failure": "🟡", "failed should": "⚠️"}
"""The sign of an outcome; any other one is red."""


def markdown(report: dict[str, Any]) -> str:
    """Return counts, the failures with their numbers, and a folded table of every verdict."""
    run = run_of(report)
    groups = {
        group: {each.requirement: each for each in verdicts}
        for group, verdicts in by_target(run.verdicts).items()
    }
    counted = {
        group: Counter(each.outcome for each in verdicts.values())
        for group, verdicts in groups.items()
    }
    applying = {
        group: verdicts
        for group, verdicts in groups.items()
        if not all(isinstance(each, NotApplicable) for each in verdicts.values())
    } or groups
    undecided, decided = explained(run.verdicts)
    text = page(
        "run.md.jinja",
        run=run,
        outcomes=[name for name in OUTCOMES if any(each[name] for each in counted.values())],
        counted=counted,
        undecided=undecided,
        decided=decided,
        most=MOST,
        groups=applying,
        names=list(dict.fromkeys(name for verdicts in applying.values() for name in verdicts)),
        sign=_sign,
        details=_details,
        cell=_cell,
    )
    return f"{text}\n"


def _sign(verdict: Verdict) -> str:
    return SIGNS.get(verdict.outcome, "❌")


def _details(verdict: Verdict) -> str:
    """Return the lines of a verdict but empty ones, at which some readers end the HTML."""
    text = "\n".join(line for line in "\n".join(verdict.lines()).split("\n") if line.strip())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _cell(verdict: Verdict) -> str:
    share = verdict.share if verdict.conformant else None
    measured = "" if share is None else f" ({share:.1%})"
    return f"{_sign(verdict)} {verdict.outcome}{measured}"
