"""Running the implementation again: each run is announced, and within a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from conformance.implementations.failures import Failure
from conformance.implementations.implementation import Implementation, answer
from reference import DTYPES, Case, Result
from strategies import Support


class OutOfTime(BaseException):
    """The time for a diagnosis is up; no implementation catches it."""


@dataclass
class Recording:
    """An implementation that is run until the deadline; `before` gets each case before it is run.

    Afterwards it raises :class:`OutOfTime`. It has `answered` if any run came to a result.
    """

    implementation: Implementation
    deadline: float
    before: Callable[[Case], object] | None
    answered: bool = False

    @property
    def supports(self) -> Support:
        """What the implementation supports."""
        return self.implementation.supports

    def in_time(self) -> None:
        """Raise :class:`OutOfTime` if the deadline has passed."""
        if time.perf_counter() > self.deadline:
            raise OutOfTime

    def announce(self, case: Case) -> None:
        """Report that `case` is going to be run, if there is time for it."""
        self.in_time()
        if self.before is not None:
            self.before(case)

    def answer(self, case: Case) -> Result | None:
        """The result of `case`, None if there is none whose numbers can be compared."""
        self.announce(case)
        try:
            result = answer(self.implementation, case)
        except Failure:
            return None
        if any(array.dtype.name not in DTYPES for _, array in result.items()):
            return None
        self.answered = True
        return result
