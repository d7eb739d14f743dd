"""Shares and units as points on a logarithmic axis, in percent of its width."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEFT, RIGHT = 2.0, 98.0
"""Where the axis begins and ends."""


@dataclass(frozen=True)
class Scale:
    """A logarithmic axis from `least` to `most`, with lines at the `ticks` and at the `limit`.

    Both ends are powers of ten. What lies beyond an end is drawn at the end.
    """

    least: float
    most: float
    limit: float
    ticks: Sequence[tuple[float, str]]

    def at(self, value: float) -> float:
        """Return the place of a value."""
        if not value > self.least:
            return LEFT
        if value >= self.most:
            return RIGHT
        low, high = math.log10(self.least), math.log10(self.most)
        return round(LEFT + (RIGHT - LEFT) * (math.log10(value) - low) / (high - low), 2)


SHARES = Scale(1e-5, 10, 1, [(1e-5, "0"), (1e-3, "0.1 %"), (1e-1, "10 %"), (1, "bound")])
"""Errors as shares of their bounds."""
UNITS = Scale(1e-1, 1e5, 4, [(1e-1, "0.1"), (1e1, "10"), (1e3, "1000"), (1e5, "100000")])
"""Errors in unit roundoffs."""


@dataclass(frozen=True)
class Point:
    """A point: where, in which lane from the top, what it is, and whether beyond the bound."""

    x: float
    lane: int
    kind: str
    title: str
    beyond: bool
