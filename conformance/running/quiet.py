"""Warnings of what is under test, which stay in its process."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Show no warning within the context, and pass none on.

    pytest-xdist sends each warning that pytest records to the process that reports, and ends the
    run if that process cannot import the warning's class.
    """
    with warnings.catch_warnings():
        warnings.showwarning = _ignore
        yield


def _ignore(*_: object, **__: object) -> None:
    pass
