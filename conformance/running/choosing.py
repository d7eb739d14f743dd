"""From the options of a run to requirements, implementations, devices and budgets."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from conformance.checking.budget import PROFILES, Budget
from conformance.checking.engine import left_out
from conformance.checking.expectations.applying import Expected
from conformance.checking.requirement import LEVELS, Requirement
from conformance.errors import UsageError, unknown
from conformance.implementations.by_hand import HandWritten
from conformance.implementations.implementation import Implementation, precision
from conformance.implementations.loading import load
from conformance.implementations.programs.external import CommandImplementation
from conformance.implementations.shipped import SHIPPED
from conformance.reproductions.subject import Subject, environment
from conformance.requirements import REQUIREMENTS
from conformance.running import limits
from conformance.running.circumstances import circumstances
from conformance.running.expecting import expected
from conformance.running.journal import Doing, Entry, Journal
from conformance.running.loaded import loaded
from conformance.running.options import rerun
from reference import DTYPES, Precision
from reference.precision import DTYPES_OWN
from strategies.support import LEFT_OUT

_environment = cache(environment)
_SELECTION = pytest.StashKey["Selection"]()


@dataclass(frozen=True)
class Target:
    """An implementation to be verified, and on which devices.

    `name` is the name given in the options; for a `program` it is the command. A `strict` one
    must also meet what an LSTM only should.
    """

    name: str
    implementation: Implementation
    devices: list[str]
    program: bool = False
    strict: bool = False


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
    if _SELECTION not in config.stash:
        config.stash[_SELECTION] = select(config)
    return config.stash[_SELECTION]


def select(config: pytest.Config) -> Selection:
    """Load every implementation asked for, and list the devices to verify each on.

    By default these are the CPU and every CUDA device; where there is no CUDA device, ``cuda``
    itself stands for them, so that the report lists what could not be verified. Raises
    :class:`UsageError` for unknown names, and for devices and dtypes that are not supported.
    """
    requirements = _requirements(config)
    targets: list[Target] = []
    for name, load_it in _asked(config):
        with contextlib.closing(Journal(config)) as journal:
            journal.write(Entry(Doing(name, limit=limits.LOADING)))
        implementation = loaded(name, load_it)
        if implementation.name in {other.implementation.name for other in targets}:
            text = f"two implementations are called {implementation.name!r}"
            if isinstance(implementation, HandWritten):
                text += ": give one of them another name with name="
            raise UsageError(text)
        implementation = with_dtypes(implementation, config.getoption("lstm_dtype") or "")
        implementation = without(implementation, config.getoption("lstm_without") or "")
        implementation = with_precision(implementation, config.getoption("lstm_precision") or "")
        found = devices(implementation, config.getoption("lstm_device") or "")
        program = name in config.getoption("lstm_command")
        strict = config.getoption("lstm_strict") or (name in SHIPPED and SHIPPED[name].strict)
        targets.append(Target(name, implementation, found, program, strict))
    known = circumstances(each.implementation for each in targets)
    decided = [each for each in requirements if not left_out(each, budget(config))]
    devices_of = {each.implementation.name: (each.implementation, each.devices) for each in targets}
    return Selection(requirements, targets, known, expected(config.getoption, decided, devices_of))


def _requirements(config: pytest.Config) -> list[Requirement]:
    """Return the requirements with the names and levels in the options, or all without options."""
    names = config.getoption("lstm_requirement")
    levels = [level for level in (config.getoption("lstm_level") or "").split(",") if level]
    for name in names:
        if name not in REQUIREMENTS:
            raise unknown("requirement", name, REQUIREMENTS)
    for level in levels:
        if level not in LEVELS:
            raise unknown("level", level, LEVELS)
    asked = [
        each
        for name, each in REQUIREMENTS.items()
        if name in (names or [name]) and each.level in (levels or [each.level])
    ]
    if not asked:
        raise UsageError("no requirement has one of these levels and one of these names")
    return asked


def _asked(config: pytest.Config) -> Iterator[tuple[str, Callable[[], Implementation]]]:
    for name in dict.fromkeys(config.getoption("lstm")):
        yield name, partial(load, name)
    for command in dict.fromkeys(config.getoption("lstm_command")):
        yield command, partial(CommandImplementation, command, limits.timeout(config) / 2)


def _with(implementation: Implementation, **fields: Any) -> Implementation:
    """Return a copy of `implementation` with these fields."""
    changed = copy.copy(implementation)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def with_dtypes(implementation: Implementation, wanted: str) -> Implementation:
    """Return `implementation` limited to the `wanted` dtypes, a comma-separated list.

    Raises :class:`UsageError` for an unknown dtype, and if none of them is supported.
    """
    names = [name for name in wanted.split(",") if name]
    strange = [name for name in names if name not in DTYPES]
    if strange:
        raise unknown("dtype", strange[0], DTYPES)
    if not names:
        return implementation
    kept = tuple(name for name in implementation.supports.dtypes if name in names)
    if not kept:
        raise UsageError(
            f"{implementation.name} computes in {', '.join(implementation.supports.dtypes)}, "
            f"not in {wanted}"
        )
    return _with(implementation, supports=replace(implementation.supports, dtypes=kept))


def without(implementation: Implementation, names: str) -> Implementation:
    """Return `implementation` declared not to take what `names` lists, separated by commas.

    Raises :class:`UsageError` for an unknown name, and if nothing would be left to try.
    """
    supports = implementation.supports
    for name in filter(None, names.split(",")):
        if name not in LEFT_OUT:
            raise unknown("--without", name, LEFT_OUT)
        try:
            supports = supports.without(name)
        except ValueError as error:
            raise UsageError(f"--without {name}: {implementation.name} {error}") from error
    return _with(implementation, supports=supports) if names else implementation


def with_precision(implementation: Implementation, declared: str) -> Implementation:
    """Return `implementation` with a precision that is `declared` in addition to its own.

    `declared` is a comma-separated list of fields of :class:`reference.Precision` with values,
    such as ``products=tf32``. Raises :class:`UsageError` for unknown fields and wrong values.
    """
    if not declared:
        return implementation
    return _with(implementation, precision=precision_of(declared, precision(implementation)))


def precision_of(declared: str, own: Precision = DTYPES_OWN) -> Precision:
    """Return the precision `own` with what is `declared`; see :func:`with_precision`."""
    values: dict[str, Any] = {}
    kinds = get_type_hints(Precision)
    for part in filter(None, declared.split(",")):
        name, _, text = part.partition("=")
        if name not in kinds:
            raise unknown("--precision", name, kinds)
        kind = next(
            each for each in (int, float, str) if each in (kinds[name], *get_args(kinds[name]))
        )
        try:
            values[name] = kind(text)
        except ValueError as error:
            raise UsageError(f"--precision: {name} must be a number, got {text!r}") from error
    try:
        return replace(own, **values)
    except ValueError as error:
        raise UsageError(f"--precision: {error}") from error


def devices(implementation: Implementation, wanted: str) -> list[str]:
    """Return the devices to verify on.

    `wanted` is a comma-separated list, in which ``cuda`` stands for every CUDA device. Raises
    :class:`UsageError` for a device that is not there.
    """
    present = implementation.supports.devices
    if not wanted:
        return list(present) if any(d.startswith("cuda") for d in present) else [*present, "cuda"]
    found: list[str] = []
    for name in filter(None, wanted.split(",")):
        matching = [
            device
            for device in present
            if device in (name, f"{name}:0") or (name == "cuda" and device.startswith("cuda:"))
        ]
        if not matching:
            raise UsageError(
                f"{implementation.name} has no device {name!r} here, only {', '.join(present)}"
            )
        found += [device for device in matching if device not in found]
    return found


def budget(config: pytest.Config) -> Budget:
    """Return how many cases are tried, from which seed, and how long a failure is shrunk."""
    profile = config.getoption("lstm_profile")
    examples = config.getoption("lstm_max_examples") or PROFILES[profile]
    shrink_seconds = min(Budget.shrink_seconds, limits.timeout(config) / 4)
    return Budget(examples, config.getoption("lstm_seed"), shrink_seconds)


def subject(config: pytest.Config, target: Target, requirement: str, device: str) -> Subject:
    """Return what is verified, with everything needed to verify it again."""
    name = target.implementation.name if target.program else target.name
    what: dict[str, Any] = {"lstm_command" if target.program else "lstm": [target.name]}
    return Subject(
        requirement,
        name,
        device,
        str(Path.cwd()),
        rerun(vars(config.option), **what, lstm_requirement=[requirement], lstm_device=device),
        _environment(name),
        target.name if target.program else "",
        config.getoption("lstm_precision") or "",
    )
