"""The floor: how often each value of each axis has to be exercised for a green to mean something.

``floors.json`` has the floor of a run of every requirement: how many cases of an implementation on
a device there have to be in each profile, and which share of them each value must have.
``tests/conformance/running/floors.py`` measures both. A share is half of the least that was seen,
and has a leeway of three standard deviations below that, so that chance alone never fails a run.
Where a time budget gives each requirement another number of cases, shares of them say little: there
a share is one of the least number of cases.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from conformance.checking.cells import AXES, Cells, cases, declared, summed
from conformance.checking.verdict import NotApplicable, Verdict, by_target
from conformance.errors import UsageError, unknown
from strategies import Support

Floor = Mapping[str, Mapping[str, float]]
"""The least number of cases by axis and value; below 1 it is a share of all cases.

Of the axis :data:`CASES` the only value is :data:`ALL`.
"""

CASES, ALL = "cases", "all"
NONE = "none"
LEEWAY = 3.0
SHIPPED = Path(__file__).with_name("floors.json")


@dataclass(frozen=True)
class Shortfall:
    """A cell that too few cases were in: `cases` of the `needed` ones."""

    implementation: str
    device: str
    axis: str
    value: str
    cases: int
    needed: int

    def line(self) -> str:
        """Return where cases are missing, in a line."""
        where = f"{self.implementation} on {self.device}"
        what = "in all" if self.axis == CASES else f"with {self.axis} {self.value}"
        return f"{where}: {self.cases} cases {what}, where {self.needed} are needed"


@cache
def shipped(profile: str) -> Floor:
    """Return the floor of a run of every requirement in `profile`."""
    written: dict[str, Any] = json.loads(SHIPPED.read_text(encoding="utf-8"))
    return {CASES: {ALL: written["cases"][profile]}, **written["shares"]}


def floor(given: str | None, profile: str, filtered: bool, timed: bool = False) -> Floor:
    """Return the floor of a run: the shipped one, changed by the option `given`.

    None is shipped for a run that is `filtered`, by names or levels of requirements or by a number
    of cases, and ``none`` takes the shipped one away. A run is `timed` by a time budget. Raises
    :class:`UsageError`.
    """
    asked = parsed(given or "")
    base = {} if filtered or given == NONE else shipped(profile)
    if base and timed:
        least = int(base[CASES][ALL])
        base = {
            axis: {value: _needed(number, least) for value, number in values.items()}
            for axis, values in base.items()
        }
    return {axis: {**base.get(axis, {}), **asked.get(axis, {})} for axis in (*base, *asked)}


def parsed(given: str) -> Floor:
    """Return the floor in a list such as ``dtype=20,size.real=0.001,cases=500``.

    An axis without a value means each of its values. Raises :class:`UsageError`.
    """
    found: dict[str, dict[str, float]] = {}
    for part in filter(None, given.split(",") if given != NONE else ()):
        name, _, text = part.partition("=")
        axis, _, value = name.partition(".")
        known = (ALL,) if axis == CASES else AXES.get(axis)
        if known is None:
            raise unknown("axis", axis, (CASES, *AXES))
        if value and value not in known:
            raise unknown(axis, value, known)
        try:
            number = float(text)
        except ValueError:
            number = -1.0
        if not 0 <= number < math.inf:
            raise UsageError(f"{name} needs a number of cases or a share, got {text!r}")
        found.setdefault(axis, {}).update(dict.fromkeys((value,) if value else known, number))
    return found


def exercised(verdicts: Iterable[Verdict]) -> dict[tuple[str, str], Cells]:
    """Return the cells by implementation and device, where anything was decided."""
    decided = by_target(each for each in verdicts if not isinstance(each, NotApplicable))
    return {where: summed(each.cells for each in mine) for where, mine in decided.items()}


def shortfalls(
    found: Mapping[tuple[str, str], Cells], supports: Mapping[str, Mapping[str, Any]], floor: Floor
) -> list[Shortfall]:
    """List the cells below the `floor` of what each implementation declares to support.

    Mode and dropout, which nobody declares, count where a floor asks for them.
    """
    short = []
    for (implementation, device), cells in found.items():
        offered = declared(Support(**supports.get(implementation, {})))
        total = cases(cells)
        for axis, least in floor.items():
            for value, number in least.items():
                if axis in offered and value not in offered[axis]:
                    continue
                there = total if axis == CASES else cells.get(axis, {}).get(value, 0)
                needed = _needed(number, total)
                if there < needed:
                    short.append(Shortfall(implementation, device, axis, value, there, needed))
    return short


def _needed(number: float, total: int) -> int:
    if number >= 1:
        return math.ceil(number)
    expected = number * total
    return max(0, math.floor(expected - LEEWAY * math.sqrt(expected)))
