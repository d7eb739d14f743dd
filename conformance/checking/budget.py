"""How many cases a run draws, how long it may take, and how much memory its workers get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conformance.checking.database import Database

PROFILES = {"quick": 20, "default": 100, "thorough": 1000}
"""Cases drawn per requirement in each profile."""

TIMEOUTS = {"quick": 60.0, "default": 120.0, "thorough": 900.0}
"""Seconds that one requirement may take on one implementation and device, in each profile."""

MEMORY = 8.0
"""GiB of memory that each process under test may use by default."""

LEAST = 3
"""Cases that are tried, if there are as many, before the time for them is up."""

STRETCHED = 10
"""How many times as many cases as the profile's a time budget may have time for."""

ANSWER = 120.0
"""Seconds that replaying one case, or inferring one class, may take by default."""


@dataclass(frozen=True)
class Budget:
    """The effort of a run: `max_examples` cases per requirement, drawn from `seed`.

    After the first failure at most `shrink_seconds` are spent on finding a smaller failing case,
    and at most as many seconds, but no more than 5, on the diagnosis. Cases are drawn for `seconds`
    at most, if these are given, after the first :data:`LEAST`; and then `stretch` times as many are
    drawn at most. The cases that failed before, in a `database`, are tried first, and are not part
    of the effort.
    """

    max_examples: int = PROFILES["default"]
    seed: int = 0
    shrink_seconds: float = 10.0
    seconds: float | None = None
    stretch: int = 1
    database: Database | None = None

    @classmethod
    def within(cls, seconds: float, max_examples: int, seed: int, **rest: Any) -> Budget:
        """Return a budget of which shrinking takes at most a fourth of the `seconds`."""
        return cls(max_examples, seed, min(cls.shrink_seconds, seconds / 4), **rest)


DEFAULT = Budget()
"""The budget of the default profile, with seed 0."""
