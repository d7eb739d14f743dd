"""Failures with the same cause, together, and the order in which to look at them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.checking.counterexample import flat
from conformance.checking.requirement import LEVELS
from conformance.checking.verdict import Undecided, Verdict, grouped
from conformance.requirements import REQUIREMENTS


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
