"""The requirements as tests in another test suite.

::

    from conformance import parametrize_with_requirements

    @parametrize_with_requirements(MyLSTM)
    def test_my_lstm(requirement):
        requirement()
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from conformance.checking import process_state
from conformance.checking.budget import PROFILES, Budget
from conformance.checking.engine import left_out
from conformance.checking.expectations.applying import Expected, applied
from conformance.checking.expectations.complaints import complaints
from conformance.checking.expectations.expectation import Expectation
from conformance.checking.expectations.reading import known_faults
from conformance.checking.verdict import ExpectedFailure, FailedShould, NotApplicable, Verdict
from conformance.errors import UsageError, unknown
from conformance.implementations.implementation import Implementation
from conformance.implementations.loading import load, of_class, of_object
from conformance.implementations.own_imports import OURS
from conformance.recording.text import kind_of
from conformance.requirements import REQUIREMENTS
from conformance.running.circumstances import exact_arithmetic
from conformance.running.deciding import check
from conformance.running.expecting import given
from conformance.running.loaded import loaded

SEED = secrets.randbelow(2**32)
"""The seed of this process if none is given."""


class NotConformant(AssertionError):
    """A requirement that does not hold; the text is the claim, the difference, and the case.

    The text ends with `again`, how to draw the same cases again, if that is given.
    """

    def __init__(self, verdict: Verdict, again: str = "") -> None:
        first = f"{verdict.outcome}: {REQUIREMENTS[verdict.requirement].claim}"
        super().__init__("\n".join([first, *verdict.lines(), *filter(None, [again])]))
        self.verdict = verdict


@dataclass(frozen=True)
class BoundRequirement:
    """One requirement on one implementation, which a call decides."""

    requirement: str
    target: Any
    devices: tuple[str, ...] | None
    budget: Budget = field(repr=False)
    strict: bool = False
    expectations: tuple[Expectation, ...] = ()

    def __call__(self) -> None:
        """Decide the requirement on every device.

        Raises :class:`NotConformant` where it does not hold, and skips where it does not apply. An
        expected failure is an xfail, and so is a should that does not hold unless the decision is
        `strict`. An expectation that matches nothing fails.
        """
        __tracebackhide__ = True
        requirement = REQUIREMENTS[self.requirement]
        with OURS, process_state.restored():
            implementation = implementation_of(self.target)
            exact_arithmetic()
            devices = self.devices or implementation.supports.devices
            decided = () if left_out(requirement, self.budget) else self.expectations
            entries = [*decided, *known_faults(self.requirement)]
            found, _ = applied(entries, implementation, devices)
            expected = Expected("expectations", tuple(found))
            verdicts = [
                check(
                    requirement,
                    implementation,
                    device,
                    self.budget,
                    strict=self.strict,
                    expected=expected.of(self.requirement, implementation.name, device),
                )
                for device in devices
            ]
        for verdict in verdicts:
            if not verdict.conformant:
                again = f"parametrize_with_requirements(..., seed={self.budget.seed})"
                raise NotConformant(verdict, f"draw the same cases again: {again}")
        for complaint in complaints(expected, verdicts):
            pytest.fail(str(complaint), pytrace=False)
        for verdict in verdicts:
            if isinstance(verdict, ExpectedFailure):
                pytest.xfail(verdict.reason)
            if isinstance(verdict, FailedShould):
                pytest.xfail("\n".join([f"should: {requirement.claim}", *verdict.lines()]))
        if all(isinstance(verdict, NotApplicable) for verdict in verdicts):
            pytest.skip(verdicts[0].reason)


def implementation_of(target: Any) -> Implementation:
    """Return the implementation for a name, a class or an implementation itself."""
    if isinstance(target, (str, type)):
        return _loaded(target)
    if id(target) not in _given:
        _given[id(target)] = target, loaded(kind_of(target), partial(of_object, target))
    return _given[id(target)][1]


_given: dict[int, tuple[Any, Implementation]] = {}
"""What was made of each object; keeping the object keeps its id from being used again."""


@cache
def _loaded(target: str | type[Any]) -> Implementation:
    if isinstance(target, str):
        return loaded(target, partial(load, target))
    name = f"{target.__module__}:{target.__qualname__}"
    return loaded(name, partial(of_class, target, name))


def parametrize_with_requirements(
    *targets: Any,
    expected_failures: Mapping[str, str] | None = None,
    profile: str = "default",
    max_examples: int | None = None,
    seed: int | None = None,
    devices: tuple[str, ...] | None = None,
    strict: bool = False,
    expectations: str | Path | Sequence[Mapping[str, Any]] = (),
) -> pytest.MarkDecorator:
    """Parametrize a pytest test with every requirement, as its argument `requirement`.

    The test calls its argument, which raises if the requirement does not hold, and skips if the
    requirement does not apply.

    - `targets`: classes, :class:`~conformance.Implementation` objects, or names as on the command
      line
    - `expected_failures`: reasons by name of requirement; these are marked as strict xfail
    - `profile`: quick, default or thorough, which decides the number of cases
    - `max_examples`: the number of cases, whatever the profile
    - `seed`: random for each session unless given; a failure shows it
    - `devices`: by default all devices that the target supports
    - `strict`: whether a requirement that an LSTM should meet, but need not, fails the test; if
      not, it is an xfail with the difference
    - `expectations`: expected failures with conditions: a TOML file, relative to the current
      folder, or the entries themselves, each with the keys that an entry has in a file

    The settings of Hypothesis and of torch stay as they are, except that TF32 on CUDA is switched
    off. Raises :class:`~conformance.UsageError` for a target that does not exist or is not an LSTM,
    for an unknown requirement or profile, for expectations that make no sense, and if there is no
    target.
    """
    expected = dict(expected_failures or {})
    for name in expected:
        if name not in REQUIREMENTS:
            raise unknown("requirement", name, REQUIREMENTS)
    if profile not in PROFILES:
        raise unknown("profile", profile, PROFILES)
    if not targets:
        raise UsageError("give at least one class, implementation or name to verify")
    for target in targets:
        # not isinstance(target, Implementation): that tries it out, before it has its name
        if not isinstance(target, (str, type)) and not hasattr(target, "run"):
            raise UsageError(f"{target!r} is not a class, an Implementation or a name")
        with OURS, process_state.restored():
            implementation_of(target)
    own = given(expectations)
    for target in targets:
        # conditions that cannot be evaluated are refused
        implementation = implementation_of(target)
        applied(own, implementation, devices or implementation.supports.devices)
    budget = Budget(max_examples or PROFILES[profile], SEED if seed is None else seed)
    parameters = [
        pytest.param(
            BoundRequirement(
                name,
                target,
                devices,
                budget,
                strict or name in expected,
                tuple(entry for entry in own if entry.requirement == name),
            ),
            id=name if len(targets) == 1 else f"{_id(target)}-{name}",
            marks=[pytest.mark.xfail(reason=expected[name], strict=True, raises=NotConformant)]
            if name in expected
            else [],
        )
        for target in targets
        for name in REQUIREMENTS
    ]
    return pytest.mark.parametrize("requirement", parameters)


def _id(target: Any) -> str:
    if isinstance(target, type):
        return target.__name__
    name: str = target if isinstance(target, str) else target.name
    return name
