"""The settings of a process that results or verdicts depend on: how to read and restore each.

These are left out, as they were seen to be harmless:

- the generators of random numbers: Hypothesis seeds those of Python and NumPy for each case, and
  requirements seed torch's; :func:`random_states` is for those that ask whether a call draws;
- ``decimal.getcontext()``, of which nothing here takes the precision; ``np.geterr()``, which
  :func:`~conformance.implementations.failures.lenient` sets and restores around each call;
- hooks for messages: ``sys.excepthook``, ``sys.unraisablehook``, ``sys.displayhook``, and
  ``warnings.showwarning``, which pytest replaces around each test;
- what changes the speed alone, and not much: ``gc.freeze``, ``np.setbufsize``, ``os.nice``, and
  ``os.sched_setaffinity``, which libraries for threads call;
- ``sys.addaudithook``, of which nobody can tell, and which nobody can take back.

:mod:`conformance.checking.hooks` has the hooks.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import locale
import os
import random as python_random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from conformance.implementations.lenient import filter_warnings


def same(one: Any, other: Any) -> bool:
    """Whether two values of a setting are the same; of objects of somebody else, whether one."""
    if one is other:
        return True
    if type(one) is not type(other) or type(one).__module__ not in ("builtins", "numpy", "torch"):
        return False
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(np.all(np.asarray(one == other)))


class Setting(NamedTuple):
    """One setting of a process: how to read it, how to restore it, and when it is the same."""

    read: Callable[[], Any]
    write: Callable[[Any], object]
    same: Callable[[Any, Any], bool] = same


def attribute(owner: Any, name: str) -> Setting:
    """Return the setting that is the attribute `name` of `owner`."""
    return Setting(partial(getattr, owner, name), partial(setattr, owner, name))


@cache
def of_python() -> dict[str, Setting]:
    """List the settings of Python, of the operating system and of NumPy, by name."""
    return {
        "warnings.filters": Setting(lambda: list(warnings.filters), filter_warnings),
        "the working directory": Setting(os.getcwd, os.chdir),
        "os.environ": Setting(lambda: dict(os.environ), os.environ.update, _holds),
        **{f"sys.{name}": attribute(sys, name) for name in ("stdin", "stdout", "stderr")},
        "sys.getrecursionlimit()": Setting(sys.getrecursionlimit, sys.setrecursionlimit),
        # a thread that computes for ever lets nobody else go on for so long
        "sys.getswitchinterval()": Setting(
            lambda: int(1e6 * sys.getswitchinterval() + 0.5),  # whatever the rounding mode is
            lambda microseconds: sys.setswitchinterval((microseconds + 0.5) / 1e6),
        ),
        "garbage collection": Setting(gc.isenabled, lambda on: gc.enable() if on else gc.disable()),
        # a collection for each object made takes a thousand times as long as none
        "gc.get_threshold()": Setting(gc.get_threshold, lambda to: gc.set_threshold(*to)),
        "gc.get_debug()": Setting(gc.get_debug, gc.set_debug),
        "os.umask()": Setting(_umask, os.umask),
        "locale.setlocale()": Setting(
            partial(locale.setlocale, locale.LC_ALL), partial(locale.setlocale, locale.LC_ALL)
        ),
        "numpy.get_printoptions()": Setting(
            np.get_printoptions, lambda to: np.set_printoptions(**to)
        ),
        "the rounding of subnormal numbers": Setting(_flushes, _set_flushing),
        **dict(_rounding_mode()),
        **dict(_signals()),
        **dict(_limits()),
    }


_TINY = np.array([5e-324])


def _holds(before: dict[str, str], now: dict[str, str]) -> bool:
    """Whether no variable is gone or has changed; a library may add some when it is imported."""
    return before.items() <= now.items()


def _flushes() -> bool:
    """Whether this thread takes subnormal numbers for zero, as code compiled for speed sets it."""
    return bool((_TINY + 0.0)[0] == 0)


def _set_flushing(on: bool) -> None:
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.set_flush_denormal(on)


def _umask() -> int:
    """Read the mask of new files, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _rounding_mode() -> Iterator[tuple[str, Setting]]:
    with contextlib.suppress(OSError, AttributeError, TypeError):
        c = ctypes.CDLL(None)
        yield "the rounding mode", Setting(c.fegetround, c.fesetround)


def _signals() -> Iterator[tuple[str, Setting]]:
    """The handlers of signals; those of SIGKILL and SIGSTOP cannot be set."""
    for number in sorted(signal.Signals):
        if number.name not in ("SIGKILL", "SIGSTOP"):
            yield (
                f"signal.{number.name}",
                Setting(partial(signal.getsignal, number), partial(_handle, number)),
            )
    if hasattr(signal, "pthread_sigmask"):
        yield (
            "signal.pthread_sigmask()",
            Setting(
                partial(signal.pthread_sigmask, signal.SIG_BLOCK, ()),
                partial(signal.pthread_sigmask, signal.SIG_SETMASK),
            ),
        )
    for name in ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF"):
        timer = getattr(signal, name, None)
        if timer is not None:
            yield f"signal.{name}", Setting(partial(_is_running, timer), partial(_run, timer))


def _handle(number: signal.Signals, handler: Any) -> None:
    if handler is not None and threading.current_thread() is threading.main_thread():
        signal.signal(number, handler)  # None is one that was not set by Python


def _is_running(timer: int) -> bool:
    return bool(signal.getitimer(timer)[0])


def _run(timer: int, running: bool) -> None:
    if not running:
        signal.setitimer(timer, 0)


def _limits() -> Iterator[tuple[str, Setting]]:
    """The limits of this process on its resources."""
    with contextlib.suppress(ImportError):
        import resource

        for name in sorted(name for name in dir(resource) if name.startswith("RLIMIT_")):
            number = getattr(resource, name)
            yield (
                f"resource.{name}",
                Setting(partial(resource.getrlimit, number), partial(resource.setrlimit, number)),
            )


def random_states() -> dict[str, Setting]:
    """List the states of the generators of random numbers, by name."""
    states = {
        "random.getstate()": Setting(python_random.getstate, python_random.setstate),
        "numpy.random.get_state()": Setting(np.random.get_state, np.random.set_state),
    }
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        states["torch.get_rng_state()"] = Setting(torch.get_rng_state, torch.set_rng_state)
    return states
