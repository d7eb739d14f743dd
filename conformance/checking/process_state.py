"""Settings of the process that a call must leave alone, and that are restored if it does not."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import io
import os
import random as python_random
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from conformance.implementations.failures import filter_warnings


class Setting(NamedTuple):
    """One setting of a process: how to read and how to restore it."""

    read: Callable[[], Any]
    write: Callable[[Any], object]


def settings() -> dict[str, Setting]:
    """List every setting that is watched, by name; those of torch once torch has been imported."""
    watched = {
        "warnings.filters": Setting(lambda: list(warnings.filters), filter_warnings),
        "the working directory": Setting(os.getcwd, os.chdir),
        "sys.getrecursionlimit()": Setting(sys.getrecursionlimit, sys.setrecursionlimit),
        "garbage collection": Setting(gc.isenabled, lambda on: gc.enable() if on else gc.disable()),
    }
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        watched |= {
            "torch.get_default_dtype()": Setting(torch.get_default_dtype, torch.set_default_dtype),
            "torch.is_grad_enabled()": Setting(torch.is_grad_enabled, torch.set_grad_enabled),
            "torch.get_num_threads()": Setting(torch.get_num_threads, torch.set_num_threads),
            "torch.get_float32_matmul_precision()": Setting(
                torch.get_float32_matmul_precision, torch.set_float32_matmul_precision
            ),
            "torch.get_deterministic_debug_mode()": Setting(
                torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode
            ),
            "torch.is_anomaly_enabled()": Setting(
                torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly
            ),
        }
    return watched


def _random_states() -> dict[str, Setting]:
    states = {
        "random.getstate()": Setting(python_random.getstate, python_random.setstate),
        "numpy.random.get_state()": Setting(np.random.get_state, np.random.set_state),
    }
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        states["torch.get_rng_state()"] = Setting(torch.get_rng_state, torch.set_rng_state)
    return states


def snapshot(*, random: bool = False) -> dict[str, Any]:
    """Read all settings, and with `random` the states of the random number generators as well."""
    watched = settings() | (_random_states() if random else {})
    return {name: setting.read() for name, setting in watched.items()}


def changed(before: dict[str, Any]) -> list[str]:
    """Name the settings that differ from those in `before`."""
    watched = settings() | _random_states()
    return [name for name, value in before.items() if not _same(value, watched[name].read())]


@contextlib.contextmanager
def restored(*, random: bool = False) -> Iterator[None]:
    """Restore on leaving every setting that was changed within the context."""
    before = snapshot(random=random)
    try:
        yield
    finally:
        watched = settings() | _random_states()
        for name in changed(before):
            watched[name].write(before[name])


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


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(_same(a, b) for a, b in pairs)
    return bool(np.all(np.asarray(one == other)))
