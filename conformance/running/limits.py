"""Limits of a run: the time for an item and for the whole run, and the memory of a process."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from conformance.checking.budget import TIMEOUTS

LOADING = 120.0
"""The longest time in seconds for loading an implementation, with the frameworks it imports."""


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


def is_over(config: pytest.Config) -> bool:
    """Return whether the run's time is up."""
    return time.time() >= _deadline(config)


def reached(config: pytest.Config) -> str:
    """Return the reason for leaving requirements undecided after the run's time is up."""
    limit = config.getoption("lstm_time_limit")
    return f"the run's time limit of {limit:g} s was reached"


@contextlib.contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """Raise :class:`NoAnswer` within the context after `seconds`; None stands for no limit.

    Python code is interrupted, and a call of C code that a signal ends. The watchdog ends others.
    """
    main = threading.current_thread() is threading.main_thread()
    if seconds is None or not main or not hasattr(signal, "setitimer"):
        yield
        return

    from conformance.implementations.failures import NoAnswer

    def late(*_: object) -> None:
        raise NoAnswer(f"no answer within {seconds:.2g} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def last_resort(seconds: float) -> Iterator[None]:
    """End this process after `seconds`, even in C code that lets no other Python thread run.

    pytest-timeout cannot do that, as its timer is a Python thread.
    """
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
    """Limit the data of this process to so many GiB.

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
