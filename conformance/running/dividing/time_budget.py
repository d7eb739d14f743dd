"""A run that is to take a given time: how much of it each item gets, and what gets none.

More cases help less and less. If the chance to catch something grows with the square root of their
number, the total is largest where the time for an item is in proportion to the square root of what
a case costs times what the item catches. So the time that is left over, after :data:`LEAST` cases
of each item, is divided in that proportion. Where not even these fit, what catches the least for
its time is left out: a should before any must.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from conformance.checking.budget import LEAST
from conformance.checking.requirement import Requirement
from conformance.running.dividing.costs import cost

Key = tuple[str, str, str]
"""What an item decides: a requirement, for an implementation, on a device."""

STARTING, ENDING = 5.0, 2.0
"""The seconds before the first item, as far as can be known, and those after the last one."""


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
        return min(share, 1.0) * max(end - ENDING - time.time(), 0.0)


def divided(items: Mapping[Key, Requirement], seconds: float, workers: int) -> Division:
    """Divide the `seconds` of a run with so many `workers` among items by key."""
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
