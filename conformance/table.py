"""The verdicts of a run as tables for the terminal."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from conformance.verdict import NotApplicable, Verdict

STYLES = {
    "passed": "green",
    "failed": "bold red",
    "crashed": "bold red",
    "timed out": "bold red",
    "not applicable": "dim",
    "expected failure": "yellow",
    "unexpected pass": "bold red",
}


def render(verdicts: Sequence[Verdict]) -> RenderableType:
    """One table per implementation and device; devices with nothing applicable take one line."""
    parts: list[RenderableType] = []
    for (implementation, device), group in _groups(verdicts):
        reasons = {verdict.reason for verdict in group}
        if len(reasons) == 1 and all(isinstance(verdict, NotApplicable) for verdict in group):
            text = f"{implementation} on {device}: {len(group)} requirements not applicable, "
            parts.append(Text(text + reasons.pop(), style="dim"))
            continue
        rows = Table(title_justify="left")
        rows.title = Text(f"{implementation} on {device}", style="table.title")
        rows.add_column("requirement", overflow="fold")
        rows.add_column("verdict")
        for name in ("cases", "share of bound", "seconds"):
            rows.add_column(name, justify="right")
        for verdict in group:
            if not isinstance(verdict, NotApplicable):
                rows.add_row(*_cells(verdict))
        parts += [rows, *_not_applicable(group)]
    return Group(*parts)


def _cells(verdict: Verdict) -> tuple[str | Text, ...]:
    share = verdict.largest_share
    return (
        verdict.requirement,
        Text(verdict.outcome, style=STYLES[verdict.outcome]),
        str(verdict.cases or ""),
        "" if share is None else f"{share:.1%}",
        f"{verdict.seconds:.1f}",
    )


def _not_applicable(group: Sequence[Verdict]) -> list[Text]:
    """A line for each reason why requirements are not applicable, with their names."""
    names: dict[str, list[str]] = {}
    for verdict in group:
        if isinstance(verdict, NotApplicable):
            names.setdefault(verdict.reason, []).append(verdict.requirement)
    return [
        Text(f"not applicable, {reason}: {', '.join(named)}", style="dim")
        for reason, named in names.items()
    ]


def failures(verdicts: Iterable[Verdict]) -> RenderableType:
    """What there is to say of each verdict that is not conformant."""
    parts: list[RenderableType] = []
    for verdict in verdicts:
        if not verdict.conformant:
            where = f"{verdict.implementation} on {verdict.device}: {verdict.requirement}"
            parts.append(Text(f"\n{where} {verdict.outcome}", style="bold red"))
            parts += [Text(f"  {line}") for line in verdict.lines()]
    return Group(*parts)


def table(verdicts: Sequence[Verdict]) -> str:
    """The tables as plain text."""
    buffer = io.StringIO()
    Console(file=buffer, width=100, color_system=None).print(render(verdicts))
    return buffer.getvalue()


def _groups(
    verdicts: Sequence[Verdict],
) -> list[tuple[tuple[str, str], list[Verdict]]]:
    groups: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault((verdict.implementation, verdict.device), []).append(verdict)
    return list(groups.items())
