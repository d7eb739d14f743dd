"""The requirements as tests of somebody's own suite.

::

    from conformance import parametrize_with_requirements

    @parametrize_with_requirements(MyLSTM)
    def test_my_lstm(requirement):
        requirement()
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from conformance.checking import process_state
from conformance.checking.budget import PROFILES, Budget
from conformance.checking.verdict import NotApplicable, Verdict
from conformance.errors import UsageError, unknown
from conformance.implementations.implementation import Implementation
from conformance.implementations.loading import load, of_class, of_object
from conformance.implementations.own_imports import OURS
from conformance.requirements import REQUIREMENTS
from conformance.running.choosing import exact_arithmetic
from conformance.running.deciding import check

SEED = secrets.randbelow(2**32)
"""The seed of this process where none is given."""


class NotConformant(AssertionError):
    """A requirement does not hold; the text says what, where, got, should be, and the case.

    It ends with `again`, how to draw the same cases again, where that is given.
    """

    def __init__(self, verdict: Verdict, again: str = "") -> None:
        first = f"{verdict.outcome}: {REQUIREMENTS[verdict.requirement].claim}"
        super().__init__("\n".join([first, *verdict.lines(), *filter(None, [again])]))
        self.verdict = verdict


@dataclass(frozen=True)
class BoundRequirement:
    """One requirement, to be decided for one implementation when it is called."""

    requirement: str
    target: Any
    devices: tuple[str, ...] | None
    budget: Budget = field(repr=False)

    def __call__(self) -> None:
        """Decide on every device; raises :class:`NotConformant`, skips what does not apply."""
        __tracebackhide__ = True
        with OURS, process_state.restored():
            implementation = implementation_of(self.target)
            exact_arithmetic()
            devices = self.devices or implementation.supports.devices
            verdicts = [
                check(REQUIREMENTS[self.requirement], implementation, device, self.budget)
                for device in devices
            ]
        for verdict in verdicts:
            if not verdict.conformant:
                again = f"parametrize_with_requirements(..., seed={self.budget.seed})"
                raise NotConformant(verdict, f"draw the same cases again: {again}")
        if all(isinstance(verdict, NotApplicable) for verdict in verdicts):
            pytest.skip(verdicts[0].reason)


def implementation_of(target: Any) -> Implementation:
    """The implementation meant by a name, a class or an implementation itself."""
    return _loaded(target) if isinstance(target, (str, type)) else of_object(target)


@cache
def _loaded(target: str | type[Any]) -> Implementation:
    if isinstance(target, str):
        return load(target)
    return of_class(target, f"{target.__module__}:{target.__qualname__}")


def parametrize_with_requirements(
    *targets: Any,
    expected_failures: Mapping[str, str] | None = None,
    profile: str = "default",
    max_examples: int | None = None,
    seed: int | None = None,
    devices: tuple[str, ...] | None = None,
) -> pytest.MarkDecorator:
    """Parametrize a pytest test with every requirement, as its argument `requirement`.

    Each of `targets` is a class, an :class:`~conformance.Implementation` or a name as on the
    command line. The test calls its argument, which raises where the requirement does not hold and
    skips where it does not apply. `expected_failures` maps names of requirements to reasons: they
    are marked as strict xfail. The number of cases is the profile's unless `max_examples` is
    given; `seed` is random for each session unless given, and told with a failure; `devices` are
    all that the target supports unless given.

    Hypothesis's settings stay as they are, and so do torch's, but for TF32 on CUDA, which is
    switched off. Raises :class:`~conformance.UsageError` for what is not there or no LSTM, for
    names of requirements that do not exist and whatever else makes no sense.
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
            raise UsageError(f"{target!r} is no class, no Implementation and no name")
        with OURS, process_state.restored():
            implementation_of(target)
    budget = Budget(max_examples or PROFILES[profile], SEED if seed is None else seed)
    parameters = [
        pytest.param(
            BoundRequirement(name, target, devices, budget),
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
