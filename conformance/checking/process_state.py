"""Settings of the process that a call must leave alone, and that are restored if it does not.

:mod:`conformance.checking.settings`, :mod:`conformance.checking.hooks` and
:mod:`conformance.checking.torch_settings`, which has those of compilers and of autograd from two
others, list them.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import tempfile
from collections.abc import Collection, Iterator
from typing import Any

from conformance.checking.hooks import of_hooks
from conformance.checking.settings import Setting, of_python, random_states
from conformance.checking.torch_settings import of_torch
from conformance.recording.text import told


def settings() -> dict[str, Setting]:
    """List every setting that is watched, by name; those of torch once torch has been imported."""
    return {**of_torch(), **of_hooks(), **of_python()}


def _watched(before: dict[str, Any] | None = None, *, random: bool = False) -> dict[str, Setting]:
    """List all settings, or those in `before`; a torch that was imported since has others."""
    watched = settings() | (random_states() if random or before else {})
    return watched if before is None else {name: watched[name] for name in before}


def _read(setting: Setting) -> Any:
    try:
        return setting.read()
    except Exception as error:  # such as that settings of TF32 contradict each other
        return told(error)


def snapshot(*, random: bool = False) -> dict[str, Any]:
    """Read all settings, and with `random` the states of the random number generators as well."""
    return {name: _read(setting) for name, setting in _watched(random=random).items()}


def changed(before: dict[str, Any]) -> list[str]:
    """Name the settings that differ from those in `before`."""
    watched = _watched(before).items()
    return [name for name, each in watched if not each.same(before[name], _read(each))]


def restore(before: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Restore every setting that differs from those in `before`.

    Returns the names of those that differed, and of those that still do, such as a limit that only
    the administrator may raise.
    """
    watched, found = _watched(before), changed(before)
    for name in found:
        with contextlib.suppress(Exception):
            watched[name].write(before[name])
    return found, changed(before) if found else []


@contextlib.contextmanager
def restored(*, random: bool = False, besides: Collection[str] = ()) -> Iterator[None]:
    """Restore on leaving every setting that was changed within the context, `besides` some."""
    before = {name: value for name, value in snapshot(random=random).items() if name not in besides}
    try:
        yield
    finally:
        restore(before)


@contextlib.contextmanager
def standard_output() -> Iterator[io.StringIO]:
    """Capture what is written to standard output within the context, by Python or native code."""
    written = io.StringIO()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as file:
        try:
            _flush()
            saved = os.dup(1)
        except OSError:
            saved = -1
        try:
            if saved >= 0:
                os.dup2(file.fileno(), 1)
            with contextlib.redirect_stdout(written):
                yield written
        finally:
            _flush()
            if saved >= 0:
                os.dup2(saved, 1)
                os.close(saved)
            file.seek(0)
            written.write(file.read())


def _flush() -> None:
    """Make the C library write out what it has buffered."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).fflush(None)
