"""Tables of verdicts, and of requirements."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from conformance.checking.requirement import Requirement
from conformance.checking.verdict import NotApplicable, Undecided, Verdict, by_reason, by_target
from conformance.running.reporting.terminal.consoles import Indented

STYLES = {
    "passed": "green",
    "failed": "bold red",
    "crashed": "bold red",
    "timed out": "bold red",
    "undecided": "red",
    "not applicable": "dim",
    "expected failure": "yellow",
    "unexpected pass": "bold red",
    "failed should": "magenta",
}


def render(verdicts: Sequence[Verdict]) -> RenderableType:
    """Return a table for each implementation and device, or a line if nothing is applicable."""
    parts: list[RenderableType] = []
    for group in by_target(verdicts).values():
        where, reasons = group[0].where, {verdict.reason for verdict in group}
        if len(reasons) == 1 and all(isinstance(verdict, NotApplicable) for verdict in group):
            text = f"{where}: {counted(len(group))} not applicable, {reasons.pop()}"
            parts.append(Indented(text, style="dim"))
            continue
        if all(isinstance(verdict, (NotApplicable, Undecided)) for verdict in group):
            continue  # the reds say why nothing is decided
        rows = Table(title_justify="left")
        rows.title = Text(where, style="table.title")
        rows.add_column("requirement", no_wrap=True)
        rows.add_column("verdict")
        for name in ("cases", "share of bound", "seconds"):
            rows.add_column(name, justify="right")
        for verdict in group:
            if not isinstance(verdict, NotApplicable):
                rows.add_row(*_cells(verdict))
        parts.append(rows)
        for reason, names in by_reason(group, NotApplicable).items():
            parts.append(Indented(f"not applicable, {reason}: {', '.join(names)}", style="dim"))
    return Group(*parts)


def _cells(verdict: Verdict) -> tuple[str | Text, ...]:
    # the share of the cases before a failure would look as if the failure were within its bound
    return (
        verdict.requirement,
        Text(verdict.outcome, style=STYLES[verdict.outcome]),
        str(verdict.cases or ""),
        "" if verdict.share is None else f"{verdict.share:.1%}",
        f"{verdict.seconds:.1f}" if not isinstance(verdict, Undecided) else "",
    )


def counted(count: int) -> str:
    """Return how many requirements it is, in words."""
    return f"{count} requirement{'s' * (count != 1)}"


def listed(requirements: Collection[Requirement]) -> RenderableType:
    """Return a table of requirements; their names are never wrapped, however narrow it is."""
    rows = Table(title=f"{len(requirements)} requirements", title_justify="left", show_lines=True)
    rows.add_column("requirement, level, strength", no_wrap=True)
    rows.add_column("claim, source")
    for each in requirements:
        dim = Text(f"\n{each.source}", style="dim")
        rows.add_row(f"{each.name}\n{each.level}, {each.strength}", Text(each.claim) + dim)
    return rows


def table(verdicts: Sequence[Verdict]) -> str:
    """Return the tables as plain text."""
    buffer = io.StringIO()
    Console(file=buffer, width=100, color_system=None).print(render(verdicts))
    return buffer.getvalue()
