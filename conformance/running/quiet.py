"""Code under test that disturbs neither what pytest reports nor the files that pytest reads."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Show no warning within the context, and pass none on.

    pytest-xdist sends each warning that pytest records to the process that reports, and ends the
    run if that process cannot import the warning's class.
    """
    with warnings.catch_warnings(), _open():
        warnings.showwarning = lambda *_, **__: None
        yield


@contextlib.contextmanager
def _open() -> Iterator[None]:
    """Let nobody close standard output and error, which are files that pytest reads."""
    streams = [each for each in (sys.stdout, sys.stderr) if hasattr(each, "__dict__")]
    for stream in streams:
        vars(stream)["close"] = lambda: None
    try:
        yield
    finally:
        for stream in streams:
            vars(stream).pop("close", None)
