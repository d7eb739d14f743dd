"""From the options of a run to requirements, implementations, devices and budgets."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from conformance.checking.budget import PROFILES, STRETCHED, Budget
from conformance.checking.database import opened
from conformance.checking.engine import inapplicable, left_out
from conformance.checking.expectations.applying import Expected
from conformance.checking.requirement import LEVELS, Requirement
from conformance.errors import UsageError, file_of_adapter, unknown
from conformance.implementations.by_hand import HandWritten
from conformance.implementations.failures import Failure
from conformance.implementations.implementation import Implementation
from conformance.implementations.loading import load
from conformance.implementations.naming import last_of
from conformance.implementations.programs.external import CommandImplementation
from conformance.implementations.shipped import SHIPPED
from conformance.reproductions.record import Subject, environment
from conformance.requirements import REQUIREMENTS
from conformance.running import limits
from conformance.running.circumstances import circumstances
from conformance.running.expecting import expected
from conformance.running.journal import Doing, Entry, Journal
from conformance.running.limiting import devices, with_dtypes, with_precision, without
from conformance.running.loaded import loaded
from conformance.running.options import recall, rerun

SELECTION = pytest.StashKey["Selection"]()


@dataclass(frozen=True)
class Target:
    """An implementation to be verified, and on which devices.

    `name` is the name given in the options; for a `program` it is the command. A `strict` one
    must also meet what an LSTM only should. The adapter of an `inferred` one was not given.
    `unloadable` is why no command can load it, empty if one can.
    """

    name: str
    implementation: Implementation
    devices: list[str]
    program: bool = False
    strict: bool = False
    inferred: bool = False
    unloadable: str = ""


@dataclass(frozen=True)
class Selection:
    """What the options of a run ask for.

    `circumstances` are versions, precision switches, and what each implementation declares;
    `expected` are the failures that are expected.
    """

    requirements: list[Requirement]
    targets: list[Target]
    circumstances: dict[str, Any]
    expected: Expected


def selection(config: pytest.Config) -> Selection:
    """Return what this process selected, which happens once; see :func:`select`."""
    if SELECTION not in config.stash:
        config.stash[SELECTION] = select(config)
    return config.stash[SELECTION]


def select(config: pytest.Config) -> Selection:
    """Load every implementation asked for, and list the devices to verify each on.

    By default these are the CPU and every CUDA device. Raises :class:`UsageError` for unknown
    names, for devices and dtypes that are not supported, and for a database that does not answer.
    """
    asked = requirements(config)
    budget(config)  # opens the database
    targets: list[Target] = []
    for name, load_it in _asked(config):
        with contextlib.closing(Journal.of(config)) as journal:
            journal.write(Entry(Doing(name, limit=limits.LOADING)))
        implementation = loaded(name, load_it)
        targets.append(target(config, name, implementation))
        refuse_namesakes(targets)
    return selected(config, asked, targets)


def selected(
    config: pytest.Config, asked: list[Requirement], targets: Sequence[Target]
) -> Selection:
    """Return the requirements `asked` for and the `targets`, with all that is known of them.

    Raises :class:`UsageError` for a file of expected failures that makes no sense.
    """
    known = circumstances(each.implementation for each in targets)
    decided = [each for each in asked if not left_out(each, budget(config))]
    devices_of = {each.implementation.name: (each.implementation, each.devices) for each in targets}
    found = expected(config.getoption, decided, devices_of)
    return Selection(asked, [*targets], known, found)


def refuse_namesakes(targets: Sequence[Target]) -> None:
    """Raise :class:`UsageError` if the last of the `targets` is called as another one is."""
    *others, last = (each.implementation for each in targets)
    if last.name in {other.name for other in others}:
        text = f"two implementations are called {last.name!r}"
        if isinstance(last, HandWritten):
            text += ": give one of them another name with name="
        raise UsageError(text)


def target(config: pytest.Config, name: str, implementation: Implementation) -> Target:
    """Limit `implementation` to what the options ask for.

    Raises :class:`UsageError` for devices and dtypes that are not supported.
    """
    implementation = with_dtypes(implementation, config.getoption("lstm_dtype") or "")
    implementation = without(implementation, config.getoption("lstm_without") or "")
    implementation = with_precision(implementation, config.getoption("lstm_precision") or "")
    found = devices(implementation, config.getoption("lstm_device") or "")
    program = name in config.getoption("lstm_command")
    strict = config.getoption("lstm_strict") or (name in SHIPPED and SHIPPED[name].strict)
    return Target(name, implementation, found, program, strict)


def requirements(config: pytest.Config) -> list[Requirement]:
    """Return the requirements with the names and levels in the options; see :func:`of_names`."""
    levels = filter(None, (config.getoption("lstm_level") or "").split(","))
    return of_names(config.getoption("lstm_requirement"), [*levels])


def of_names(names: Collection[str], levels: Collection[str]) -> list[Requirement]:
    """Return the requirements with these names and levels, in their order; of none given, all.

    Raises :class:`UsageError` for an unknown one, and if there is no such requirement.
    """
    for name in names:
        if name not in REQUIREMENTS:
            raise unknown("requirement", name, REQUIREMENTS)
    for level in levels:
        if level not in LEVELS:
            raise unknown("level", level, LEVELS)
    asked = [
        each
        for name, each in REQUIREMENTS.items()
        if name in (names or REQUIREMENTS) and each.level in (levels or LEVELS)
    ]
    if not asked:
        raise UsageError("no requirement has one of these levels and one of these names")
    return asked


def _asked(config: pytest.Config) -> Iterator[tuple[str, Callable[[], Implementation]]]:
    for name in dict.fromkeys(config.getoption("lstm")):
        yield name, partial(load, name)
    for command in dict.fromkeys(config.getoption("lstm_command")):
        yield command, partial(CommandImplementation, command, limits.timeout(config) / 2)


def decided_on(requirement: Requirement, target: Target, budget: Budget) -> list[str]:
    """Return the devices of `target` on which `requirement` applies, the first one if it does not.

    So what does not apply is counted once.
    """
    found = [each for each in target.devices if applies(requirement, target, each, budget)]
    return found or target.devices[:1]


def applies(requirement: Requirement, target: Target, device: str, budget: Budget) -> bool:
    """Return whether `requirement` applies to `target` on `device`, or is to show that it fails."""
    try:
        return inapplicable(requirement, target.implementation, device, budget) is None
    except Failure:  # of the implementation, which becomes a verdict
        return True


def budget(config: pytest.Config) -> Budget:
    """Return how many cases are tried, from which seed, and how long a failure is shrunk."""
    examples, timed = config.getoption("lstm_max_examples"), config.getoption("lstm_time_budget")
    place = config.getoption("lstm_database")
    return Budget.within(
        limits.timeout(config),
        examples or PROFILES[config.getoption("lstm_profile")],
        config.getoption("lstm_seed"),
        stretch=STRETCHED if timed and not examples else 1,
        database=opened(place) if place else None,
    )


def subject(config: pytest.Config, target: Target, requirement: str, device: str) -> Subject:
    """Return what is verified, with everything needed to verify it again."""
    name = target.implementation.name if target.program else target.name
    given, before = target.name, ""
    where: dict[str, Any] = {"lstm_requirement": [requirement], "lstm_device": device}
    if target.inferred:
        file = file_of_adapter(given)
        before = f"{shlex.join(['lstm-conformance', 'infer', given])} > {file}\n"
        given = f"{file}:mine"
    what: dict[str, Any] = {"lstm_command" if target.program else "lstm": [given]}
    again = before + rerun(vars(config.option), **what, **where)
    if target.unloadable:
        again = recall(last_of(target.name), vars(config.option), **where)
    home: str = getattr(config.option, "lstm_home", "") or str(Path.cwd())
    return Subject(
        requirement,
        name,
        device,
        home,
        again,
        environment(name),
        target.name if target.program else "",
        config.getoption("lstm_precision") or "",
        target.unloadable,
    )
