"""From the options of a run to implementations, devices and budgets."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from functools import cache, partial
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any, get_args, get_type_hints

import hypothesis
import numpy as np
import pytest

from conformance.checking.budget import PROFILES, Budget
from conformance.checking.requirement import LEVELS, Requirement
from conformance.errors import UsageError, meant, positive
from conformance.implementations.by_hand import HandWritten
from conformance.implementations.implementation import Implementation, precision
from conformance.implementations.loading import load
from conformance.implementations.programs.external import CommandImplementation, load_command
from conformance.implementations.shipped import SHIPPED
from conformance.reproductions.subject import Subject, environment, rerun
from conformance.requirements import REQUIREMENTS
from conformance.running.journal import Journal
from conformance.running.limits import timeout
from reference import DTYPES, Precision

_load = cache(load)
_environment = cache(environment)


def select(config: pytest.Config) -> list[tuple[Implementation, str]]:
    """Every implementation asked for, with every device that it is to be verified on.

    By default that is the CPU and every CUDA device; where there is none, ``cuda`` itself stands
    for them, so that what could not be verified is reported. Raises :class:`UsageError` for
    unknown names, and for devices and dtypes that were asked for and are not there.
    """
    for name in config.getoption("lstm_requirement"):
        if name not in REQUIREMENTS:
            told = f"unknown requirement {name!r}: `lstm-conformance requirements` lists them"
            raise UsageError(told + meant(name, REQUIREMENTS))
    for level in _levels(config):
        if level not in LEVELS:
            raise UsageError(f"unknown level {level!r}: choose among {', '.join(LEVELS)}")
    if not any(asked(each, config) for each in REQUIREMENTS.values()):
        raise UsageError("no requirement is of these levels and names")
    examples = config.getoption("lstm_max_examples")
    if examples is not None and examples < 1:
        raise UsageError(f"--max-examples must be at least 1, got {examples}")
    positive("timeout", timeout(config), "seconds")
    positive("memory", config.getoption("lstm_memory"), "GiB")
    if config.getoption("lstm_time_limit") is not None:
        positive("time-limit", config.getoption("lstm_time_limit"), "seconds")
    _can_be_written(Path(config.getoption("lstm_reproductions")))
    chosen: list[tuple[Implementation, str]] = []
    for name, load_it in _asked(config):
        with contextlib.closing(Journal(config)) as journal:
            journal.write(name)
        implementation = load_it()
        if implementation.name in {
            other.name for other, _ in chosen if other is not implementation
        }:
            told = f"two of those to be verified are called {implementation.name!r}"
            if isinstance(implementation, HandWritten):
                told += ": give one of them another name with name="
            raise UsageError(told)
        implementation = with_dtypes(implementation, config.getoption("lstm_dtype"))
        implementation = with_precision(implementation, config.getoption("lstm_precision"))
        for device in devices(implementation, config.getoption("lstm_device")):
            chosen.append((implementation, device))
    exact_arithmetic()
    return chosen


def asked(requirement: Requirement, config: pytest.Config) -> bool:
    """Whether the options name `requirement` and its level, or none of their kind."""
    names = config.getoption("lstm_requirement")
    levels = _levels(config)
    return (not names or requirement.name in names) and (not levels or requirement.level in levels)


def _levels(config: pytest.Config) -> list[str]:
    return [level for level in config.getoption("lstm_level").split(",") if level]


def _asked(config: pytest.Config) -> Iterator[tuple[str, Callable[[], Implementation]]]:
    for name in config.getoption("lstm"):
        yield name, partial(_load, name)
    for command in config.getoption("lstm_command"):
        yield command, partial(load_command, command, timeout(config) / 2)


def _can_be_written(folder: Path) -> None:
    above = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        raise UsageError(f"--reproductions: {above} is no folder that can be written to")


def with_dtypes(implementation: Implementation, wanted: str) -> Implementation:
    """`implementation`, verified only in the `wanted` dtypes, comma-separated."""
    names = [name for name in wanted.split(",") if name]
    unknown = [name for name in names if name not in DTYPES]
    if unknown:
        raise UsageError(f"unknown dtype {unknown[0]!r}: choose among {', '.join(DTYPES)}")
    if not names:
        return implementation
    kept = tuple(name for name in implementation.supports.dtypes if name in names)
    if not kept:
        raise UsageError(
            f"{implementation.name} computes in {', '.join(implementation.supports.dtypes)}, "
            f"not in {wanted}"
        )
    implementation.supports = replace(implementation.supports, dtypes=kept)
    return implementation


def with_precision(implementation: Implementation, declared: str) -> Implementation:
    """`implementation`, verified by the bounds of what is `declared` beside its own declaration.

    That is a comma-separated list of fields of :class:`reference.Precision` and their values.
    """
    if not declared:
        return implementation
    values: dict[str, Any] = {}
    kinds = get_type_hints(Precision)
    for part in declared.split(","):
        name, _, text = part.partition("=")
        if name not in kinds:
            raise UsageError(f"--precision: unknown {name!r}: choose among {', '.join(kinds)}")
        kind = next(
            each for each in (int, float, str) if each in (kinds[name], *get_args(kinds[name]))
        )
        try:
            values[name] = kind(text)
        except ValueError as error:
            raise UsageError(f"--precision: {name} must be a number, got {text!r}") from error
    try:
        merged = replace(precision(implementation), **values)
        implementation.precision = merged  # type: ignore[attr-defined]
    except ValueError as error:
        raise UsageError(f"--precision: {error}") from error
    return implementation


def devices(implementation: Implementation, wanted: str) -> list[str]:
    """The devices to verify on; `wanted` is comma-separated, ``cuda`` means every one present."""
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
    """How much is to be tried."""
    profile = config.getoption("lstm_profile")
    examples = config.getoption("lstm_max_examples") or PROFILES[profile]
    shrink_seconds = min(Budget.shrink_seconds, timeout(config) / 4)
    return Budget(examples, config.getoption("lstm_seed"), shrink_seconds)


def subject(
    config: pytest.Config, implementation: Implementation, requirement: str, device: str
) -> Subject:
    """What is verified, with what it takes to do that again."""
    names = config.getoption("lstm")
    name = next((each for each in names if _load(each) is implementation), implementation.name)
    program = implementation.command if isinstance(implementation, CommandImplementation) else ""
    options = ("profile", "max_examples", "seed", "dtype", "precision", "timeout")
    values = {option.replace("_", "-"): config.getoption(f"lstm_{option}") for option in options}
    return Subject(
        requirement,
        name,
        device,
        str(Path.cwd()),
        rerun(["--command", program] if program else [name], requirement, device, values),
        _environment(name),
        program,
        config.getoption("lstm_precision"),
    )


def exact_arithmetic() -> dict[str, str]:
    """Full float32 products, without TF32, where torch has been imported; says what was set."""
    if "torch" not in sys.modules:
        return {}
    from conformance.implementations.pytorch.modules import set_exact_arithmetic

    return set_exact_arithmetic()


def packages(names: Iterable[str]) -> dict[str, str]:
    """Of the packages that the implementations known by one of these `names` need."""
    distributions = packages_distributions()
    needed = (module for name in names if name in SHIPPED for module in SHIPPED[name].needs)
    return {module: version(distributions[module][0]) for module in needed}


def circumstances(config: pytest.Config) -> dict[str, Any]:
    """Versions, precision switches, and what each implementation declares."""
    chosen = {implementation.name: implementation for implementation, _ in select(config)}
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "numpy": np.__version__,
        "hypothesis": hypothesis.__version__,
        **exact_arithmetic(),
        **packages(chosen),
        "supports": {name: asdict(each.supports) for name, each in chosen.items()},
        "precision": {name: asdict(precision(each)) for name, each in chosen.items()},
        "versions": {
            name: str(said)
            for name, each in chosen.items()
            if (said := getattr(each, "version", ""))
        },
    }
