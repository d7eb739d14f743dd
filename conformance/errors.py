"""Errors of the person who runs the suite.

::

    Exception
      UsageError      what was asked cannot be done; its text is one line that says what to do
"""

import difflib
from collections.abc import Iterable


class UsageError(Exception):
    """What was asked for does not exist or does not fit; the text says what to do."""


def told(error: BaseException) -> str:
    """Type and text of an exception in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def meant(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown `name`: the nearest of `known`, if one is near."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""
