"""What pytest does where something is verified; the plugin registers these hooks only then."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from conformance.checking import devices
from conformance.checking.digest import combined
from conformance.checking.verdict import PROPERTY
from conformance.errors import DEVICE_LOST
from conformance.implementations.own_imports import OURS
from conformance.running import expecting, limits, strays
from conformance.running.choosing import applies, budget
from conformance.running.collection import DIGEST, Family, RequirementItem, Requirements, collected
from conformance.running.dividing import cost, divided, examples, numbers, shards
from conformance.running.plugin import FAMILIES


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Name the file of expected failures, if there is one."""
    return expecting.header(config.getoption)


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect our folders as plain ones: pytest puts the root of a package first on the path."""
    if path not in (FAMILIES, FAMILIES.parent):
        return None
    return (Requirements if path == FAMILIES else pytest.Dir).from_parent(parent, path=path)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the modules of requirements, whatever the ini option ``python_files`` is."""
    ours = file_path.parent == FAMILIES
    return Family.from_parent(parent, path=file_path) if ours else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what other shards decide, or an earlier run has decided, and sort the rest.

    With a time budget those that come first are those that go last.
    """
    ours = {item.key: item for item in items if isinstance(item, RequirementItem)}
    if not ours:
        return
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
    config.hook.pytest_deselected(items=gone)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write down what was collected, for the process that reports."""
    with OURS:
        collected(session)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    """Note when an item starts and how long it may take, before pytest-timeout sets its timer.

    A worker that has lost a device ends as soon as the item is reported: the next one works. So
    does one with threads that an implementation left, before it decides on another implementation.
    """
    if not isinstance(item, RequirementItem):
        return (yield)
    item.add_marker(pytest.mark.timeout(item.begin(), method="thread"), append=False)
    works = hasattr(item.config, "workerinput")
    try:
        done = yield
    except BaseException as error:
        if works and item.after(error):
            os._exit(DEVICE_LOST)
        raise
    item.end()
    if works and (devices.lost() or (strays.left() and _is_of_another(item, nextitem))):
        os._exit(DEVICE_LOST)
    return done


def _is_of_another(item: RequirementItem, following: pytest.Item | None) -> bool:
    """Return whether the `following` item is one of another implementation."""
    same = isinstance(following, RequirementItem) and following.target is item.target
    return following is not None and not same


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give a verdict to what a thread of an implementation raised outside the decision."""
    verdict = None
    if isinstance(item, RequirementItem) and call.excinfo is not None:
        verdict = item.after(call.excinfo.value)
    if verdict is not None and PROPERTY not in dict(item.user_properties):
        item.user_properties.append((PROPERTY, verdict.to_json()))
    report = yield
    if verdict is not None and call.when == "teardown":
        report.outcome = "passed"  # its verdict has been reported
    return report


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End a worker elsewhere with its process: a server would keep the modules of this run."""
    if hasattr(config.option, "lstm_work") and hasattr(config, "workerinput"):
        shutil.rmtree(config.option.lstm_reproductions, ignore_errors=True)
        os._exit(0)


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
