"""Divides the work of a run: among shards, or so that it takes a given time.

``costs.json`` has for each requirement the seconds that one case of ``torch.nn.LSTM`` took, and the
number of faulty LSTMs of ``tests/faults/SCORE.md`` that name it as what catches them.
``tests/conformance/running/costs.py`` writes it.

More cases help less and less. If the chance to catch something grows with the square root of their
number, the total is largest where the time for an item is in proportion to the square root of what
a case costs times what the item catches. So the time that is left over, after :data:`LEAST` cases
of each item, is divided in that proportion. Where not even these fit, what catches the least for
its time is left out: a should before any must.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import monotonic
from typing import TypeVar

from conformance.checking.budget import LEAST
from conformance.checking.requirement import Requirement
from conformance.checking.verdict import Key
from conformance.recording.json import decode

FILE = Path(__file__).with_name("costs.json")

Item = TypeVar("Item", bound=tuple[str, ...])
STARTING, ENDING = 5.0, 2.0
"""The seconds before the first item, as far as can be known, and those after the last one."""


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


def shards(costs: Mapping[Item, float], count: int) -> Sequence[set[Item]]:
    """Divide what has these `costs` among `count` shards: the dearest first, to the least loaded.

    The order of `costs` does not matter.
    """
    parts: list[set[Item]] = [set() for _ in range(count)]
    loads = [0.0] * count
    for key in sorted(costs, key=lambda key: (-costs[key], key)):
        least = loads.index(min(loads))
        parts[least].add(key)
        loads[least] += costs[key]
    return parts


def numbers(shard: str) -> tuple[int, int]:
    """Return the number of a shard and how many there are: 2 and 5 for ``2/5``."""
    number, _, count = shard.partition("/")
    return int(number), int(count)


@dataclass(frozen=True)
class Division:
    """The `seconds` for each item by key, of one process alone, in the order of their rank.

    Items that are `left_out` have none.
    """

    seconds: Mapping[Key, float]
    left_out: Collection[Key]

    def granted(self, key: Key, decided: Collection[Key], end: float, workers: int) -> float:
        """Return the seconds for an item that begins now.

        It gets its share of what is left, of the time until `end` as of the items that are not
        `decided`. So it does not matter how fast the machine and the implementation are.
        """
        if key not in self.seconds:
            return 0.0
        left = sum(each for other, each in self.seconds.items() if other not in decided)
        share = self.seconds[key] * workers / max(left, self.seconds[key])
        return min(share, 1.0) * max(end - ENDING - monotonic(), 0.0)


def divided(items: Mapping[Key, Requirement], seconds: float, workers: int) -> Division:
    """Divide the `seconds` of a run with this number of `workers` among items by key."""
    seconds = max(seconds - STARTING - ENDING, 0.0) * workers
    least = {key: cost(each).seconds * LEAST for key, each in items.items()}
    caught = {key: cost(each).caught + 1 for key, each in items.items()}
    rank = sorted(items, key=lambda key: (items[key].should, -caught[key] / least[key], key))
    kept: list[Key] = []
    used = 0.0
    missing = False  # a must
    for key in rank:
        should = items[key].should
        if used + least[key] <= seconds and not (should and missing):
            kept.append(key)
            used += least[key]
        else:
            missing |= not should
    shares = {key: math.sqrt(least[key] * caught[key]) for key in kept}
    rest = (seconds - used) / max(sum(shares.values()), 1e-9)
    return Division({key: least[key] + rest * shares[key] for key in kept}, {*items} - {*kept})
