"""Shards of a run, which are disjoint, complete, and about as long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

Key = TypeVar("Key", bound=tuple[str, ...])


def shards(costs: Mapping[Key, float], count: int) -> Sequence[set[Key]]:
    """Divide what has these `costs` among `count` shards: the dearest first, to the least loaded.

    The order of `costs` does not matter.
    """
    parts: list[set[Key]] = [set() for _ in range(count)]
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
