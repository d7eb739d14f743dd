"""The details of failures: those alike are shown once, the one to look at first on top."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rich.console import Group, RenderableType

from conformance.checking.counterexample import Diagnosis
from conformance.checking.verdict import Undecided, Verdict, by_target
from conformance.running.reporting.alike import Alike, together
from conformance.running.reporting.terminal.consoles import Indented
from conformance.running.reporting.terminal.tables import STYLES, counted

IN_FULL = 5
"""How many groups of failures of an implementation on a device are shown with every detail."""


def failures(verdicts: Iterable[Verdict]) -> RenderableType:
    """Return the details of each failure, first of the one to look at first.

    Of those alike the details of one are shown, and the names of the others. After :data:`IN_FULL`
    of an implementation on a device only message, case and reproduction follow.
    """
    parts: list[RenderableType] = []
    for group in by_target(verdicts).values():
        found = together(group)
        for number, alike in enumerate(found):
            parts += _told(alike, number < IN_FULL, start=not number and len(found) > 1)
    return Group(*parts)


def _told(alike: Alike, full: bool, start: bool) -> list[RenderableType]:
    first = alike.first
    style = STYLES[first.outcome]
    if isinstance(first, Undecided) and first.counterexample is None:
        text = f"{first.where}: undecided, {first.reason}: {counted(1 + len(alike.others))}"
        return [Indented(""), Indented(text, style=style)]
    text = f"{'start here: ' if start else ''}{first.where}: {first.requirement} {first.outcome}"
    parts = [Indented(""), Indented(text, style=style)]
    parts += [Indented(line, 2) for line in (first if full else _shortened(first)).lines()]
    if alike.others:
        names = ", ".join(other.requirement for other in alike.others)
        parts.append(Indented(f"{len(alike.others)} more with {alike.why}: {names}", 2, "bold"))
    return [*parts]


def _shortened(verdict: Verdict) -> Verdict:
    """Return `verdict` without the numbers of its case, and without its diagnosis."""
    if verdict.counterexample is None:
        return verdict
    short = replace(verdict.counterexample, tensors={}, diagnosis=Diagnosis())
    return replace(verdict, counterexample=short)
