"""Errors of the person who runs the suite.

::

    Exception
      UsageError      what was asked cannot be done; its text is one line that says what to do
"""


class UsageError(Exception):
    """What was asked for does not exist or does not fit; the text says what to do."""


def told(error: BaseException) -> str:
    """Type and text of an exception in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
