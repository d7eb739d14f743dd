"""What each requirement costs and catches, as measured.

``costs.json`` has for each requirement the seconds that one case of ``torch.nn.LSTM`` took, and the
number of faulty LSTMs of ``tests/faults/SCORE.md`` that name it as what catches them.
``tests/conformance/running/costs.py`` writes it.
"""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from conformance.checking.requirement import Requirement
from conformance.recording.json import decode

FILE = Path(__file__).with_name("costs.json")


@dataclass(frozen=True)
class Cost:
    """The `seconds` that a case took, and how many faulty LSTMs the requirement has `caught`."""

    seconds: float
    caught: int = 0


@cache
def costs() -> dict[str, Cost]:
    """Return what was measured, by the name of the requirement."""
    written = json.loads(FILE.read_text(encoding="ascii"))
    return {name: decode(Cost, each) for name, each in written.items()}


def cost(requirement: Requirement) -> Cost:
    """Return what was measured of a requirement, the median for one that was not."""
    found = costs().get(requirement.name)
    return found or Cost(statistics.median(each.seconds for each in costs().values()))


def examples(requirement: Requirement, max_examples: int) -> int:
    """Return how many cases of a requirement are tried at most."""
    return max(1, round(max_examples * requirement.share_of_cases))
