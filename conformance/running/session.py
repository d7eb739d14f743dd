"""What the session of pytest asks for, in which a test of somebody's own suite runs.

The options have the names and meanings that they have for the command, with the prefix ``--lstm``.
pytest knows them where one of them is given; in other sessions they have their defaults.
"""

from __future__ import annotations

import hashlib
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conformance.checking.budget import PROFILES, TIMEOUTS, Budget
from conformance.checking.database import opened
from conformance.implementations.implementation import Implementation
from conformance.running.options import defaults
from conformance.running.options.option import PYTEST

PLUGIN = "lstm_conformance_plugin"
"""The module that pytest loads in every project; it knows the sessions of this process."""
FAILED = "lstm-conformance"
"""The name in pytest's cache of the folder with the cases that failed."""
SEED = secrets.randbelow(2**32)
"""The seed of this process if nothing else gives one."""

DEFAULTS = defaults(PYTEST)


def config() -> pytest.Config | None:
    """Return the configuration of the session, None if there is none, or pytest has no plugins."""
    sessions: list[pytest.Config] = getattr(sys.modules.get(PLUGIN), "SESSIONS", [])
    return sessions[-1] if sessions else None


def options() -> dict[str, Any]:
    """Return the options of the session by key."""
    running = config()
    return DEFAULTS if running is None else {**DEFAULTS, **vars(running.option)}


@dataclass(frozen=True)
class How:
    """How requirements are decided; the fields are arguments of the decorator."""

    profile: str = "default"
    max_examples: int | None = None
    seed: int | None = None
    timeout: float | None = None
    devices: tuple[str, ...] | None = None
    dtypes: str = ""
    precision: str = ""
    isolated: bool | None = None

    def places(self, implementation: Implementation) -> tuple[str, ...]:
        """Return the devices to decide on; an absent one is left for the verdict to name."""
        present = implementation.supports.devices
        found: list[str] = []
        for name in self.devices or present:
            of_name = [each for each in present if each.partition(":")[0] == name]
            found += [name] if name in present else of_name or [name]
        return tuple(dict.fromkeys(found))

    def effort(self) -> tuple[Budget, float]:
        """Return the budget and the limit in seconds for a requirement on a device.

        What the options of the session say goes before the fields, a profile if it is another than
        the default. Cases that failed are kept in pytest's cache, unless ``--lstm-database`` names
        another place.
        """
        asked = options()
        changed = asked["lstm_profile"] != DEFAULTS["lstm_profile"]
        profile = asked["lstm_profile"] if changed else self.profile
        seconds = asked["lstm_timeout"] or self.timeout or TIMEOUTS[profile]
        examples = asked["lstm_max_examples"] or (not changed and self.max_examples)
        place = asked["lstm_database"] or _cached()
        budget = Budget.within(
            seconds,
            examples or PROFILES[profile],
            _seed(self.seed),
            database=opened(place) if place else None,
        )
        return budget, seconds


def _seed(own: int | None) -> int:
    """Return the seed: of ``--lstm-seed``, the decorator's `own`, or of ``--hypothesis-seed``.

    Without any it is a random one, which is the same in all workers of pytest-xdist.
    """
    asked = options()
    given: int | None = own if asked["lstm_seed"] is None else asked["lstm_seed"]
    if given is not None:
        return given
    text = asked.get("hypothesis_seed")
    if text is None:
        text = getattr(config(), "workerinput", {}).get("testrunuid")
    if text is None:
        return SEED
    try:
        return int(text)
    except ValueError:
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _cached() -> str:
    """Return the folder in pytest's cache, empty without a cache."""
    cache = getattr(config(), "cache", None)
    return "" if cache is None else str(cache.mkdir(FAILED))


def reproductions() -> Path:
    """Return the folder for what failures leave."""
    return Path.cwd() / str(options()["lstm_reproductions"])
