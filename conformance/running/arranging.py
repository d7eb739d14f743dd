"""Which of the collected items a run decides, and in which order."""

from __future__ import annotations

import pytest

from conformance.checking.digest import combined
from conformance.running import limits
from conformance.running.choosing import applies, budget
from conformance.running.collection import DIGEST, RequirementItem
from conformance.running.dividing import cost, divided, examples, numbers, shards


def arrange(config: pytest.Config, items: list[pytest.Item]) -> list[pytest.Item]:
    """Reduce `items` to those of this shard that no earlier run has decided; return the others.

    With a time budget those that come first are those that go last.
    """
    ours = {item.key: item for item in items if isinstance(item, RequirementItem)}
    if not ours:
        return []
    config.stash[DIGEST] = combined(sorted(" ".join(key) for key in ours))
    kept = set(ours)
    shard = config.getoption("lstm_shard")
    if shard:
        number, count = numbers(shard)
        kept = shards({key: _cost(config, item) for key, item in ours.items()}, count)[number - 1]
    kept -= {(name, of, on) for name, of, on in config.getoption("lstm_resumed")}
    gone: list[pytest.Item] = [item for key, item in ours.items() if key not in kept]
    items[:] = [item for item in items if item not in gone]
    if config.getoption("lstm_time_budget"):
        _rank(config, items)
    return gone


def _applies(config: pytest.Config, item: RequirementItem) -> bool:
    return applies(item.requirement, item.target, item.device, budget(config))


def _cost(config: pytest.Config, item: RequirementItem) -> float:
    """Return about how many seconds an item takes."""
    if not _applies(config, item):
        return 0.0
    return cost(item.requirement).seconds * examples(item.requirement, budget(config).max_examples)


def _rank(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Divide the time budget, and sort `items` so that each worker begins with what matters most.

    Each of the workers is given one run of consecutive items first.
    """
    workers = limits.workers(config)
    applying = {
        item.key: item
        for item in items
        if isinstance(item, RequirementItem) and _applies(config, item)
    }
    requirements = {key: item.requirement for key, item in applying.items()}
    division = divided(requirements, config.getoption("lstm_time_budget"), workers)
    for item in applying.values():
        item.division = division
    rank = {key: place for place, key in enumerate(division.seconds, 1)}
    items.sort(key=lambda item: rank.get(item.key, 0) if isinstance(item, RequirementItem) else 0)
    items[:] = [item for first in range(workers) for item in items[first::workers]]
