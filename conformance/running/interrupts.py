"""Signals that end a run early, with a report of what was decided until then."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import Any

from conformance.errors import Interrupted

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
AGAIN = 1.0
"""The seconds after a signal in which another one does not interrupt once more."""


class Interrupts:
    """The signals that arrived; the `first` of them decides the exit status.

    A signal interrupts whatever the process does, with :class:`Interrupted`. Once the run `ends`,
    a signal changes nothing any more: the end takes seconds.
    """

    def __init__(self) -> None:
        self.first: Interrupted | None = None
        self._last = 0.0
        self._ending = False
        self._before: dict[int, Any] = {}
        for name in NAMES:
            number = getattr(signal, name, None)
            # what the parent ignores, such as SIGHUP under nohup, stays ignored
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._arrived)

    def _arrived(self, number: int, _: FrameType | None) -> None:
        if self._ending:
            return
        self.first = self.first or Interrupted(number)
        before, self._last = self._last, time.monotonic()
        if not before or self._last - before > AGAIN:
            raise Interrupted(number)

    def ends(self) -> None:
        """Let no further signal interrupt."""
        self._ending = True

    def restore(self) -> None:
        """Give the signals back to whatever handled them before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
