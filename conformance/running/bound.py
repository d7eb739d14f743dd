"""One requirement bound to what it is decided for, as a test of somebody's own suite calls it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from conformance.checking import process_state
from conformance.checking.engine import left_out
from conformance.checking.expectations.applying import Expected, applied
from conformance.checking.expectations.complaints import complaints
from conformance.checking.expectations.expectation import Expectation
from conformance.checking.expectations.reading import known_faults
from conformance.checking.verdict import ExpectedFailure, FailedShould, NotApplicable, Verdict
from conformance.implementations.implementation import Implementation
from conformance.implementations.loading import called, implementation_of
from conformance.implementations.naming import last_of, place_of, unloadable
from conformance.implementations.own_imports import OURS
from conformance.recording.text import kind_of
from conformance.reproductions.record import Subject, environment
from conformance.requirements import REQUIREMENTS
from conformance.running import channel, session
from conformance.running.circumstances import exact_arithmetic
from conformance.running.isolated import Task, impossible
from conformance.running.limiting import with_dtypes, with_precision
from conformance.running.loaded import loaded
from conformance.running.options import recall, rerun


class NotConformant(AssertionError):
    """A requirement that does not hold; the text is the difference, the claim, and the case.

    The text ends with `again`, how to draw the same cases again, if that is given.
    """

    def __init__(self, verdict: Verdict, again: str = "") -> None:
        found = verdict.counterexample
        first = verdict.reason if found is None else found.message
        claim = f"{verdict.outcome}: {REQUIREMENTS[verdict.requirement].claim}"
        rest = [line for line in verdict.lines() if line != first]
        super().__init__("\n".join(filter(None, [first, claim, *rest, again])))
        self.verdict = verdict


@dataclass(frozen=True)
class BoundRequirement:
    """One requirement on one implementation, which a call decides."""

    requirement: str
    target: Any
    how: session.How = field(repr=False)
    strict: bool = False
    expectations: tuple[Expectation, ...] = ()

    def __call__(self) -> None:
        """Decide the requirement on every device.

        Raises :class:`NotConformant` where it does not hold, and skips where it does not apply. An
        expected failure is an xfail, and so is a should that does not hold unless the decision is
        `strict`. An expectation that matches nothing fails.
        """
        __tracebackhide__ = True
        with OURS, process_state.restored():
            with channel.out_of_reach():
                implementation = self.implementation()
            exact_arithmetic()
            devices = self.how.places(implementation)
            own = self.expectations
            if left_out(REQUIREMENTS[self.requirement], self.how.effort()[0]):
                own = ()
            entries = [*own, *known_faults(self.requirement)]
            expected = Expected("expectations", tuple(applied(entries, implementation, devices)[0]))
            verdicts = [self._decided(implementation, device, expected) for device in devices]
        for verdict in verdicts:
            if not verdict.conformant:
                seed = self.how.effort()[0].seed
                call = f"parametrize_with_requirements(..., seed={seed})"
                again = f"draw the same cases again: pytest --lstm-seed {seed}, or {call}"
                raise NotConformant(verdict, again)
        for complaint in complaints(expected, verdicts):
            pytest.fail(str(complaint), pytrace=False)
        for verdict in verdicts:
            if isinstance(verdict, ExpectedFailure):
                pytest.xfail(verdict.reason)
            if isinstance(verdict, FailedShould):
                claim = REQUIREMENTS[self.requirement].claim
                pytest.xfail("\n".join([f"should: {claim}", *verdict.lines()]))
        if all(isinstance(verdict, NotApplicable) for verdict in verdicts):
            pytest.skip(verdicts[0].reason)

    def implementation(self) -> Implementation:
        """Return what is verified, limited to dtypes, and with the precision, that were asked for.

        Raises :class:`UsageError` where the target is not an LSTM, or does not allow that.
        """
        implementation = with_dtypes(_implementation(self.target), self.how.dtypes)
        return with_precision(implementation, self.how.precision)

    def _decided(self, implementation: Implementation, device: str, expected: Expected) -> Verdict:
        budget, seconds = self.how.effort()
        asked = session.options()
        limit = asked["lstm_timeout"] or self.how.timeout
        name = called(self.target, implementation)
        why = "" if isinstance(self.target, str) else unloadable(name)
        where = {"lstm_requirement": [self.requirement], "lstm_device": device}
        values = {
            **asked,
            "lstm_dtype": self.how.dtypes or None,
            "lstm_precision": self.how.precision or None,
            "lstm_max_examples": budget.max_examples,
            "lstm_seed": budget.seed,
            "lstm_strict": self.strict,
            "lstm_timeout": limit,
        }
        task = Task(
            REQUIREMENTS[self.requirement],
            implementation,
            device,
            budget,
            self.strict,
            Subject(
                self.requirement,
                name,
                device,
                str(Path.cwd()),
                recall(last_of(name), values, **where)
                if why
                else rerun(values, lstm=[name], **where),
                environment(name),
                precision=self.how.precision,
                unloadable=why,
            ),
            session.reproductions(),
            limit,
            expected,
        )
        apart = not impossible(implementation) if self.how.isolated is None else self.how.isolated
        if apart:
            return task.apart(seconds, asked["lstm_memory"])
        with channel.out_of_reach():
            return task.here()


_made: dict[Any, tuple[Any, Implementation]] = {}
"""What was made of each target; keeping an object keeps its id from being used again."""


def _implementation(target: Any) -> Implementation:
    """Return the implementation for a name, a class or an implementation, made once a process."""
    key = target if isinstance(target, (str, type)) else id(target)
    if key not in _made:
        name = place_of(target) if isinstance(target, type) else kind_of(target)
        name = target if isinstance(target, str) else name
        _made[key] = target, loaded(name, partial(implementation_of, target))
    return _made[key][1]
