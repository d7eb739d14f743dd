"""Refusal of damaged files, in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conformance.errors import UsageError
from conformance.recording.text import told

LONGEST = 200
"""The longest text of an error in a message."""


@contextmanager
def refused(path: Path, what: str = "is damaged") -> Iterator[None]:
    """Raise :class:`UsageError` for whatever goes wrong inside; it says `what` of the file.

    A damaged file can make those who read it ask for anything, and raise anything.
    """
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"{path} {what}: {told(error)[:LONGEST]}") from None
