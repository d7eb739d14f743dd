"""What values of options must be: each function returns that for a wrong value, else None."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from pathlib import Path

from conformance.errors import UsageError

LONGEST = 1e6
"""The largest limit of time in seconds, eleven days, which every clock and timer can count."""
LEAST_MEMORY = 0.5
"""The smallest limit of memory in GiB, with which PyTorch can be loaded."""
MANY = 1e9
"""More than any machine has, and no more than operating systems can count."""

MOST_WORKERS = 1024
"""The largest number of worker processes."""


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


def duration(text: str) -> float:
    """Return seconds from a number of them, or with a unit: 90, 90s, 10m, 1.5h."""
    units = {"s": 1, "m": 60, "h": 3600}
    unit = units.get(text[-1:])
    return float(text[:-1]) * unit if unit else float(text)


def part(value: str) -> str | None:
    """Check that a value is a shard such as 2/5."""
    number, _, count = value.partition("/")
    right = re.fullmatch(r"[0-9]{1,5}/[0-9]{1,5}", value) and 1 <= int(number) <= int(count)
    return None if right else f"must be a shard such as 2/5, got {value!r}"


def floor(value: str) -> str | None:
    """Check that a value is a floor; what that needs is imported only then."""
    from conformance.running.reporting.floor import parsed

    try:
        parsed(value)
    except UsageError as error:
        return f"is not a floor: {error}"
    return None


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


def database(place: str) -> str | None:
    """Check that a place is the address of a Redis server, or a folder that can be written."""
    if "://" not in place:
        return writable_folder(place)
    from conformance.checking.database import REDIS

    known = place.startswith(REDIS)
    return None if known else f"must be a folder, or begin with {' or '.join(REDIS)}, got {place!r}"


def folders(names: list[str]) -> str | None:
    """Check that there are folders of these names."""
    missing = [name for name in names if not Path(name).is_dir()]
    return f"must be a folder, got {missing[0]!r}" if missing else None


GATEWAYS = ("ssh", "socket", "vagrant_ssh")
"""The ways to another machine that execnet knows."""


def workers(specs: list[str]) -> str | None:
    """Check that each of these describes a worker, or several of the same kind."""
    if not specs:
        return None
    from execnet import XSpec

    for spec in specs:
        try:
            kinds = XSpec(re.sub(r"^[0-9]+\*", "", spec))
        except (ValueError, AttributeError, IndexError):
            kinds = None
        places = [getattr(kinds, kind, None) for kind in GATEWAYS]
        if not getattr(kinds, "popen", None) and not any(type(each) is str for each in places):
            return f"must be a worker such as socket=HOST:PORT or ssh=HOST, got {spec!r}"
    return None
