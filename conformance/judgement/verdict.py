"""Verdicts on the results of one implementation on one device in one dtype."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True)
class Place:
    """An element of a result of one layer, and what it is.

    - `result`: ``output``, or ``h_n`` or ``c_n``, which have `step` -1;
    - `layer`, `direction`, `row`, `unit`: its position; `unit` counts within the direction;
    - `got`, `expected`, `allowed`: the element, what it should be after the observed step before,
      and how far it can be from that.
    """

    result: str
    layer: int
    direction: int
    step: int
    row: int
    unit: int
    got: float
    expected: float
    allowed: float

    def __str__(self) -> str:
        when = f"step {self.step}" if self.step >= 0 else f"{self.result} after the last step"
        way = ", reverse direction" if self.direction else ""
        return f"{when}, row {self.row}, unit {self.unit} of layer {self.layer}{way}"


@dataclass(frozen=True)
class Extent:
    """How many steps, rows and units of one layer have wrong elements, of how many."""

    steps: int
    of_steps: int
    rows: int
    of_rows: int
    units: tuple[int, ...]
    of_units: int

    def __str__(self) -> str:
        count = len(self.units)
        if not self.steps:
            return f"final states alone, in {self.rows} of {self.of_rows} rows"
        which = f"unit {self.units[0]} only" if count == 1 else f"{count} of {self.of_units} units"
        which = f"all {count} units" if count == self.of_units > 1 else which
        return f"{self.steps} of {self.of_steps} steps, {self.rows} of {self.of_rows} rows, {which}"


@dataclass(frozen=True)
class Verdict:
    """What all verdicts have: whose results, and the largest error as a share of its bound.

    With `at_most` the share is no larger than that, as in a large layer.
    """

    implementation: str
    device: str
    dtype: str
    share: float = 0.0
    at_most: bool = field(default=False, kw_only=True)

    outcome: ClassVar[str] = ""
    conformant: ClassVar[bool] = True

    def shown(self, form: str) -> str:
        """Format the share."""
        return f"{'at most ' if self.at_most else ''}{self.share:{form}}"

    @property
    def subject(self) -> str:
        """The implementation, the device and the dtype in words."""
        return f"{self.implementation} on {self.device} in {self.dtype}"

    def lines(self) -> Sequence[str]:
        """List the sentences that explain the verdict."""
        return ()


@dataclass(frozen=True)
class Right(Verdict):
    """Every element lies within the bound of its step."""

    outcome: ClassVar[str] = "right"

    def lines(self) -> Sequence[str]:
        """Say how near the bound the results come."""
        return (f"{self.subject} is right: its largest error is {self.shown('.1%')} of the bound.",)


@dataclass(frozen=True, kw_only=True)
class Wrong(Verdict):
    """An element is further from the true one than rounding can bring it.

    - `place`, `extent`: the first such element, and how many there are in its layer;
    - `causes`: sentences that say what is consistent with the results;
    - `reproduction`: the folder with a script, or empty.
    """

    place: Place
    extent: Extent
    causes: tuple[str, ...] = ()
    reproduction: str = ""

    outcome: ClassVar[str] = "wrong"
    conformant: ClassVar[bool] = False

    def lines(self) -> Sequence[str]:
        """Say where it is wrong first, by how much, why, and what shows it."""
        place = self.place
        off = abs(place.got - place.expected)
        times = off / place.allowed if place.allowed else float("inf")
        told = [
            f"{self.subject} is wrong from {place} on: there it is {place.got!r}, but should be "
            f"{place.expected!r} ± {place.allowed:.3g}, {times:.3g} times what rounding can do.",
            f"Wrong are {self.extent}; the largest error is {self.share:.3g} times its bound.",
            *self.causes,
        ]
        return [*told, *([f"reproduction: {self.reproduction}"] if self.reproduction else [])]


@dataclass(frozen=True, kw_only=True)
class Unsaid(Verdict):
    """Nothing can be said of some elements, and the others are right.

    `reason` says why, `place` where that starts, None if it is everywhere.
    """

    reason: str
    place: Place | None = None
    rows: tuple[int, ...] = ()
    of_rows: int = 1

    outcome: ClassVar[str] = "nothing can be said"

    def lines(self) -> Sequence[str]:
        """Say of what nothing can be said, and why."""
        if self.place is None:
            return (f"Of {self.subject} nothing can be said: {self.reason}.",)
        which = ", ".join(map(str, self.rows))
        told = f"Of {self.subject} nothing can be said from {self.place} on: {self.reason}."
        if len(self.rows) == self.of_rows:
            return (told,)
        noun = "row" if len(self.rows) == 1 else "rows"
        others = f"This is about {noun} {which}; the others are right, at {self.shown('.1%')} of "
        return told, f"{others}the bound."


@dataclass(frozen=True, kw_only=True)
class NoResult(Verdict):
    """There are no results: the case is not supported, the implementation failed, or had no time.

    `failed` and `undecided` say which of the three, `reason` what happened.
    """

    reason: str
    failed: bool = False
    undecided: bool = False

    outcome: ClassVar[str] = "no result"

    @property
    def conformant(self) -> bool:  # type: ignore[override]
        """False if the implementation failed, or nothing is known of it."""
        return not (self.failed or self.undecided)

    def lines(self) -> Sequence[str]:
        """Say why there is no result."""
        return (f"{self.subject} gives no result: {self.reason}.",)
