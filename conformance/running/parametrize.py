"""The requirements as tests in another test suite.

::

    from conformance import parametrize_with_requirements

    @parametrize_with_requirements(MyLSTM)
    def test_my_lstm(requirement):
        requirement()
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from types import NoneType
from typing import Any

import pytest

from conformance.checking import process_state
from conformance.checking.budget import PROFILES
from conformance.checking.expectations.applying import applied
from conformance.errors import UsageError, unknown
from conformance.implementations.implementation import Implementation
from conformance.implementations.own_imports import OURS
from conformance.requirements import REQUIREMENTS
from conformance.running import channel, options
from conformance.running.bound import BoundRequirement, NotConformant
from conformance.running.choosing import of_names
from conformance.running.expecting import given
from conformance.running.isolated import impossible
from conformance.running.options.option import PYTEST
from conformance.running.session import How


def parametrize_with_requirements(
    *targets: Any,
    expected_failures: Mapping[str, str] | None = None,
    requirements: Collection[str] | None = None,
    levels: Collection[str] | None = None,
    profile: str = "default",
    max_examples: int | None = None,
    seed: int | None = None,
    timeout: float | None = None,
    devices: Collection[str] | None = None,
    dtypes: Collection[str] = (),
    precision: str = "",
    strict: bool = False,
    isolated: bool | None = None,
    expectations: str | Path | Sequence[Mapping[str, Any]] = (),
) -> pytest.MarkDecorator:
    """Parametrize a pytest test with every requirement, as its argument `requirement`.

    The test calls its argument, which raises if the requirement does not hold, and skips if the
    requirement does not apply.

    - `targets`: classes, :class:`~conformance.Implementation` objects, or names as on the command
      line
    - `expected_failures`: reasons by name of requirement; these are marked as strict xfail
    - `requirements`, `levels`: the names of those to verify; by default all. One name alone need
      not be in a list; so with `devices` and `dtypes`
    - `profile`: quick, default or thorough, which decides the number of cases
    - `max_examples`: the number of cases, whatever the profile
    - `seed`: random for each session unless given; a failure shows it
    - `timeout`: the limit in seconds for a requirement on a device, by default that of the profile
    - `devices`: by default all devices that the target supports; ``cuda`` stands for each CUDA
      device, and what needs one is skipped where there is none
    - `dtypes`: such as ``["float32"]``; by default all that the target supports
    - `precision`: arithmetic other than the dtype's own, such as ``products=tf32``
    - `strict`: whether a requirement that an LSTM should meet, but need not, fails the test; if
      not, it is an xfail with the difference
    - `isolated`: whether each requirement is decided in a fork, so that a target that kills its
      process or hangs gets a verdict; by default where a fork can be had and its target allows it
    - `expectations`: expected failures with conditions: a TOML file, relative to the current
      folder, or the entries themselves, each with the keys that an entry has in a file

    The options ``--lstm-seed``, ``--lstm-profile``, ``--lstm-max-examples``, ``--lstm-timeout`` and
    ``--lstm-database`` of pytest go before these arguments. Each test has the marker ``lstm``, that
    of its level, such as ``lstm_core``, and ``lstm_should`` where an LSTM should meet the
    requirement but need not.

    The settings of Hypothesis and of torch stay as they are, except that TF32 on CUDA is switched
    off. Raises :class:`~conformance.UsageError` for a target that does not exist or is not an LSTM,
    for an unknown requirement, level, dtype, device or profile, for numbers and expectations that
    make no sense, if there is no target or no requirement, and where a fork is asked for and cannot
    be had.
    """
    if not isinstance(expected_failures, (Mapping, NoneType)):
        raise UsageError("expected_failures must be a dict of reasons by requirement")
    expected = dict(expected_failures or {})
    of_names(expected, ())  # which refuses unknown ones
    chosen = [each.name for each in of_names(_several(requirements), _several(levels))]
    for name, value in (("max_examples", max_examples), ("seed", seed), ("timeout", timeout)):
        _check_number(name, value)
    if profile not in PROFILES:
        raise unknown("profile", profile, PROFILES)
    if not targets:
        raise UsageError("give at least one class, implementation or name to verify")
    listed, places = ",".join(_several(dtypes)), _several(devices)
    how = How(profile, max_examples, seed, timeout, places or None, listed, precision, isolated)
    own = given(expectations or ())
    for target in targets:
        # not isinstance(target, Implementation): that tries it out, before it has its name
        if not isinstance(target, (str, type)) and not hasattr(target, "run"):
            raise UsageError(f"{target!r} is not a class, an Implementation or a name")
        with OURS, process_state.restored(), channel.out_of_reach():
            implementation = BoundRequirement(chosen[0], target, how).implementation()
            reason = impossible(implementation)
            # conditions that cannot be evaluated are refused
            applied(own, implementation, how.places(implementation))
        _check_devices(places, implementation)
        if isolated and reason:
            raise UsageError(f"isolated=True: {implementation.name}: {reason}")
    parameters = [
        pytest.param(
            BoundRequirement(
                name,
                target,
                how,
                strict or name in expected,
                tuple(entry for entry in own if entry.requirement == name),
            ),
            id=name if len(targets) == 1 else f"{_id(target)}-{name}",
            marks=_marks(name, expected.get(name)),
        )
        for target in targets
        for name in chosen
    ]
    return pytest.mark.parametrize("requirement", parameters)


def _several(names: Collection[str] | None) -> tuple[str, ...]:
    """Return the names, be it one alone."""
    return (names,) if isinstance(names, str) else tuple(names or ())


def _check_number(name: str, value: object) -> None:
    """Raise :class:`UsageError` for what the option of this name would not be."""
    kind = Real if name == "timeout" else Integral
    if value is None:
        return
    if isinstance(value, kind) and not isinstance(value, bool):
        option = next(each for each in options.of(PYTEST) if each.key == f"lstm_{name}")
        complaint = option.check(value)
    else:
        complaint = "must be a number"
    if complaint:
        raise UsageError(f"{name}={value!r} {complaint}")


def _check_devices(names: Collection[str], implementation: Implementation) -> None:
    """Raise :class:`UsageError` for a device that no machine has: all would be skipped."""
    present = implementation.supports.devices
    for name in names:
        if name not in present and name.partition(":")[0] not in ("cpu", "cuda"):
            only = f"only {', '.join(present)}"
            raise UsageError(f"{implementation.name} has no device {name!r} here, {only}")


def _marks(name: str, expected: str | None) -> list[pytest.MarkDecorator]:
    """Return the markers of the test of a requirement, and xfail if its failure is expected."""
    each = REQUIREMENTS[name]
    markers = ["lstm", f"lstm_{each.level}", *(["lstm_should"] if each.should else [])]
    marks = [getattr(pytest.mark, marker) for marker in markers]
    if expected is not None:
        marks.append(pytest.mark.xfail(reason=expected, strict=True, raises=NotConformant))
    return marks


def _id(target: Any) -> str:
    if isinstance(target, type):
        return target.__name__
    name: str = target if isinstance(target, str) else target.name
    return name
