"""Errors of the person who runs the suite, and of the suite; and how the command exits.

::

    Exception
      UsageError      what was asked cannot be done; its text is one line that says what to do
      Broken          this suite itself failed, in a process of its own
"""

import difflib
from collections.abc import Iterable

CONFORMANT, NOT_CONFORMANT, USAGE, BROKEN = range(4)
INTERRUPTED = 130
"""The statuses with which the command exits."""


class UsageError(Exception):
    """What was asked for does not exist or does not fit; the text says what to do."""


def told(error: BaseException) -> str:
    """Type and text of an exception in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def meant(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown `name`: the nearest of `known`, if one is near."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def unknown(kind: str, name: str, known: Iterable[str], lists: str = "") -> UsageError:
    """That a `name` is none of the `known` of its kind, and what they are or which command `lists`
    them."""
    names = list(known)
    choices = (
        f"{lists} lists them{meant(name, names)}" if lists else f"choose among {', '.join(names)}"
    )
    return UsageError(f"unknown {kind} {name!r}: {choices}")


class Broken(Exception):
    """This suite itself failed, not what is under test; the text says where."""
