"""The time for which a process could run, but was not given a processor.

Limits are about what an implementation takes. On a machine with too much to do it may take many
times as long, through no fault of its own: that time is not counted. A process that sleeps, or
waits for something that never comes, does not wait for a processor, and is late as ever.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import monotonic

from conformance.implementations.programs.keeper import children

PATIENCE = 5.0
"""How many times its limit code may take on a machine that has no time for it."""


def kept_waiting(process: int | str = "self") -> float:
    """Return for how many seconds the main thread of a process has waited for a processor.

    That is 0 where the operating system does not tell; Linux does, for processes on it.
    """
    try:
        return int(Path(f"/proc/{process}/schedstat").read_bytes().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def told(given: float, passed: float) -> str:
    """Return in words that a process was given so many seconds of those that passed."""
    return f"the machine gave this process {given:.3g} of {passed:.3g} s"


def kept_by(keeper: int) -> int:
    """Return the number of the process that a keeper runs, 0 if it has not started one."""
    return min(children(keeper), default=0)


class Given:
    """A limit in seconds on the time that the machine gives a process; it begins now.

    `number` returns the number of the process, 0 while there is none.
    """

    def __init__(self, seconds: float, number: Callable[[], int]) -> None:
        self.seconds = seconds
        self._number = number
        self._began, self._waited = monotonic(), self._kept_waiting()

    def _kept_waiting(self) -> float:
        number = self._number()
        return kept_waiting(number) if number else 0.0

    @property
    def left(self) -> float:
        """The seconds after which to look again; 0 if the time is up, or nobody waits more."""
        passed = monotonic() - self._began
        if passed < self.seconds:
            return self.seconds - passed
        patient = min(self.seconds - self._given(passed), PATIENCE * self.seconds - passed)
        return max(patient, 0.0)

    @property
    def starved(self) -> str:
        """What is to be said if the process was not given its time, else empty."""
        passed = monotonic() - self._began
        given = self._given(passed)
        return told(given, passed) if given < self.seconds else ""

    def _given(self, passed: float) -> float:
        return passed - max(self._kept_waiting() - self._waited, 0.0)
