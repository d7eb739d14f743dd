"""Text of objects of somebody else, made so that nothing in it or about it can do harm.

The text of an exception, a name, or a line of a program may hold what no file, terminal or report
can take, and code that makes such a text may itself raise an exception. Every text of an LSTM
under test passes through this module where it enters.
"""

from __future__ import annotations

import signal
import sysconfig
import traceback
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

UNDER_TEST = "lstm_under_test_"
"""The start of the name that the module of a file has in this process; the file's name follows."""

LONGEST = 10_000
"""The number of characters of a text that are kept."""
SHORT = 200
"""The number of characters that are kept of a name."""
MANY = 8
"""The number of names that a list has before it says how many more there are."""

_ROOT = Path(__file__).resolve().parents[2]
OURS = tuple(f"{_ROOT / name}/" for name in ("conformance", "reference", "strategies"))
"""The folders of this project's own code."""
_INSTALLED = tuple(
    map(sysconfig.get_paths().__getitem__, ("stdlib", "platstdlib", "purelib", "platlib"))
)


def printable(text: str, longest: int = LONGEST) -> str:
    r"""Return `text` as a plain string that every file and terminal can take.

    Characters that are not text are written as escapes, as in ``repr``: controls such as NUL,
    carriage return and the start of an escape sequence, marks that turn the direction of writing,
    and halves of surrogate pairs. Line ends and tabs stay. Beyond `longest` characters the text is
    cut.

    >>> printable("red \x1b[31m \ud800")
    'red \\x1b[31m \\ud800'
    """
    plain = str.__str__(text)  # of a subclass, whose methods may do anything
    size = len(plain)
    if size > longest:
        plain = f"{plain[:longest]}... ({size} characters)"
    if plain.isprintable():
        return plain
    return "".join(map(_harmless, plain.replace("\r\n", "\n")))


def _harmless(character: str) -> str:
    if character.isprintable() or character in "\n\t" or unicodedata.category(character) == "Zs":
        return character
    return repr(character)[1:-1]


def text_of(value: object) -> str:
    """Return ``str(value)``, :func:`printable`; of what has no text, say so."""
    return _made(str, value, LONGEST)


def line_of(value: object, longest: int = SHORT) -> str:
    """Return ``str(value)`` as one line of at most `longest` characters."""
    return one_line(_made(str, value, longest))


def shown(value: object, longest: int = SHORT) -> str:
    """Return ``repr(value)`` as one line of at most `longest` characters."""
    return one_line(_made(repr, value, longest))


def one_line(text: str) -> str:
    """Return `text`, :func:`printable`, with single spaces for all white space."""
    return " ".join(printable(text).split())


def _made(how: Callable[[object], str], value: object, longest: int) -> str:
    try:
        return printable(how(value), longest)
    except BaseException as error:  # whatever it is, it is of the code that makes the text
        return f"<a {kind_of(value)}, whose text raises {kind_of(error)}>"


def kind_of(value: object) -> str:
    """Return the name of the type of `value`, whatever the type itself says."""
    return named(type(value))


def named(kind: type) -> str:
    """Return the name of the class `kind`, past anything that its metaclass may do."""
    return one_line(type.__dict__["__name__"].__get__(kind))


def place_of(kind: type) -> str:
    """Return the module and the name of a class, of a builtin the name alone."""
    module = type.__dict__["__dict__"].__get__(kind).get("__module__", "builtins")
    where = one_line(module) if isinstance(module, str) else ""
    where = where.removeprefix(UNDER_TEST)
    return named(kind) if where in ("builtins", "") else f"{where}.{named(kind)}"


def told(error: BaseException) -> str:
    """Return the type and the text of an exception in one line."""
    return one_line(f"{kind_of(error)}: {text_of(error)}")


def listed(names: Iterable[str], most: int = MANY) -> str:
    """Return the first of the `names` as a list, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return (", ".join(every[:most]) + more) or "nothing"


def how_ended(status: int) -> str:
    """Return how a process ended, with a `status` that is negative if a signal ended it."""
    known = {each.value: each.name for each in signal.Signals}
    if status < 0:
        return f"was ended by {known.get(-status, f'signal {-status}')}"
    return f"exited with status {status}"


def line_of_code(error: BaseException) -> str:
    """Return file and line of the last frame that is neither installed nor ours; empty if none is.

    That is the author's line, also where a framework raises below it.
    """
    trace = BaseException.__dict__["__traceback__"].__get__(error)
    places = [
        f"{one_line(Path(frame.f_code.co_filename).name)}:{number}"
        for frame, number in traceback.walk_tb(trace)
        if not frame.f_code.co_filename.startswith((*_INSTALLED, *OURS, "<"))
    ]
    return places[-1] if places else ""
