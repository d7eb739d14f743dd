"""Files of expected failures, read: a table ``[[expect]]`` for each."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import tomlkit
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from tomlkit.exceptions import ParseError, TOMLKitError

from conformance.checking.expectations.expectation import EITHER, NO, SIZES, YES, Expectation
from conformance.checking.expectations.lines import lines
from conformance.errors import UsageError, meant
from conformance.implementations.failures import KINDS
from reference import DTYPES

PYPROJECT = "pyproject.toml"
TABLE = ("tool", "lstm-conformance")
"""The file of a project that may have entries, and the table in which it has them."""
NAME = "expect"
"""The name of the array of tables."""
LARGEST = 2**20
"""The number of characters up to which a file is read: those of about 10,000 entries."""
KNOWN_FAULTS = Path(__file__).with_name("known_faults.toml")


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a text")
    return value.strip()


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _one_of(known: Collection[str]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        text = _text(value)
        if text not in known:
            few = f"must be one of {', '.join(known)}" if len(known) < 20 else f"is {text!r}"
            raise ValueError(f"{few}{meant(text, known)}")
        return text

    return read


def _several(read: Callable[[Any], str] = _text) -> Callable[[Any], tuple[str, ...]]:
    def read_all(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list):
            return (read(value),)
        if not value:
            raise ValueError("must name at least one")
        return tuple(map(read, value))

    return read_all


def _range(value: Any) -> str:
    text = _text(value)
    try:
        wanted = str(SpecifierSet(text))
        if not wanted:  # of commas alone, which would hold for every version
            raise InvalidSpecifier(f"Invalid specifier: {text!r}")
    except InvalidSpecifier as error:
        raise ValueError(f"must be a range of versions such as '>=2.1,<2.4': {error}") from None
    return wanted


def _size(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return f"=={value}"
    try:
        return _range(value)
    except ValueError:
        raise ValueError("must be a number, or a range such as '>=2,<5'") from None


def _yes_or_no(value: Any) -> str:
    return YES if _flag(value) else NO


def _cudnn(value: Any) -> str:
    return _yes_or_no(value) if isinstance(value, bool) else _range(value)


READERS: Mapping[str, Callable[[Any], Any]] = {
    "reason": _text,
    "link": _text,
    "kind": _one_of(KINDS),
    "what": _text,
    "message": _text,
    "script": _text,
    "certain": _flag,
    "implementation": _several(),
    "version": _range,
    "torch": _range,
    "device": _several(),
    "dtype": _several(_one_of(tuple(DTYPES))),
    "platform": _several(_one_of(("linux", "darwin", "win32"))),
    "cudnn": _cudnn,
}
"""What makes the value of each key, or raises ValueError, but of `requirement` and of a case."""
OF_CASES = {**dict.fromkeys(EITHER, _yes_or_no), **dict.fromkeys(SIZES, _size)}


def read(path: Path, requirements: Collection[str]) -> list[Expectation]:
    """Return the entries of a file; a pyproject.toml has them in ``tool.lstm-conformance``.

    `requirements` are the names of those that exist. Raises :class:`UsageError`, which names the
    line, for a file that cannot be read, and for an entry that says something else than
    :class:`Expectation` can hold.
    """
    text = text_of(path)
    entries = tables(parsed(text, path), path)
    places = lines(text)
    if len(places) != len(entries):
        header = ".".join((*TABLE, NAME)) if path.name == PYPROJECT else NAME
        raise UsageError(f"{shown(path)}: write each expected failure as a table [[{header}]]")
    return [
        entry(values, f"{shown(path)}:{line + 1}", requirements, path == KNOWN_FAULTS)
        for values, line in zip(entries, places, strict=True)
    ]


@functools.cache
def known_faults(requirement: str = "") -> tuple[Expectation, ...]:
    """Return the known faults of PyTorch, all or those of a requirement.

    The tests make sure that their requirements exist.
    """
    if requirement:
        return tuple(each for each in known_faults() if each.requirement == requirement)
    document = tables(tomlkit.parse(KNOWN_FAULTS.read_text(encoding="utf-8")), KNOWN_FAULTS)
    names = {str(values["requirement"]) for values in document}
    return tuple(read(KNOWN_FAULTS, names))


def of_project(folder: Path) -> Path | None:
    """Return the nearest pyproject.toml with entries, from `folder` upwards; None without one."""
    for path in (each / PYPROJECT for each in (folder, *folder.parents)):
        text = text_of(path) if path.is_file() else ""
        if TABLE[-1] in text and tables(parsed(text, path), path):
            return path
    return None


def text_of(path: Path) -> str:
    """Return the text of a file, with ends of lines of one kind.

    Raises :class:`UsageError` if there is none, or if it is too long.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"{shown(path)} cannot be read: {reason}") from None
    if len(text) > LARGEST:
        raise UsageError(f"{shown(path)} has more than {LARGEST} characters, and is not read")
    return text


def parsed(text: str, path: Path) -> tomlkit.TOMLDocument:
    """Parse the text of a file; raises :class:`UsageError` if it is not TOML."""
    try:
        return tomlkit.parse(text)
    except ParseError as error:
        raise UsageError(f"{shown(path)}:{error.line}: not TOML: {error}") from None
    except (TOMLKitError, RecursionError) as error:
        raise UsageError(f"{shown(path)}: not TOML: {error}") from None


def tables(document: Mapping[str, Any], path: Path) -> list[Mapping[str, Any]]:
    """Return the tables of the entries; raises :class:`UsageError` for anything else there."""
    inside: Any = document
    for name in TABLE if path.name == PYPROJECT else ():
        inside = inside.get(name, {}) if isinstance(inside, Mapping) else {}
    for name in inside:
        if name != NAME:
            raise UsageError(f"{shown(path)}: unknown table or key {name!r}; entries are {NAME!r}")
    found = inside.get(NAME, [])
    if not isinstance(found, list) or not all(isinstance(each, Mapping) for each in found):
        raise UsageError(f"{shown(path)}: {NAME!r} must be an array of tables")
    return list(found)


def shown(path: Path) -> str:
    """Return `path` as the reader of a message finds it: relative below the current folder."""
    if path == KNOWN_FAULTS:
        return f"lstm-conformance:{path.name}"
    relative = os.path.relpath(path) if path.anchor == Path.cwd().anchor else str(path)
    return str(path) if relative.startswith("..") else relative


def entry(
    values: Mapping[str, Any], at: str, requirements: Collection[str], shipped: bool = False
) -> Expectation:
    """Return the entry with these keys, which is `at` some place; see :func:`read`."""
    fields: dict[str, Any] = {}
    case: dict[str, str] = {}
    readers = {"requirement": _one_of(requirements), **READERS, **OF_CASES}
    for name, value in values.items():
        if name not in readers:
            raise UsageError(f"{at}: unknown key {name!r}{meant(name, readers)}")
        try:
            made = readers[name](getattr(value, "unwrap", lambda same=value: same)())
        except ValueError as error:
            raise UsageError(f"{at}: {name} {error}") from None
        (case if name in OF_CASES else fields)[name] = made
    for name in ("requirement", "reason"):
        if name not in fields:
            raise UsageError(f"{at}: {name} is missing")
    if "kind" not in fields and "message" not in fields:
        raise UsageError(f"{at}: kind or message is missing: how the requirement fails")
    return Expectation(at, **fields, case=case, shipped=shipped)
