"""A run as a whole: its circumstances, its verdicts, and the report in JSON."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.checking.digest import combined
from conformance.checking.expectations.applying import Expected
from conformance.checking.expectations.complaints import Complaint, complaints, seen
from conformance.checking.verdict import OUTCOMES, NotApplicable, Verdict
from conformance.recording.json import encode, write
from conformance.requirements import REQUIREMENTS

ENTRY = ("at", "requirement", "reason", "link", "kind", "what", "message", "certain", "shipped")
"""The fields of an expected failure that a report has."""

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
    - `expected`: the failures that are expected
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
    expected: Expected = field(default_factory=Expected)

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
            "expectations": self._expectations(),
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
        }

    def _expectations(self) -> dict[str, Any]:
        """Return the file, its entries as far as they apply, and what is wrong with them."""
        return {
            "file": self.expected.file,
            "applied": [
                {
                    **{name: getattr(each.applied.entry, name) for name in ENTRY},
                    "implementation": each.applied.implementation,
                    "device": each.applied.device,
                    "role": each.applied.role.value,
                    "cases": each.use.cases if each.use else None,
                    "failed": each.use.failed if each.use else None,
                }
                for each in seen(self.expected, self.verdicts)
            ],
            "unjudged": self.expected.unjudged,
            "complaints": encode(self.complaints),
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
    def complaints(self) -> list[Complaint]:
        """What is wrong with the file of expected failures, if every requirement was decided."""
        return complaints(self.expected, self.verdicts) if self.complete else []

    @property
    def complete(self) -> bool:
        """Whether every requirement that was asked for has a verdict."""
        return len(self.verdicts) >= max(self.total, 1) and not self.broken

    @property
    def conformant(self) -> bool:
        """Whether the run is complete, all verdicts are conformant, and there is no complaint.

        Of each implementation something must have been decided.
        """
        checked = self.complete and not self.unchecked
        return checked and self.faultless and not self.complaints

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
