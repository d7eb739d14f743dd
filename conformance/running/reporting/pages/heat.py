"""What was exercised, as a table of families by cells; a stronger colour means more cases."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from conformance.checking.cells import AXES, Cells, cases, declared, summed
from strategies import Support

DARKEST = 0.5
"""The opacity of the colour of the cell with the most cases: text on it stays readable."""


@dataclass(frozen=True)
class Heat:
    """The cases of one cell: how many, their opacity, and whether they are missing.

    A cell is missing if the implementation declares it and no case of any family was in it.
    """

    cases: int
    dark: float
    missing: bool = False


@dataclass(frozen=True)
class HeatMap:
    """A row for each family and one for all of them, with a column for each value of each axis."""

    axes: Mapping[str, Sequence[str]]
    rows: Sequence[tuple[str, Sequence[Heat]]]
    total: Sequence[Heat]


def heat_map(families: Mapping[str, Iterable[Cells]], support: Support | None) -> HeatMap | None:
    """Return the map of the cells of each family; None if nothing was exercised."""
    found = {family: summed(cells) for family, cells in families.items()}
    found = {family: cells for family, cells in found.items() if cases(cells)}
    total = summed(found.values())
    if not found:
        return None
    claimed = declared(support) if support else {}
    places = [(axis, value) for axis, values in AXES.items() for value in values]
    most = max(total[axis].get(value, 0) for axis, value in places if axis in total)

    def row(cells: Cells, least: bool = False) -> list[Heat]:
        numbers = [cells.get(axis, {}).get(value, 0) for axis, value in places]
        return [
            Heat(
                number,
                round(DARKEST * math.log1p(number) / math.log1p(most), 2),
                least and not number and value in claimed.get(axis, ()),
            )
            for number, (axis, value) in zip(numbers, places, strict=True)
        ]

    rows = [(family, row(cells)) for family, cells in found.items()]
    return HeatMap(AXES, rows, row(total, least=True))
