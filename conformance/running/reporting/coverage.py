"""What a run exercised and what it did not, in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from conformance.checking.cells import Cells, cases
from conformance.requirements import REQUIREMENTS
from conformance.running.reporting.floor import exercised

if TYPE_CHECKING:
    from conformance.running.reporting.report import Run

FEWEST = 4
"""How many of the cells with the fewest cases are named."""


def lines(run: Run) -> Iterator[str]:
    """Yield a line for each implementation and device, and for what is missing."""
    for (implementation, device), cells in exercised(run.verdicts).items():
        if cells:
            yield f"{implementation} on {device}, exercised: {summary(cells)}"
    if run.shard:
        yield f"shard {run.shard}: whether enough was checked, only all shards together show"
    for short in run.not_enough:
        yield f"not enough was checked: {short.line()}"
    if run.left_out:
        names = ", ".join(dict.fromkeys(sorted(run.left_out)))
        yield f"left out by the time budget: {names}"


def summary(cells: Cells) -> str:
    """Return the number of cases, those in each dtype, and the cells with the fewest cases."""
    dtypes = ", ".join(f"{name} {count}" for name, count in cells.get("dtype", {}).items())
    others = [
        (count, f"{axis} {value}")
        for axis, counts in cells.items()
        for value, count in counts.items()
        if axis != "dtype"
    ]
    fewest = ", ".join(f"{name} {count}" for count, name in sorted(others)[:FEWEST])
    return f"{cases(cells)} cases, {dtypes}; fewest: {fewest}"


def caveat(run: Run) -> str:
    """Return what the last line has to add to the outcome: what must be met and was left out."""
    missing = {
        name for name in run.left_out if name in REQUIREMENTS and not REQUIREMENTS[name].should
    }
    musts = f"{len(missing)} must{'s' * (len(missing) > 1)}"
    return f", without {musts} that the time budget left out" if missing else ""
