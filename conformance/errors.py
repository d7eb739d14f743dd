"""Errors of the person who runs the suite, and of the suite; and how the command exits.

::

    Exception
      UsageError      what was asked cannot be done; its text is one line that says what to do
      Broken          this suite itself failed, in a process of its own
"""

import difflib
from collections.abc import Collection, Iterable

CONFORMANT, NOT_CONFORMANT, USAGE, BROKEN = range(4)
INTERRUPTED = 130
"""The statuses with which the command exits."""

MANY = 20
"""How many names are not all shown in a message."""


class UsageError(Exception):
    """What was asked for does not exist or does not fit; the text says what to do."""


def told(error: BaseException) -> str:
    """Type and text of an exception in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def meant(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown `name`: the nearest of `known`, if one is near."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def unknown(kind: str, name: str, known: Collection[str]) -> UsageError:
    """That no such `kind` has this `name`, and which are `known`, or which command lists them."""
    many = len(known) > MANY
    lists = f"`lstm-conformance {kind}s` lists them{meant(name, known)}" if many else ""
    return UsageError(f"unknown {kind} {name!r}: {lists or 'choose among ' + ', '.join(known)}")


class Broken(Exception):
    """This suite itself failed, not what is under test; the text says where."""
