"""What a run exercised, in the terminal: a line for each implementation and device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from conformance.checking.cells import Cells, cases
from conformance.running.reporting.floor import Shortfall

FEWEST = 4
"""How many of the cells with the fewest cases are named."""


def lines(found: Mapping[tuple[str, str], Cells]) -> Iterator[str]:
    """Yield the number of cases, those of each dtype, and the cells with the fewest cases."""
    for (implementation, device), cells in found.items():
        dtypes = ", ".join(f"{name} {count}" for name, count in cells.get("dtype", {}).items())
        others = [
            (count, f"{axis} {value}")
            for axis, counts in cells.items()
            for value, count in counts.items()
            if axis != "dtype"
        ]
        fewest = ", ".join(f"{name} {count}" for count, name in sorted(others)[:FEWEST])
        if dtypes:
            where = f"{implementation} on {device}"
            yield f"{where}, exercised in {cases(cells)} cases: {dtypes}; fewest: {fewest}"


def missing(short: list[Shortfall]) -> Iterator[str]:
    """Yield a line for each cell below the floor."""
    for each in short:
        yield f"not enough was checked: {each.line()}"
