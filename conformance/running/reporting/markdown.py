"""A report as Markdown, for the summary of a run of continuous integration."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from conformance.checking.verdict import OUTCOMES, NotApplicable, Verdict, by_target, explained
from conformance.running.reporting.reading import run_of
from conformance.running.reporting.report import Run

MOST = 30
"""The number of failures with their details. Services limit the size of a summary."""
LONGEST = 4000
"""The number of characters that are kept of the details of a failure."""
SIGNS = {"passed": "✅", "not applicable": "⚪", "expected failure": "🟡", "failed should": "⚠️"}
"""The sign of an outcome; any other one is red."""

SPECIAL = re.compile(r"[\\`*\[\]|#~$]|:(?=[\w+-]+:)|(?<![^\W_])_|_(?![^\W_])")
"""What may have a meaning in Markdown, beside HTML; an underscore has none within a word."""


def markdown(report: dict[str, Any]) -> str:
    """Return counts, the failures with their numbers, and a folded table of every verdict."""
    run = run_of(report)
    groups = {
        group: {each.requirement: each for each in verdicts}
        for group, verdicts in by_target(run.verdicts).items()
    }
    lines = [f"## lstm-conformance: {run.outcome}", "", *_counts(groups), *_failures(run)]
    if groups:
        lines += ["<details><summary>Every requirement</summary>", "", *_table(groups)]
        lines += ["", "</details>", ""]
    about = f"profile {run.profile}, seed {run.seed}, {run.seconds:.0f} s"
    versions = [
        f"{name} {escaped(str(run.circumstances[name]))}"
        for name in ("torch", "python", "numpy", "hypothesis")
        if name in run.circumstances
    ]
    return "\n".join([*lines, ", ".join([about, *versions]), ""])


def escaped(text: str) -> str:
    """Return a line of Markdown that shows `text` as it is, also in a table."""
    line = SPECIAL.sub(r"\\\g<0>", html.escape(" ".join(text.split()), quote=False))
    return re.sub(r"(?i)(www|https?|ftp)(?=[.:])", r"\1&#8203;", line)


def _counts(groups: dict[tuple[str, str], dict[str, Verdict]]) -> Iterator[str]:
    counted = {
        group: Counter(each.outcome for each in verdicts.values())
        for group, verdicts in groups.items()
    }
    shown = [name for name in OUTCOMES if any(counts[name] for counts in counted.values())]
    yield f"| implementation | device | {' | '.join(shown)} |"
    yield f"|---|---|{'---:|' * len(shown)}"
    for (implementation, device), counts in counted.items():
        numbers = " | ".join(str(counts[name] or "") for name in shown)
        yield f"| {escaped(implementation)} | {escaped(device)} | {numbers} |"
    yield ""


def _failures(run: Run) -> Iterator[str]:
    undecided, decided = explained(run.verdicts)
    for reason, names in undecided.items():
        yield f"**{len(names)} undecided**: {escaped(reason)}"
        yield ""
    for verdict in decided[:MOST]:
        first = verdict.message.partition("\n")[0][:300]
        yield (
            f"<details><summary>{SIGNS.get(verdict.outcome, '❌')} "
            f"<b>{html.escape(verdict.requirement)}</b> {verdict.outcome}, "
            f"{html.escape(f'{verdict.where}: {first}')}</summary>"
        )
        yield ""
        # without empty lines, at which some readers end the HTML
        text = "\n".join(line for line in "\n".join(verdict.lines()).split("\n") if line.strip())
        cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
        yield f"<pre>{html.escape(cut)}</pre>"
        yield ""
        yield "</details>"
        yield ""
    if len(decided) > MOST:
        yield f"{len(decided) - MOST} more failed."
        yield ""


def _table(groups: dict[tuple[str, str], dict[str, Verdict]]) -> Iterator[str]:
    shown = {
        group: verdicts
        for group, verdicts in groups.items()
        if not all(isinstance(each, NotApplicable) for each in verdicts.values())
    } or groups
    names = dict.fromkeys(name for verdicts in shown.values() for name in verdicts)
    heads = [f"{escaped(implementation)}, {escaped(device)}" for implementation, device in shown]
    yield f"| requirement | {' | '.join(heads)} |"
    yield f"|---|{'---|' * len(heads)}"
    for name in names:
        cells = [_cell(each[name]) if name in each else "" for each in shown.values()]
        yield f"| {escaped(name)} | {' | '.join(cells)} |"


def _cell(verdict: Verdict) -> str:
    share = verdict.share if verdict.conformant else None
    measured = "" if share is None else f" ({share:.1%})"
    return f"{SIGNS.get(verdict.outcome, '❌')} {verdict.outcome}{measured}"
