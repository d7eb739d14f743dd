"""How much a run tries and how long it may take, by name, and the memory of its workers."""

from __future__ import annotations

from dataclasses import dataclass

PROFILES = {"quick": 20, "default": 100, "thorough": 1000}
"""Cases drawn per requirement in each profile."""

TIMEOUTS = {"quick": 60.0, "default": 120.0, "thorough": 900.0}
"""Seconds that one requirement may take on one implementation and device, by profile."""

MEMORY = 8.0
"""GiB of data that each process under test may have, unless said otherwise."""

ANSWER = 120.0
"""Seconds that replaying one case, or inferring one class, may take, unless said otherwise."""


@dataclass(frozen=True)
class Budget:
    """How much is tried: `max_examples` cases per requirement, drawn from `seed`.

    After the first failure at most `shrink_seconds` go into finding a smaller one, and at most as
    many, up to 5, into its diagnosis.
    """

    max_examples: int = PROFILES["default"]
    seed: int = 0
    shrink_seconds: float = 10.0


DEFAULT = Budget()
"""That of the default profile, with seed 0."""
