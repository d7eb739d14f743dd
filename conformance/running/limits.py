"""Limits of a run: the time for an item and for the whole run, and the memory of a process.

They are kept by the clock that nobody sets, which all processes of a machine share.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
from collections.abc import Iterator
from faulthandler import cancel_dump_traceback_later as _cancel_exit
from faulthandler import dump_traceback_later as _exit_later
from time import monotonic
from typing import Any

import pytest

from conformance.checking.budget import TIMEOUTS
from conformance.implementations.starved import PATIENCE

LOADING = 120.0
"""The longest time in seconds for loading an implementation, with the frameworks it imports."""
LEFT = 3.0
"""The seconds that a process has, after its code was interrupted, for the verdict on that."""
WATCHED = "lstm_conformance_watched"
"""The key of what a worker gets that tells whether it is watched."""
ENDS = ("lstm_deadline", "lstm_budget_end")
"""The keys of the options that have the end of a run, by the clock of this machine."""


def timeout(config: pytest.Config) -> float:
    """Return the longest time in seconds for one requirement on one implementation and device."""
    seconds: float | None = config.getoption("lstm_timeout")
    return TIMEOUTS[config.getoption("lstm_profile")] if seconds is None else seconds


def workers(config: pytest.Config) -> int:
    """Return how many processes decide requirements."""
    return int(getattr(config, "workerinput", {}).get("workercount", 1))


def _deadline(config: pytest.Config) -> float:
    """Return when the run has to be over, by :func:`monotonic`; infinity without a limit."""
    end: float | None = config.getoption("lstm_deadline")
    return float("inf") if end is None else end


def by_other_clock(options: dict[str, Any], difference: float) -> None:
    """Shift the ends of the run in `options` by the difference of two clocks.

    On their way to another machine, whose clock begins elsewhere, they are seconds from now.
    """
    for name in ENDS:
        if options[name] is not None:
            options[name] += difference


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
    return monotonic() >= _deadline(config)


def reached(config: pytest.Config) -> str:
    """Return the reason for leaving requirements undecided after the run's time is up."""
    limit = config.getoption("lstm_time_limit")
    return f"the run's time limit of {limit:g} s was reached"


def overdue(seconds: float, what: str = "verdict") -> str:
    """Return why code was ended that gave no verdict, or no answer, in `seconds`."""
    return f"no {what} within {seconds:g} s"


@contextlib.contextmanager
def last_resort(seconds: float | None) -> Iterator[None]:
    """End this process after `seconds`, even in C code that lets no other Python thread run.

    None stands for never. pytest-timeout cannot do that, as its timer is a Python thread.
    """
    if seconds is None:
        yield
        return
    with open(os.devnull, "w") as nowhere:
        _exit_later(seconds, exit=True, file=nowhere)
        try:
            yield
        finally:
            _cancel_exit()


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
