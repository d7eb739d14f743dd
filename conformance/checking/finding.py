"""A case on which a requirement does not hold, and the verdict that follows from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from conformance.checking.counterexample import Compared, Counterexample
from conformance.checking.verdict import Crashed, Failed, TimedOut, Undecided, Verdict
from conformance.implementations.failures import (
    Failure,
    Mismatch,
    NoAnswer,
    Starved,
    WrongElement,
)
from conformance.implementations.implementation import Implementation
from conformance.recording.tape import Tape
from conformance.recording.text import text_of
from reference import Array, Case

LARGE = 10_000
"""The size of arrays up to which a report has every number. The case on disk has all of them."""
SMALL = 256
"""The size of the results up to which a report has those of a wrong element, to be looked at."""


@dataclass(frozen=True, eq=False)
class Finding:
    """A case on which a requirement does not hold, the failure, and the steps taken until then.

    `implementation` is what failed, or None if it was in a process that has ended. `changed` names
    the settings of the process that it changed on this case.
    """

    implementation: Implementation | None
    case: Case
    failure: Failure
    tape: Tape
    changed: tuple[str, ...] = ()

    @property
    def decides(self) -> bool:
        """Whether it says anything about the implementation, or only that there was no time."""
        return not isinstance(self.failure, Starved)

    def calls(self) -> list[Case]:
        """List the cases called until the failure, without calls that should have been refused."""
        steps = [step for step in self.tape.steps if not step.attempt]
        return [step.case for step in steps if step.case is not None]

    def verdict(
        self,
        requirement: str,
        implementation: str,
        device: str,
        cases: int = 1,
        largest_share: float | None = None,
        seconds: float = 0.0,
    ) -> Verdict:
        """Give the verdict: crashed, failed or timed out, or undecided if there was no time."""
        late, wrong = isinstance(self.failure, NoAnswer), isinstance(self.failure, Mismatch)
        kind: type[Verdict] = Failed if wrong else TimedOut if late else Crashed
        kind = kind if self.decides else Undecided
        here = requirement, implementation, device, cases, largest_share, seconds
        reason = f"it changed {', '.join(self.changed)}" if self.changed else ""
        reason = reason if self.decides else text_of(self.failure)
        return kind(*here, reason=reason, counterexample=counterexample(self))


def size(case: Case) -> tuple[int, ...]:
    """Measure how much a reader has to look at.

    Layers and directions come first, then whether there is no batch, then the non-zero numbers, all
    numbers, and digits.
    """
    arrays = [*case.parameters.values(), case.input]
    arrays += [array for array in (case.h_0, case.c_0) if array is not None]
    nonzero = sum(int((array != 0).sum()) for array in arrays)
    digits = sum(len(str(a.tolist())) for a in arrays if a.size <= LARGE)
    layers = case.configuration.num_layers * case.configuration.num_directions
    return layers, int(not case.batched), nonzero, sum(array.size for array in arrays), digits


def counterexample(found: Finding) -> Counterexample:
    """Describe the failure and its case in plain values."""
    case, failure = found.case, found.failure
    tensors = {
        name: array.astype(float).tolist()
        for name, array in {**case.parameters, **case.arguments()}.items()
        if array.size <= LARGE
    }
    calls = [step.case for step in found.tape.steps if step.case is not None]
    return Counterexample(
        repr(case),
        text_of(failure),
        tensors,
        kind=failure.kind,
        dtype=case.dtype.name,
        what=text_of(failure.what),
        where=text_of(failure.where),
        got=text_of(failure.got),
        expected=text_of(failure.expected),
        allowed=failure.allowed,
        derived=bool(calls) and differs(case, calls[-1]),
        compared=_compared(failure),
    )


def _compared(failure: Failure) -> Compared | None:
    if not isinstance(failure, WrongElement) or failure.values is None:
        return None
    if failure.values[0].size > SMALL:
        return None
    return Compared(*(each.astype(float).tolist() for each in failure.values))


def differs(case: Case, other: Case) -> bool:
    """Whether `case` and `other` differ in anything that is shown of a case."""
    return bool(changed_arrays(case, other)) or repr(case) != repr(other)


def changed_arrays(case: Case, other: Case) -> list[str]:
    """Name the parameters, input and states of `other` that differ from those of `case`."""
    arrays, others = (
        {**each.parameters, "input": each.input, "h_0": each.h_0, "c_0": each.c_0}
        for each in (case, other)
    )
    return [name for name in others if not _same(others[name], arrays.get(name))]


def _same(first: Array | None, second: Array | None) -> bool:
    if first is None or second is None:
        return first is second
    return np.array_equal(first, second, equal_nan=True)
