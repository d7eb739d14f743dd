"""The details of failures: those alike are shown once, the one to look at first on top."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Group, RenderableType

from conformance.checking.counterexample import Diagnosis, flat
from conformance.checking.requirement import LEVELS
from conformance.checking.verdict import Undecided, Verdict, by_target, grouped
from conformance.requirements import REQUIREMENTS
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


@dataclass(frozen=True)
class Alike:
    """Failures with the same cause, as far as that shows.

    `first` is the one to look at, `others` the rest, and `why` what all of them have in common.
    """

    why: str
    first: Verdict
    others: tuple[Verdict, ...] = ()


def together(verdicts: Iterable[Verdict]) -> list[Alike]:
    """Return the failures among `verdicts` in groups of those alike, the one to begin with first.

    The `verdicts` are those of one implementation and device. Alike are those of one outcome that
    raise the same exception at the same place, have the same message, have the same explanation, or
    were not decided for the same reason.
    """
    shown = sorted((each for each in verdicts if each.explained), key=_order)
    found = grouped(shown, lambda each: (each.outcome, *_cause(each)))
    return [Alike(why, first, tuple(others)) for (_, why, _), (first, *others) in found.items()]


def _cause(verdict: Verdict) -> tuple[str, Any]:
    """Return what is alike, in words, and what two failures have in common where it is."""
    if isinstance(verdict, Undecided):
        return "the same reason", verdict.reason
    found = verdict.counterexample
    if found is None:
        return "the same reason", verdict.reason or verdict.requirement
    if found.diagnosis.explanations:
        return "the same explanation", found.diagnosis.explanations
    if found.kind == "raised" and found.where:
        return "the same exception at the same place", (found.what, found.where)
    return "the same message", (found.kind, found.message)


def _order(verdict: Verdict) -> tuple[Any, ...]:
    """Return what decides which failure comes first: a must, decided, of a low level, small.

    A case that was computed as it was drawn is easier to follow than one derived from it.
    """
    requirement = REQUIREMENTS.get(verdict.requirement)
    level = LEVELS.index(requirement.level) if requirement else len(LEVELS)
    found = verdict.counterexample
    size = _size(found.tensors) if found else (0, 0)
    derived = found is not None and found.derived
    return verdict.conformant, isinstance(verdict, Undecided), level, found is None, derived, size


def _size(tensors: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many numbers of a case are not zero, and how many there are."""
    numbers = [number for tensor in tensors.values() for number in flat(tensor)]
    return sum(number != 0 for number in numbers), len(numbers)
