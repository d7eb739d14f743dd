"""Running the implementation again: counted, kept, and within a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from conformance.implementations.failures import Failure, blamed
from conformance.implementations.implementation import Implementation
from reference import Case, Result
from strategies import Support


class OutOfTime(BaseException):
    """The time for a diagnosis is up; no implementation catches it."""


@dataclass
class Recording:
    """An implementation whose runs are counted, timed and kept.

    It raises :class:`OutOfTime` when the deadline has passed.
    """

    implementation: Implementation
    deadline: float
    before: Callable[[Case], object] | None
    runs: list[tuple[Case, Result]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """That of the implementation."""
        return self.implementation.name

    @property
    def supports(self) -> Support:
        """What the implementation supports."""
        return self.implementation.supports

    def __getattr__(self, name: str) -> Any:
        return getattr(self.implementation, name)

    def in_time(self) -> None:
        """Raise :class:`OutOfTime` if the deadline has passed."""
        if time.perf_counter() > self.deadline:
            raise OutOfTime

    def announce(self, case: Case) -> None:
        """Tell that `case` is going to be run, if there is time for it."""
        self.in_time()
        if self.before is not None:
            self.before(case)

    def run(self, case: Case) -> Result:
        """The implementation's result for `case`, which is kept with it."""
        self.announce(case)
        result = self.implementation.run(case)
        if isinstance(result, Result):
            self.runs.append((case, result))
        return result

    def answer(self, case: Case) -> Result | None:
        """The result of `case`, None if there is none."""
        self.in_time()  # here, as within what is blamed it would be the implementation's fault
        try:
            with blamed():
                result = self.run(case)
        except Failure:
            return None
        return result if isinstance(result, Result) else None
