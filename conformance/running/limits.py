"""Limits of a run: how long an item and the whole may take, how much memory a worker may have."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import sys
import time
from collections.abc import Iterator

import pytest

from conformance.checking.budget import TIMEOUTS

LOADING = 120.0
"""Seconds that loading an implementation may take, with the frameworks that it imports."""


def timeout(config: pytest.Config) -> float:
    """Seconds that one requirement may take on one implementation and device in this run."""
    seconds: float | None = config.getoption("lstm_timeout")
    return TIMEOUTS[config.getoption("lstm_profile")] if seconds is None else seconds


def deadline(config: pytest.Config) -> float | None:
    """When the run has to be over, in seconds since the epoch; None for no limit."""
    end: float | None = config.getoption("lstm_deadline")
    return end


def allowed(config: pytest.Config, started: float) -> float:
    """Seconds that a requirement begun at `started` may take, at most until the run's deadline."""
    end = deadline(config)
    return timeout(config) if end is None else min(timeout(config), end - started)


def granted(config: pytest.Config, started: float) -> float:
    """Seconds after which what began at `started` is ended.

    Those that are allowed; where none are left, enough to load what is needed to tell so.
    """
    left = allowed(config, started)
    return left if left > 0 else LOADING


def is_over(config: pytest.Config) -> bool:
    """Whether the run's time is up."""
    end = deadline(config)
    return end is not None and time.time() >= end


def reached(config: pytest.Config) -> str:
    """What is said of a requirement that is undecided as the run's time is up."""
    limit = config.getoption("lstm_time_limit")
    return f"the run's time limit of {limit:g} s was reached"


@contextlib.contextmanager
def last_resort(seconds: float) -> Iterator[None]:
    """End this process after `seconds`, even in C code that lets no other Python thread run."""
    with open(os.devnull, "w") as nowhere:
        faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


def absent() -> list[str]:
    """What this system does not have of what limits a run, in a line each.

    Windows has no limit of memory, and macOS has one that it does not enforce.
    """
    has_memory_limit = sys.platform == "linux"
    return [] if has_memory_limit else ["this system has no memory limit: --memory has no effect"]


def cap_memory(gib: float) -> None:
    """Have the operating system refuse this process more than so many GiB of data.

    A request beyond that is a MemoryError, or what the allocator makes of it, in this process
    alone. Does nothing where :func:`absent` says that there is no such limit.
    """
    if sys.platform != "linux":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = int(gib * 2**30)
    caps = [limit for limit in (wanted, soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(caps), hard))
