"""Limits of a run: the time for an item and for the whole run, and the memory of a process."""

from __future__ import annotations

import contextlib
import faulthandler
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from conformance.checking.budget import TIMEOUTS
from conformance.running.starved import PATIENCE, kept_waiting

LOADING = 120.0
"""The longest time in seconds for loading an implementation, with the frameworks it imports."""
SOON = 1e-3
"""The seconds after which code is interrupted whose time was up before it began."""
AGAIN = 1.0
"""The seconds after which code that goes on although its time is up is interrupted once more."""
LEFT = 3.0
"""The seconds that a process has, after its code was interrupted, for the verdict on that."""
WATCHED = "lstm_conformance_watched"
"""The key of what a worker gets that tells whether it is watched."""
IMPORTING = "<frozen importlib._bootstrap>"
"""The file of the code that imports modules."""


def timeout(config: pytest.Config) -> float:
    """Return the longest time in seconds for one requirement on one implementation and device."""
    seconds: float | None = config.getoption("lstm_timeout")
    return TIMEOUTS[config.getoption("lstm_profile")] if seconds is None else seconds


def workers(config: pytest.Config) -> int:
    """Return how many processes decide requirements."""
    return int(getattr(config, "workerinput", {}).get("workercount", 1))


def _deadline(config: pytest.Config) -> float:
    """Return when the run has to be over, in seconds since the epoch; infinity without a limit."""
    end: float | None = config.getoption("lstm_deadline")
    return float("inf") if end is None else end


def allowed(config: pytest.Config, started: float) -> float:
    """Return the seconds for a requirement that began at `started`, none after the deadline."""
    return min(timeout(config), _deadline(config) - started)


def granted(config: pytest.Config, started: float) -> float:
    """Return the seconds after which an item that began at `started` is ended.

    These are the allowed ones. Where none are left, there is time to report that.
    """
    left = allowed(config, started)
    return left if left > 0 else LOADING


def own(config: pytest.Config, started: float) -> float:
    """Return the seconds after which an item is interrupted, and has a verdict all the same.

    That is its own limit; there is none if the run has to be over before.
    """
    seconds = timeout(config)
    return seconds if seconds <= allowed(config, started) else math.inf


def is_watched(config: pytest.Config) -> bool:
    """Return whether the process that reports watches this one, so that limits may be patient."""
    return bool(getattr(config, "workerinput", {}).get(WATCHED))


def ended(config: pytest.Config, started: float) -> float:
    """Return the seconds after which the process of an item ends itself."""
    seconds = own(config, started) * (PATIENCE if is_watched(config) else 1)
    return seconds + LEFT if seconds < math.inf else max(granted(config, started), 1)


def is_over(config: pytest.Config) -> bool:
    """Return whether the run's time is up."""
    return time.time() >= _deadline(config)


def reached(config: pytest.Config) -> str:
    """Return the reason for leaving requirements undecided after the run's time is up."""
    limit = config.getoption("lstm_time_limit")
    return f"the run's time limit of {limit:g} s was reached"


def overdue(seconds: float, what: str = "verdict") -> str:
    """Return why code was ended that gave no verdict, or no answer, in `seconds`."""
    return f"no {what} within {seconds:g} s"


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
        self.started = time.time() if started is None else started
        self._before: Any = None
        self._set = self._rang = False
        self._threads = 0
        self._raised: type[Exception] = Exception
        self._starved: type[Exception] = Exception
        self._waited = kept_waiting if patient else float
        self._since = self._began = time.time(), self._waited()

    def __enter__(self) -> Alarm:
        from conformance.implementations.failures import NoAnswer, Starved

        self._starved = Starved
        self._raised = NoAnswer  # importing it later may fail: modules can be removed
        self._threads = threading.active_count()
        main = threading.current_thread() is threading.main_thread()
        limited = min(self.call, self.whole) < math.inf  # else the alarm is that of others
        self._set = main and limited and hasattr(signal, "setitimer")
        if self._set:
            self._before = signal.signal(signal.SIGALRM, self._late)
            self._begin(max(self._left(), SOON))
        return self

    def __exit__(self, *_: object) -> None:
        if not self._set:
            return
        self._set = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)
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
        signal.setitimer(signal.ITIMER_REAL, min(self.call, left), AGAIN)
        self._began = time.time(), self._waited()

    def _left(self) -> float:
        return self.started + self.whole + self._waited() - self._since[1] - time.time()

    def _late(self, _: int, frame: FrameType | None) -> None:
        if _importing(frame):
            self.again()
            return
        now, waited = time.time(), self._waited()
        in_call, gone = now - self._began[0], now - self.started
        left = min(self._left(), self.call - in_call + waited - self._began[1])
        kept = waited > self._since[1] and left > SOON
        if kept and in_call < PATIENCE * self.call and gone < PATIENCE * self.whole:
            signal.setitimer(signal.ITIMER_REAL, left, AGAIN)
            return
        self._rang = True
        if kept:
            given = gone - waited + self._since[1]
            raise self._starved(f"the machine gave this process {given:.3g} of {gone:.3g} s")
        if self._left() <= 0 or self.call == math.inf:
            raise self._raised(overdue(self.whole))
        raise self._raised(overdue(self.call, "answer"))


def _importing(frame: FrameType | None) -> bool:
    """Return whether a module is being imported in `frame` or in what called it."""
    while frame is not None and frame.f_code.co_filename != IMPORTING:
        frame = frame.f_back
    return frame is not None


@contextlib.contextmanager
def last_resort(seconds: float | None) -> Iterator[None]:
    """End this process after `seconds`, even in C code that lets no other Python thread run.

    None stands for never. pytest-timeout cannot do that, as its timer is a Python thread.
    """
    if seconds is None:
        yield
        return
    with open(os.devnull, "w") as nowhere:
        faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


def absent() -> list[str]:
    """Return a line for each limit that this system does not have.

    Windows has no memory limit, and macOS has one that it does not enforce.
    """
    missing = ["this system has no memory limit: --memory has no effect"]
    return [] if sys.platform == "linux" else missing


def cap_memory(gib: float) -> None:
    """Limit the data of this process, in GiB.

    A request beyond the limit raises MemoryError, or what the allocator raises, in this process
    only. Does nothing on a system without such a limit, see :func:`absent`.
    """
    if sys.platform != "linux":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = int(gib * 2**30)
    caps = [limit for limit in (wanted, soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(caps), hard))
