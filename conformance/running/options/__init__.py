"""The options of all commands and of pytest: of a parser, of a run, and of the command in a report.

`pytest --help` imports this package, so the imports here must be fast.
"""

from __future__ import annotations

import os
import secrets
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

from conformance.errors import UsageError
from conformance.recording.text import printable
from conformance.running.options.option import PYTEST, VERIFY, VERIFYING, Option
from conformance.running.options.table import OPTIONS
from conformance.running.options.values import writable_file

SHARED = "lstm_conformance"
"""The key under which workers of pytest receive the options that all of them share."""
FIXING = "lstm_fix_expectations"
FILTERS = (
    *("lstm_requirement", "lstm_level", "lstm_device", "lstm_dtype"),
    *("lstm_shard", "lstm_time_budget"),
)
"""The key of the option that rewrites a file, and those of options with which it cannot be."""
IN_PYTHON = {each: f"{each}s" for each in ("requirement", "device", "dtype")}
"""The arguments of :func:`conformance.verify` that are not called as their options, by these."""


def of(taker: str) -> list[Option]:
    """Return the options that `taker` takes."""
    return [option for option in OPTIONS if taker in option.takers]


def add(argument: Callable[..., object], taker: str) -> None:
    """Add the options of `taker` to a parser, whose method `argument` adds one option."""
    for option in of(taker):
        if not option.flag(taker):
            argument(option.key, nargs="*", metavar=option.metavar, help=option.help)
            continue
        flags = [option.flag(taker)]
        if option.short and taker != PYTEST:
            flags.append(f"--{option.name}")
        argument(*flags, dest=option.key, **option.keywords())


def defaults(taker: str) -> dict[str, Any]:
    """Return the values, by key, of the options of `taker` where none is given."""
    return {each.key: [] if each.repeated else each.default for each in of(taker)}


def check(values: Mapping[str, Any], taker: str) -> None:
    """Raise :class:`UsageError` for the first of the `values`, by key, that is not allowed."""
    if taker in (VERIFY, PYTEST):
        texts = [each for option in of(taker) for each in _texts(values[option.key])]
        for text in (*texts, os.getcwd()):
            # texts that workers of pytest cannot be sent
            if not text.isascii() and text.encode(errors="ignore").decode() != text:
                raise UsageError(f"{printable(text)} is not UTF-8: rename the file or folder")
    for option in of(taker):
        value = values[option.key]
        try:
            complaint = None if value is None else option.check(value)
        except (OSError, ValueError) as error:  # a path that no file can have
            reason = error.strerror if isinstance(error, OSError) else str(error).split(": ")[-1]
            complaint = f"must be a path: {reason}"
        if not complaint and value != option.default and "" in _texts(value) and option.name:
            complaint = "must not be empty"
        if complaint is not None:
            raise UsageError(f"{option.flag(taker)} {complaint}")
    _apart({option.flag(taker): values[option.key] for option in of(taker) if option.written})
    if taker in VERIFYING:
        _together(values, {option.key: option.flag(taker) for option in of(taker)})


def _apart(written: Mapping[str, str | None]) -> None:
    """Raise :class:`UsageError` if two options, by flag, are to write the same file."""
    files: dict[Path, str] = {}
    for flag, name in written.items():
        path = Path(name or os.devnull).resolve()
        if path.exists() and not path.is_file():  # such as a pipe
            continue
        if path in files:
            raise UsageError(f"{files[path]} and {flag} are the same file: {name}")
        files[path] = flag


def _together(values: Mapping[str, Any], flags: Mapping[str, str]) -> None:
    """Raise :class:`UsageError` for options that do not go together."""
    if values["lstm_shard"] and values["lstm_seed"] is None:
        text = f"{flags['lstm_shard']} needs {flags['lstm_seed']}, the same one for all shards"
        raise UsageError(text)
    for other in ("lstm_shard", "lstm_resume"):
        if values["lstm_time_budget"] and values[other]:
            raise UsageError(f"{flags['lstm_time_budget']} does not go with {flags[other]}")
    if values[FIXING]:
        if not values["lstm_expectations"]:
            raise UsageError(f"{flags[FIXING]} needs a file, {flags['lstm_expectations']} FILE")
        complaint = writable_file(values["lstm_expectations"])
        if complaint:
            raise UsageError(f"{flags['lstm_expectations']} {complaint}")
        for key in FILTERS:
            if values[key]:
                text = f"{flags[FIXING]} needs a run of everything, without {flags[key]}"
                raise UsageError(text)


def begin(option: Any) -> None:
    """Settle, in the options of a run that begins now, its ends, its seed and its folder."""
    limit, budget = option.lstm_time_limit, option.lstm_time_budget
    option.lstm_deadline = None if limit is None else monotonic() + limit
    option.lstm_budget_end = None if budget is None else monotonic() + budget
    if option.lstm_seed is None:
        option.lstm_seed = secrets.randbelow(2**32)
    option.lstm_reproductions = str(Path.cwd() / option.lstm_reproductions)


def _texts(value: Any) -> list[str]:
    return [each for each in (value if isinstance(value, list) else [value]) if type(each) is str]


def given(values: Mapping[str, Any], taker: str) -> Iterator[tuple[str, str]]:
    """Yield flag for `taker` and text of each of the `values`, by key, but for defaults.

    An option that takes no value has an empty text.
    """
    for option, each in _given(values, taker):
        yield option.flag(taker), str(each) if option.metavar else ""


def _given(values: Mapping[str, Any], taker: str) -> Iterator[tuple[Option, Any]]:
    for option in of(taker):
        value = values.get(option.key)
        for each in (value or []) if option.repeated else [value]:
            if each is not None and each != option.default:
                yield option, each


def deciding(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values, by key, that decide what is verified and how, but for the seed."""
    seed = "lstm_seed"
    kept = (each.key for each in of(PYTEST) if not each.aside and each.key != seed)
    return {key: values[key] for key in kept}


def rerun(values: Mapping[str, Any], **what: Any) -> str:
    """Return the command that verifies again with the options in `values`, and with `what`.

    Of `values` only the options that matter `again` are kept; both are values by key.
    """
    words = [word for pair in given({**_again(values), **what}, VERIFY) for word in pair if word]
    return shlex.join(["lstm-conformance", "verify", *words])


def recall(target: str, values: Mapping[str, Any], **what: Any) -> str:
    """Return the Python that does what the command of :func:`rerun` does.

    `target` is the name there of what is verified.
    """
    named = [
        f"{IN_PYTHON.get(option.name) or option.name.replace('-', '_')}={each!r}"
        for option, each in _given({**_again(values), **what}, VERIFY)
        if option.name != "expectations"  # which only the command and pytest apply
    ]
    return f"from conformance import verify\n\nverify({', '.join([target, *named])})"


def _again(values: Mapping[str, Any]) -> dict[str, Any]:
    return {option.key: values[option.key] for option in OPTIONS if option.again}
