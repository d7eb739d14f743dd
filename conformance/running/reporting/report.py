"""A run as a whole: its circumstances, its verdicts, and the report in JSON."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.checking.digest import combined
from conformance.checking.expectations.applying import Expected
from conformance.checking.expectations.complaints import Complaint, complaints, seen
from conformance.checking.verdict import OUTCOMES, NotApplicable, Undecided, Verdict
from conformance.errors import BROKEN, CONFORMANT, NOT_CONFORMANT
from conformance.recording.json import encode
from conformance.requirements import REQUIREMENTS
from conformance.running.reporting.floor import Floor, Shortfall, exercised, shortfalls

ENTRY = ("at", "requirement", "reason", "link", "kind", "what", "message", "certain", "shipped")
"""The fields of an expected failure that a report has."""

FORMAT = "lstm-conformance/report"
VERSION = 1
TIME = "%Y-%m-%dT%H:%M:%SZ"
SCHEMA = Path(__file__).with_name("report.schema.json")


def in_order(applied: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort expected failures by where they apply and stand, so that shards can be joined."""
    return sorted(applied, key=lambda each: (each["implementation"], each["device"], each["at"]))


@dataclass
class Run:
    """A run so far.

    - `profile`, `seed`, `max_examples`: options that decide which cases are drawn
    - `circumstances`: versions, settings, and what each implementation declares
    - `verdicts`: in the order in which they came, until they are sorted
    - `floor`: how often what is declared has to be exercised
    - `shard`: which shard of a run this is, such as 2/5; empty for a whole run
    - `items_digest`: the digest of what the run, all shards of it, has to decide
    - `left_out`: the names of requirements for which a time budget has no time
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
    floor: Floor = field(default_factory=dict)
    shard: str = ""
    items_digest: str = ""
    left_out: list[str] = field(default_factory=list)
    total: int = 0
    started: float = field(default_factory=time.time)
    seconds: float = 0.0
    expected: Expected = field(default_factory=Expected)

    def sort(self) -> None:
        """Sort the verdicts by implementations, as these were asked for, devices, requirements."""
        implementations = list(self.circumstances.get("supports", ()))
        places = {name: place for place, name in enumerate(REQUIREMENTS)}
        self.verdicts.sort(
            key=lambda verdict: (
                [name != verdict.implementation for name in implementations],
                verdict.implementation,
                verdict.device,
                places.get(verdict.requirement, len(places)),
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
            "not_enough": encode(self.not_enough),
            "cells": [
                {"implementation": implementation, "device": device, "cells": encode(cells)}
                for (implementation, device), cells in exercised(self.verdicts).items()
            ],
            "counts": {outcome: counts[outcome] for outcome in OUTCOMES},
            "run": {
                "profile": self.profile,
                "seed": self.seed,
                "max_examples": self.max_examples,
                "cases_digest": self.cases_digest(),
                "items_digest": self.items_digest,
                "shard": self.shard or None,
                "left_out": sorted(self.left_out),
                "floor": encode(self.floor),
                "started": time.strftime(TIME, time.gmtime(self.started)),
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
            "applied": in_order(
                {
                    **{name: getattr(each.applied.entry, name) for name in ENTRY},
                    "implementation": each.applied.implementation,
                    "device": each.applied.device,
                    "role": each.applied.role.value,
                    "cases": each.use.cases if each.use else None,
                    "failed": each.use.failed if each.use else None,
                }
                for each in seen(self.expected, self.verdicts)
            ),
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

    @property
    def complaints(self) -> list[Complaint]:
        """What is wrong with the file of expected failures, if every requirement was decided."""
        return complaints(self.expected, self.verdicts) if self.complete else []

    @property
    def complete(self) -> bool:
        """Whether every requirement that was asked for has a verdict."""
        decided = len(self.verdicts) + len(self.left_out)
        # a shard may have nothing to decide
        least = 0 if self.shard and self.items_digest else 1
        return decided >= max(self.total, least) and not self.broken

    @property
    def conformant(self) -> bool:
        """Whether the run is complete, all verdicts are conformant, and enough was exercised.

        Of each implementation something must have been decided, and there is no complaint.
        """
        enough = not self.unchecked and not self.not_enough
        return self.complete and enough and self.faultless and not self.complaints

    @property
    def outcome(self) -> str:
        """How the run ended, in a word or three."""
        if not self.complete:
            return "not complete"
        if self.unchecked and self.faultless:
            return "nothing was checked"
        if self.too_little:
            return "not enough was checked"
        return "conformant" if self.conformant else "not conformant"

    @property
    def status(self) -> int:
        """The exit status of a command for a run that has ended by itself."""
        if self.too_little:
            return BROKEN
        return CONFORMANT if self.conformant else NOT_CONFORMANT

    @property
    def faultless(self) -> bool:
        """Whether all verdicts so far are conformant, if only since nothing was applicable."""
        return all(verdict.conformant for verdict in self.verdicts)

    @property
    def too_little(self) -> bool:
        """Whether nothing is wrong as far as that was tried, but too little was for a green.

        An undecided requirement with a counterexample was not begun since something is wrong.
        """
        fine = all(
            each.conformant or (isinstance(each, Undecided) and each.counterexample is None)
            for each in self.verdicts
        )
        return fine and not self.conformant and not self.complaints

    @property
    def not_enough(self) -> list[Shortfall]:
        """The cells below the floor, which is that of all shards together."""
        supports = self.circumstances.get("supports", {})
        found = {} if self.shard else exercised(self.verdicts)
        return shortfalls(found, supports, self.floor)

    @property
    def unchecked(self) -> list[str]:
        """The implementations of which nothing was decided, as nothing was applicable or in time.

        Of a shard these are none: another one may have what is applicable.
        """
        decided = {
            each.implementation for each in self.verdicts if not isinstance(each, NotApplicable)
        }
        asked = self.circumstances.get("supports", ()) if self.left_out else ()
        names = dict.fromkeys((*asked, *(each.implementation for each in self.verdicts)))
        return [name for name in names if name not in decided and not self.shard]
