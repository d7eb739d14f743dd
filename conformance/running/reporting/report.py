"""A run as a whole: its circumstances, its verdicts, and the report in JSON."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.checking.digest import combined
from conformance.checking.verdict import OUTCOMES, NotApplicable, Verdict
from conformance.recording.json import encode, write
from conformance.requirements import REQUIREMENTS

FORMAT = "lstm-conformance/report"
VERSION = 1
SCHEMA = Path(__file__).with_name("report.schema.json")


@dataclass
class Run:
    """A run so far.

    - `profile`, `seed`, `max_examples`: options that decide which cases are drawn
    - `circumstances`: versions, settings, and what each implementation declares
    - `verdicts`: in the order in which they came, until they are sorted
    - `usage_errors`, `broken`: what ended the run: wrong options, or faults of this suite
    - `total`: the number of verdicts to expect
    - `started`, `seconds`: seconds since the epoch, and seconds taken
    """

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
        """Sort the verdicts by the order of `implementations`, devices, and requirements.

        An implementation that is not called what was asked for comes after the others.
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
        """Return the report, as ``report.schema.json`` beside this module describes it."""
        counts = Counter(verdict.outcome for verdict in self.verdicts)
        return {
            "schema": FORMAT,
            "version": VERSION,
            "conformant": self.conformant,
            "complete": self.complete,
            "unchecked": self.unchecked,
            "counts": {outcome: counts[outcome] for outcome in OUTCOMES},
            "run": {
                "profile": self.profile,
                "seed": self.seed,
                "max_examples": self.max_examples,
                "cases_digest": self.cases_digest(),
                "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.started)),
                "seconds": self.seconds,
                **encode(self.circumstances),
            },
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
        }

    def cases_digest(self) -> str:
        """Return the digest of the cases of all verdicts, in whatever order these came."""
        return combined(
            sorted(
                f"{each.implementation} {each.device} {each.requirement} {each.cases_digest}"
                for each in self.verdicts
            )
        )

    def write(self, path: Path) -> None:
        """Write the report as JSON."""
        write(path, self.to_json())

    @property
    def complete(self) -> bool:
        """Whether every requirement that was asked for has a verdict."""
        return len(self.verdicts) >= max(self.total, 1) and not self.broken

    @property
    def conformant(self) -> bool:
        """Whether the run is complete, and all verdicts are conformant.

        Of each implementation something must have been decided.
        """
        return self.complete and not self.unchecked and self.faultless

    @property
    def outcome(self) -> str:
        """How the run ended, in a word or three."""
        if not self.complete:
            return "not complete"
        if self.unchecked and self.faultless:
            return "nothing was checked"
        return "conformant" if self.conformant else "not conformant"

    @property
    def faultless(self) -> bool:
        """Whether all verdicts so far are conformant, if only since nothing was applicable."""
        return all(verdict.conformant for verdict in self.verdicts)

    @property
    def unchecked(self) -> list[str]:
        """The implementations of which nothing was decided, as no requirement was applicable."""
        decided = {
            each.implementation for each in self.verdicts if not isinstance(each, NotApplicable)
        }
        names = dict.fromkeys(verdict.implementation for verdict in self.verdicts)
        return [name for name in names if name not in decided]
