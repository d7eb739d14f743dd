"""Threads that an implementation leaves, and what they raise in the thread that decides.

A thread can raise an exception in another one at any time, as timers do that limit the time of a
call. If a call ends before its timer, and the timer is not stopped, the exception arrives later:
in another call, or outside every call.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Generator

import pytest

from conformance.checking import blaming
from conformance.errors import DEVICE_LOST
from conformance.implementations.failures import Raised

OUTCOMES = tuple(each.Exception for each in (pytest.fail, pytest.skip, pytest.xfail, pytest.exit))
"""What pytest raises for an outcome; pytest says that these are builtins."""

_left: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
_leaving: set[str] = set()


def _threads() -> set[threading.Thread]:
    """Return the threads that Python code has started."""
    dummies = threading._DummyThread  # of C code, which are listed for ever
    return {each for each in threading.enumerate() if not isinstance(each, dummies)}


class Noted:
    """A context within which threads that are started are noted, as left by `implementation`.

    :meth:`look` notes those that would end before the context does.
    """

    def __init__(self, implementation: str) -> None:
        self.implementation = implementation
        self._before: set[threading.Thread] = set()

    def __enter__(self) -> Noted:
        self._before = _threads()
        return self

    def __exit__(self, *_: object) -> None:
        self.look()

    def look(self) -> None:
        """Note the threads that run now."""
        new = _threads() - self._before
        _left.update(new)
        if new:
            _leaving.add(self.implementation)


def left() -> bool:
    """Return whether a thread runs that an implementation has left in this process."""
    return any(each.is_alive() for each in list(_left))


def has_left(implementation: str) -> bool:
    """Return whether this implementation is known to have left a thread in this process."""
    return implementation in _leaving


def stray(error: BaseException, implementation: str = "") -> str:
    """Return in words what came from a thread of `implementation`, or of any; "" if it is ours.

    It is theirs if its class is, if a thread raised it here, and if they left threads, unless its
    class is one of this project or of pytest.
    """
    leaving = {implementation} & _leaving if implementation else _leaving
    ours = isinstance(error, OUTCOMES) or blaming.is_of_run(error)
    theirs = blaming.is_theirs(error) or blaming.is_of_thread(error)
    if theirs or (leaving and not ours):
        return f"{Raised(error)}, outside its calls"
    return ""


@pytest.hookimpl(tryfirst=True)
def pytest_internalerror(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """End this worker, for another to go on, if what came between two requirements is theirs."""
    if stray(excinfo.value):
        os._exit(DEVICE_LOST)


@pytest.hookimpl(tryfirst=True)
def pytest_keyboard_interrupt(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """End this worker, for another to go on, if a thread raised that: the keyboard ends it."""
    pytest_internalerror(excinfo)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(
    session: pytest.Session, exitstatus: int
) -> Generator[None, object, object]:
    """End this worker at once if it broke, so that it does not say that it has finished its work.

    A thread that raises again and again may do that; where it is a fault of ours, that was reported
    before. A worker that broke while it collected what to do has begun no work.
    """
    if exitstatus == pytest.ExitCode.INTERNAL_ERROR and session.testscollected:
        os._exit(DEVICE_LOST)
    return (yield)
