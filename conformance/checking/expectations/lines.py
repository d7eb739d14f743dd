"""The lines of a TOML file at which its tables begin."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import tomlkit
from tomlkit.exceptions import TOMLKitError

_HEADER = re.compile(r"""\s*\[\[[^\]]*\b["']?expect["']?\s*\]\]\s*(#.*)?$""")
_TABLE = re.compile(r"\s*\[")


def lines(text: str) -> list[int]:
    """Return the numbers, from 0, of the lines with which the entries begin."""
    each = lines_of(text)
    return [number for number in headers(text) if _HEADER.match(each[number])]


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, with their ends, as TOML and editors count them."""
    return io.StringIO(text).readlines()  # splitlines() knows more ends than these


def headers(text: str) -> Iterator[int]:
    """Yield the numbers, from 0, of the lines with which tables begin.

    A line within a text or an array is none: what comes before is not TOML by itself.
    """
    start, each = 0, lines_of(text)
    for number, line in enumerate(each):
        if not _TABLE.match(line):
            continue
        try:
            tomlkit.parse("".join(each[start:number]))
        except TOMLKitError:
            continue
        start = number
        yield number
