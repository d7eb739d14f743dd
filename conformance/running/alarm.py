"""Interrupts code that takes too long, within the process that runs it.

What it needs is imported under names of its own: an implementation may exchange functions of the
modules that have them.
"""

from __future__ import annotations

import math
import signal
import threading
from signal import signal as _handle
from time import monotonic
from types import FrameType
from typing import Any

from conformance.implementations.starved import PATIENCE, kept_waiting, told
from conformance.running.limits import overdue

SOON = 1e-3
"""The seconds after which code is interrupted whose time was up before it began."""
AGAIN = 1.0
"""The seconds after which code that goes on although its time is up is interrupted once more."""
IMPORTING = "<frozen importlib._bootstrap>"
"""The file of the code that imports modules."""

_set_timer: Any = getattr(signal, "setitimer", None)


class Alarm:
    """Raises :class:`NoAnswer` in the code of a ``with`` block that takes too long.

    Python code is interrupted, and a call of C code that a signal ends. The watchdog ends others.

    - `call`: the limit in seconds, which begins anew where :meth:`again` is called, and while a
      module is imported: a module that is half imported would spoil all that follows
    - `whole`: the limit in seconds for everything that was done since `started`
    - `patient`: whether time in which the machine had no processor for this process is not counted;
      after so much of it that nobody waits any longer, :class:`Starved` is raised

    A process in which a thread goes on after that is given up.
    """

    def __init__(
        self,
        call: float | None,
        whole: float = math.inf,
        started: float | None = None,
        *,
        patient: bool = False,
    ) -> None:
        self.call = math.inf if call is None else call
        self.whole = whole
        self.started = monotonic() if started is None else started
        self._before: Any = None
        self._set = self._rang = False
        self._threads = 0
        self._raised: type[Exception] = Exception
        self._starved: type[Exception] = Exception
        self._waited = kept_waiting if patient else float
        self._since = self._began = monotonic(), self._waited()

    def __enter__(self) -> Alarm:
        from conformance.implementations.failures import NoAnswer, Starved

        self._starved = Starved
        self._raised = NoAnswer  # importing it later may fail: modules can be removed
        self._threads = threading.active_count()
        main = threading.current_thread() is threading.main_thread()
        limited = min(self.call, self.whole) < math.inf  # else the alarm is that of others
        self._set = main and limited and _set_timer is not None
        if self._set:
            self._before = _handle(signal.SIGALRM, self._late)
            self._begin(max(self._left(), SOON))
        return self

    def __exit__(self, *_: object) -> None:
        if not self._set:
            return
        self._set = False
        _set_timer(signal.ITIMER_REAL, 0)
        _handle(signal.SIGALRM, self._before)
        if self._rang and threading.active_count() > self._threads:
            from conformance.checking import devices

            devices.give_up("left a thread that does not end")

    def again(self) -> None:
        """Begin the limit for a call anew, within the block and the whole time."""
        left = self._left()
        if self._set and left > 0:
            self._begin(left)

    def _begin(self, left: float) -> None:
        # code that catches what is raised meets it once more
        _set_timer(signal.ITIMER_REAL, min(self.call, left), AGAIN)
        self._began = monotonic(), self._waited()

    def _left(self) -> float:
        return self.started + self.whole + self._waited() - self._since[1] - monotonic()

    def _late(self, _: int, frame: FrameType | None) -> None:
        if _importing(frame):
            self.again()
            return
        now, waited = monotonic(), self._waited()
        in_call, gone = now - self._began[0], now - self.started
        left = min(self._left(), self.call - in_call + waited - self._began[1])
        kept = waited > self._since[1] and left > SOON
        if kept and in_call < PATIENCE * self.call and gone < PATIENCE * self.whole:
            _set_timer(signal.ITIMER_REAL, left, AGAIN)
            return
        self._rang = True
        if kept:
            raise self._starved(told(gone - waited + self._since[1], gone))
        if self._left() <= 0 or self.call == math.inf:
            raise self._raised(overdue(self.whole))
        raise self._raised(overdue(self.call, "answer"))


def _importing(frame: FrameType | None) -> bool:
    """Return whether a module is being imported in `frame` or in what called it."""
    while frame is not None and frame.f_code.co_filename != IMPORTING:
        frame = frame.f_back
    return frame is not None
