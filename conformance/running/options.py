"""Every option, stated once: for the command line, for pytest, and for the command in a report.

`pytest --help` imports this module, so the imports here must be fast.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.checking.budget import ANSWER, MEMORY, PROFILES, TIMEOUTS
from conformance.errors import UsageError
from conformance.recording.text import printable
from conformance.reproductions import ROOT

SHARED = "lstm_conformance"
"""The key under which workers of pytest receive the options that all of them share."""

VERIFY, INFER, REPLAY, REPORT, PYTEST = "verify", "infer", "replay", "report", "pytest"
JUDGE = "judge"
"""What takes options: five commands, and pytest, whose options have the prefix ``--lstm``."""
VERIFYING = (VERIFY, PYTEST)


@dataclass(frozen=True)
class Option:
    """One option.

    - `name`: without dashes; empty for the names of implementations, which are bare words of the
      command and values of ``--lstm`` for pytest
    - `help`: one line, for ``--help`` and for the README
    - `metavar`: the placeholder of the value in both; empty if the option takes no value
    - `kind`: makes the value from text
    - `default`: the value if the option is not given; an empty list if it can be `repeated`
    - `choices`: the only values, if any
    - `again`: whether the command that finds a failure again has this option
    - `check`: returns what a value must be, None if the value is right
    - `takers`: what takes the option
    - `short`: a second spelling for the command
    """

    name: str
    help: str
    metavar: str
    kind: Callable[[str], Any] = str
    default: Any = None
    choices: tuple[str, ...] | None = None
    repeated: bool = False
    again: bool = False
    check: Callable[[Any], str | None] = lambda _: None
    takers: tuple[str, ...] = VERIFYING
    short: str = ""

    @property
    def key(self) -> str:
        """The name of the value among parsed options."""
        return "_".join(["lstm", *self.name.split("-")]) if self.name else "lstm"

    def flag(self, taker: str) -> str:
        """Return the spelling for `taker`; empty for a bare word."""
        if taker == PYTEST:
            return f"--lstm-{self.name}" if self.name else "--lstm"
        return self.short or (self.name and f"--{self.name}")

    def keywords(self) -> dict[str, Any]:
        """Return what `argparse.ArgumentParser.add_argument` takes beside flags and `dest`."""
        if not self.metavar:
            return {"action": "store_true", "help": self.help}
        how = {"action": "append", "default": []} if self.repeated else {"default": self.default}
        how |= {"help": self.help, "metavar": self.metavar, "type": self.kind}
        return {**how, "choices": self.choices}


def seconds(value: float) -> str | None:
    """Check that a value is a positive number of seconds that clocks and timers can count."""
    if not value > 0 or value == float("inf"):
        return f"must be a positive number of seconds, got {value}"
    return None if value <= LONGEST else f"must be at most {LONGEST:g} seconds, got {value}"


def between(least: float, most: float, unit: str = "") -> Callable[[float], str | None]:
    """Return a check that a value is neither less than `least` nor more than `most` of a `unit`."""

    def check(value: float) -> str | None:
        if least <= value <= most:
            return None
        wrong = f"at most {most:g}" if value > most else f"at least {least:g}"
        return f"must be {wrong}{unit}, got {value}"

    return check


def names(value: str) -> str | None:
    """Check that a list separated by commas names something."""
    return None if value.strip(", ") else f"must name at least one, got {value!r}"


def readable_file(name: str) -> str | None:
    """Check that there is, or can be, a file of this name."""
    return None if Path(name).resolve().parent.is_dir() else f"must be a file, got {name!r}"


def writable_file(name: str) -> str | None:
    """Check that a file of this name can be written."""
    file = Path(name).resolve()
    if not file.parent.is_dir():
        return f"must be a file in an existing folder; there is no folder {file.parent}"
    writable = os.access(file if file.exists() else file.parent, os.W_OK) and not file.is_dir()
    return None if writable else f"must be a writable file; {file} is not"


def writable_folder(name: str) -> str | None:
    """Check that files can be written into the folder, which is made if it does not exist."""
    if not name:
        return "must be a folder, got ''"
    folder = Path(name)
    above = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    writable = folder.is_dir() and os.access(folder, os.W_OK)
    return None if writable else f"must be a writable folder; {above} is not"


def _listed(numbers: Mapping[str, float]) -> str:
    *others, last = (f"{number:g}" for number in numbers.values())
    return f"{', '.join(others)} or {last}"


FIXING = "lstm_fix_expectations"
FILTERS = ("lstm_requirement", "lstm_level", "lstm_device", "lstm_dtype")
"""The key of the option that rewrites a file, and those of options with which it cannot be."""

ORDERS = ("time-first", "batch-first")
"""The orders of the axes of an input."""

LONGEST = 1e6
"""The largest limit of time in seconds, eleven days, which every clock and timer can count."""
LEAST_MEMORY = 0.5
"""The smallest limit of memory in GiB, with which PyTorch can be loaded."""
MANY = 1e9
"""More than any machine has, and no more than operating systems can count."""

MOST_WORKERS = 1024
"""The largest number of worker processes."""

LIST: dict[str, Any] = {"metavar": "LIST", "check": names}
SECONDS: dict[str, Any] = {"metavar": "SECONDS", "kind": float, "check": seconds}
NUMBER: dict[str, Any] = {"metavar": "N", "kind": int, "again": True}

OPTIONS = (
    Option(
        "",
        "what to verify: torch.nn.LSTM, torch.nn.LSTMCell, stacked-cells, package.module:Class, "
        "path/to/file.py:Class",
        "NAME",
        repeated=True,
    ),
    Option(
        "command", "verify a program in any language; can be repeated", "COMMAND", repeated=True
    ),
    Option("requirement", "verify only this requirement; can be repeated", "NAME", repeated=True),
    Option(
        "level",
        "verify only these levels, such as core,module; all: core, sequence, module, training",
        **LIST,
    ),
    Option(
        "device",
        "verify on these devices, such as cpu,cuda; by default on the CPU and every CUDA device",
        takers=(*VERIFYING, JUDGE),
        **LIST,
    ),
    Option("dtype", "verify only in these dtypes, such as float32,bfloat16", again=True, **LIST),
    Option(
        "dtype",
        "judge in these dtypes, such as float32,bfloat16; by default in that of the weights",
        takers=(JUDGE,),
        **LIST,
    ),
    Option(
        "without",
        "declare what is not offered, such as unbatched,second_derivatives",
        again=True,
        **LIST,
    ),
    Option(
        "strict",
        "require what an LSTM should meet but need not; always so for PyTorch's own",
        "",
        default=False,
        again=True,
    ),
    Option(
        "precision",
        "declare arithmetic other than the dtype's own, such as products=tf32",
        again=True,
        takers=(*VERIFYING, JUDGE),
        **LIST,
    ),
    Option(
        "expectations",
        "expect the failures in this TOML file; by default those in the project's pyproject.toml",
        "FILE",
        again=True,
        check=readable_file,
    ),
    Option(
        "fix-expectations",
        "rewrite the file of --expectations: mended ones are removed, unlisted failures added",
        "",
        default=False,
    ),
    Option(
        "profile",
        f"try up to {_listed(PROFILES)} cases for each requirement",
        "|".join(PROFILES),
        default="default",
        choices=tuple(PROFILES),
        again=True,
    ),
    Option(
        "max-examples",
        "try up to N cases for each requirement, whatever the profile",
        check=between(1, MANY),
        **NUMBER,
    ),
    Option("seed", "draw the cases of an earlier run; every run prints its seed", **NUMBER),
    Option("seed", "draw another input, if none is given", takers=(JUDGE,), **NUMBER),
    Option(
        "timeout",
        f"limit for a requirement on a device; by default {_listed(TIMEOUTS)}, by profile",
        again=True,
        **SECONDS,
    ),
    Option(
        "timeout",
        f"limit for the case, or for each NAME; {ANSWER:g} by default",
        default=ANSWER,
        takers=(INFER, REPLAY),
        **SECONDS,
    ),
    Option(
        "time-limit",
        "limit for the whole run; a requirement not decided by then is undecided, which is red",
        **SECONDS,
    ),
    Option(
        "memory",
        f"limit for each process, {MEMORY:g} by default; the operating system refuses more",
        "GIB",
        float,
        MEMORY,
        again=True,
        check=between(LEAST_MEMORY, MANY, " GiB"),
        takers=(VERIFY, INFER, REPLAY, PYTEST),
    ),
    Option(
        "workers",
        "number of worker processes, 2 by default; with 0 the command itself does the work",
        "WORKERS",
        int,
        2,
        check=between(0, MOST_WORKERS),
        takers=(VERIFY,),
        short="-n",
    ),
    Option(
        "json",
        "write a report of everything that was found",
        "FILE",
        check=writable_file,
        takers=(VERIFY, REPORT, PYTEST),
    ),
    Option(
        "reproductions",
        f"folder for what failures leave, {ROOT} by default",
        "DIR",
        default=ROOT,
        check=writable_folder,
        takers=(*VERIFYING, JUDGE),
    ),
    Option("as", "decide the case for another implementation", "NAME", takers=(REPLAY,)),
    Option("lstm", "the LSTM to judge, if the file has several", "PREFIX", takers=(JUDGE,)),
    Option(
        "layout",
        "names and layout of parameters that are not PyTorch's, such as "
        "weight_ih=W,weight_hh=U,bias=b,gates=ifog,transposed=True, or an adapter, file.py:mine",
        "LAYOUT",
        default="",
        takers=(JUDGE,),
    ),
    Option(
        "input",
        "a file with input and, where there are any, lengths; without it an input is drawn",
        "FILE",
        takers=(JUDGE,),
    ),
    Option("states", "a file with h_0 and c_0", "FILE", takers=(JUDGE,)),
    Option(
        "order",
        "whether input and output are (steps, rows, features) or (rows, steps, features)",
        "|".join(ORDERS),
        default=ORDERS[0],
        choices=ORDERS,
        takers=(JUDGE,),
    ),
    Option(
        "with",
        "judge this implementation, torch.nn.LSTM by default; can be repeated",
        "NAME",
        repeated=True,
        takers=(JUDGE,),
    ),
    Option(
        "expected",
        "a file with output, h_n and c_n that another program computed; can be repeated",
        "FILE",
        repeated=True,
        takers=(JUDGE,),
    ),
    Option(
        "plot",
        "draw errors over steps and units, and the growth of rounding, as a PNG",
        "FILE",
        check=writable_file,
        takers=(JUDGE,),
    ),
)
"""All options, in the order in which ``--help`` and the README show them."""


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
            reason = error.strerror if isinstance(error, OSError) else error
            complaint = f"must be a path: {reason}"
        if complaint is not None:
            raise UsageError(f"{option.flag(taker)} {complaint}")
    flags = {option.key: option.flag(taker) for option in of(taker)}
    if values.get(FIXING):
        if not values["lstm_expectations"]:
            raise UsageError(f"{flags[FIXING]} needs a file, {flags['lstm_expectations']} FILE")
        for key in FILTERS:
            if values[key]:
                text = f"{flags[FIXING]} needs a run of everything, without {flags[key]}"
                raise UsageError(text)


def _texts(value: Any) -> list[str]:
    return [each for each in (value if isinstance(value, list) else [value]) if type(each) is str]


def given(values: Mapping[str, Any], taker: str) -> Iterator[tuple[str, str]]:
    """Yield flag for `taker` and text of each of the `values`, by key, but for defaults.

    An option that takes no value has an empty text.
    """
    for option in of(taker):
        value = values.get(option.key)
        for each in (value or []) if option.repeated else [value]:
            if each is not None and each != option.default:
                yield option.flag(taker), str(each) if option.metavar else ""


def rerun(values: Mapping[str, Any], **what: Any) -> str:
    """Return the command that verifies again with the options in `values`, and with `what`.

    Of `values` only the options that matter `again` are kept; both are values by key.
    """
    kept = {option.key: values[option.key] for option in OPTIONS if option.again}
    words = [word for pair in given({**kept, **what}, VERIFY) for word in pair if word]
    return shlex.join(["lstm-conformance", "verify", *words])
