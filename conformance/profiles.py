"""How much a run tries and how long it may take, by name, and the memory of its workers."""

from __future__ import annotations

PROFILES = {"quick": 20, "default": 100, "thorough": 1000}
"""Cases drawn per requirement in each profile."""

TIMEOUTS = {"quick": 60.0, "default": 120.0, "thorough": 900.0}
"""Seconds that one requirement may take on one implementation and device, by profile."""

MEMORY = 8
"""GiB of data that each worker may have, unless said otherwise."""
