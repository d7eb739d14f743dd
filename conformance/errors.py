"""Errors of the person who runs the suite, errors of the suite itself, and exit statuses.

::

    Exception
      UsageError      what was asked for cannot be done
      Broken          this suite itself failed, in a separate process
    KeyboardInterrupt
      Interrupted     a signal ends the run
"""

from __future__ import annotations

import difflib
import importlib.util
import re
import shlex
from collections.abc import Collection, Iterable

CONFORMANT, NOT_CONFORMANT, USAGE, BROKEN = range(4)
SIGNALLED = 128
INTERRUPTED = SIGNALLED + 2
"""The statuses with which the command exits; :data:`SIGNALLED` plus the number of a signal."""
DEVICE_LOST = 4
"""The status of a worker that ends since it has lost a device."""

MANY = 20
"""The number of names above which a message does not list them all."""


class UsageError(Exception):
    """What was asked for does not exist or does not fit; the text is one line with what to do."""


def meant(name: str, known: Iterable[str]) -> str:
    """Return the end of a message on an unknown `name`: the nearest `known` one, if any is near."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def unknown(kind: str, name: str, known: Collection[str]) -> UsageError:
    """Return the error for an unknown `name` of a `kind`: it lists the `known` names.

    Where these are many, it names the command that lists them.
    """
    many = len(known) > MANY
    lists = f"`lstm-conformance {kind}s` lists them{meant(name, known)}" if many else ""
    return UsageError(f"unknown {kind} {name!r}: {lists or 'choose among ' + ', '.join(known)}")


def require(what: str, extra: str, *modules: str) -> None:
    """Raise :class:`UsageError` if a module that `what` needs, and `extra` has, is missing."""
    if not all(map(importlib.util.find_spec, modules)):
        needed = f"{what} needs {' and '.join(modules)}"
        raise UsageError(f'{needed}: pip install "lstm-conformance[{extra}]"')


def file_of_adapter(name: str) -> str:
    """Return how to call the file with an adapter of `name`: otherwise than the file of `name`."""
    taken = re.search(r"(^|[/\\])mine(\.py)?([:.]\w+)?$", name)
    return "adapter.py" if taken else "mine.py"


class Unlike(UsageError):
    """What `name` names cannot be verified as it is; `text` says why, without what else to try."""

    def __init__(self, name: str, text: str) -> None:
        file = file_of_adapter(name)
        finds = f"`lstm-conformance infer {shlex.quote(name)} > {file}` may find out how"
        super().__init__(f"{text}; {finds}, for `lstm-conformance verify {file}:mine`")
        self.name, self.text = name, text

    def __reduce__(self) -> tuple[type[Unlike], tuple[str, str]]:
        """Pickle what it was made of: it comes from separate processes."""
        return Unlike, (self.name, self.text)


class Broken(Exception):
    """This suite itself failed, not the LSTM under test; the text is the traceback."""


class Interrupted(KeyboardInterrupt):
    """A signal of this `number` ends the run."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def status(self) -> int:
        """The exit status, as a shell gives it for the signal."""
        return SIGNALLED + self.number
