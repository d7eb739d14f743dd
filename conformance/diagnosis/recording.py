"""Running the implementation again, each run announced, until a deadline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from conformance.implementations.failures import Failure
from conformance.implementations.implementation import Implementation, answer
from reference import DTYPES, Case, Result
from strategies import Support


class OutOfTime(BaseException):
    """The time for a diagnosis is up.

    It is a BaseException so that no ``except Exception`` of an implementation catches it.
    """


@dataclass
class Recording:
    """An implementation that is run until `deadline`, in seconds of :func:`time.perf_counter`.

    `before` is called with each case before the case is run. A run after the deadline raises
    :class:`OutOfTime`. `answered` says whether any run gave a result.
    """

    implementation: Implementation
    deadline: float
    before: Callable[[Case], object] | None
    answered: bool = False

    @property
    def supports(self) -> Support:
        """Return what the implementation supports."""
        return self.implementation.supports

    def in_time(self) -> None:
        """Raise :class:`OutOfTime` if the deadline has passed."""
        if perf_counter() > self.deadline:
            raise OutOfTime

    def announce(self, case: Case) -> None:
        """Report that `case` is going to be run; raises :class:`OutOfTime` after the deadline."""
        self.in_time()
        if self.before is not None:
            self.before(case)

    def answer(self, case: Case) -> Result | None:
        """Run `case`; returns None if it fails, or if the numbers cannot be compared."""
        self.announce(case)
        try:
            result = answer(self.implementation, case)
        except Failure:
            return None
        if any(array.dtype.name not in DTYPES for _, array in result.items()):
            return None
        self.answered = True
        return result
