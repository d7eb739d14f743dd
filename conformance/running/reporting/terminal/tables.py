"""Tables of verdicts, and of requirements."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from conformance.checking.requirement import Requirement
from conformance.checking.verdict import NotApplicable, Undecided, Verdict, grouped
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
    for (implementation, device), group in grouped(verdicts).items():
        reasons = {verdict.reason for verdict in group}
        if len(reasons) == 1 and all(isinstance(verdict, NotApplicable) for verdict in group):
            text = f"{implementation} on {device}: {counted(len(group))} not applicable, "
            parts.append(Indented(text + reasons.pop(), style="dim"))
            continue
        if all(isinstance(verdict, (NotApplicable, Undecided)) for verdict in group):
            continue  # the reds say why nothing is decided
        rows = Table(title_justify="left")
        rows.title = Text(f"{implementation} on {device}", style="table.title")
        rows.add_column("requirement", no_wrap=True)
        rows.add_column("verdict")
        for name in ("cases", "share of bound", "seconds"):
            rows.add_column(name, justify="right")
        for verdict in group:
            if not isinstance(verdict, NotApplicable):
                rows.add_row(*_cells(verdict))
        parts += [rows, *_not_applicable(group)]
    return Group(*parts)


def _cells(verdict: Verdict) -> tuple[str | Text, ...]:
    # the share of the cases before a failure would look as if the failure were within its bound
    share = None if verdict.fails else verdict.largest_share
    return (
        verdict.requirement,
        Text(verdict.outcome, style=STYLES[verdict.outcome]),
        str(verdict.cases or ""),
        "" if share is None else f"{share:.1%}",
        f"{verdict.seconds:.1f}" if not isinstance(verdict, Undecided) else "",
    )


def _not_applicable(group: Sequence[Verdict]) -> list[Indented]:
    """Return a line for each reason why requirements are not applicable, with their names."""
    names: dict[str, list[str]] = {}
    for verdict in group:
        if isinstance(verdict, NotApplicable):
            names.setdefault(verdict.reason, []).append(verdict.requirement)
    return [
        Indented(f"not applicable, {reason}: {', '.join(named)}", style="dim")
        for reason, named in names.items()
    ]


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
