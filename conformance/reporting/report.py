"""A run as a whole: what it was made with, its verdicts, and the report of them."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.checking.verdict import Verdict
from conformance.requirements import REQUIREMENTS

SCHEMA = "lstm-conformance/report"
VERSION = 1


@dataclass
class Run:
    """What is known of a run so far: its circumstances and the verdicts in the order they came."""

    profile: str
    seed: int
    max_examples: int | None
    circumstances: dict[str, Any] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    usage_errors: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    total: int = 0
    started: float = field(default_factory=time.time)
    seconds: float = 0.0

    def sort(self, implementations: list[str]) -> None:
        """Order the verdicts as asked for and as the requirements are defined.

        An implementation that has a name of its own comes after those that do not.
        """
        requirements = list(REQUIREMENTS)
        self.verdicts.sort(
            key=lambda verdict: (
                [name != verdict.implementation for name in implementations],
                verdict.implementation,
                verdict.device,
                requirements.index(verdict.requirement),
            )
        )

    def to_json(self) -> dict[str, Any]:
        """The report: schema and version, the run, and every verdict."""
        return {
            "schema": SCHEMA,
            "version": VERSION,
            "run": {
                "profile": self.profile,
                "seed": self.seed,
                "max_examples": self.max_examples,
                "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.started)),
                "seconds": self.seconds,
                **self.circumstances,
            },
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
        }

    def write(self, path: Path) -> None:
        """Write the report as JSON, with NaN and the infinities as strings."""
        text = json.dumps(_spelled(self.to_json()), indent=1, allow_nan=False)
        path.write_text(text + "\n", encoding="utf-8")

    @property
    def conformant(self) -> bool:
        """Whether there are verdicts and all of them are conformant."""
        return bool(self.verdicts) and all(verdict.conformant for verdict in self.verdicts)


def _spelled(value: Any) -> Any:
    """`value` with numbers that JSON has not, NaN and the infinities, as strings."""
    if isinstance(value, dict):
        return {name: _spelled(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_spelled(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
