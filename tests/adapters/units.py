"""Measure sigmoid and tanh of shipped implementations and write the errors into a table.

    python tests/adapters/units.py [--write] [NAME ...]

Of every shipped implementation, unless some are named, on every device present. One whose framework
is not installed keeps the rows that the table has of it: so each environment of tox writes its own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from conformance import UsageError, load
from conformance.checking.activations import Measured, measured
from conformance.implementations.shipped import SHIPPED
from conformance.running.circumstances import exact_arithmetic
from reference import DTYPES

TABLE = Path(__file__).with_name("UNITS.md")
HEAD = f"| implementation | device | {' | '.join(DTYPES)} |"


def cell(found: Measured | None) -> str:
    """Both errors in units, bold where they are more than the dtype or the declaration allows."""
    if found is None:
        return ""
    text = ", ".join(f"{found.errors[name].units:.3g}" for name in ("tanh", "sigmoid"))
    return text if found.accurate else f"**{text}**"


def rows(name: str) -> Iterator[str]:
    """A row of the table for each device on which the implementation called `name` computes."""
    implementation = load(name)
    exact_arithmetic()
    supports = implementation.supports
    for device in supports.devices:
        cells = [
            cell(measured(implementation, dtype, device)) if dtype.name in supports.dtypes else ""
            for dtype in DTYPES.values()
        ]
        yield f"| {name} | {device} | {' | '.join(cells)} |"


def kept(text: str, name: str) -> list[str]:
    """The rows that the table has of `name`."""
    return [line for line in text.splitlines() if line.startswith(f"| {name} | ")]


def main() -> None:
    """Print the table, or write it into its page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="all that are shipped by default")
    parser.add_argument("--write", action="store_true", help=f"into {TABLE.name}")
    options = parser.parse_args()
    page = TABLE.read_text(encoding="utf-8")
    lines = []
    for name in SHIPPED:
        found = kept(page, name)
        if not options.names or name in options.names:
            try:
                found = list(rows(name))
            except UsageError as error:
                print(error, file=sys.stderr)
        lines += found
    before, head, _ = page.partition(HEAD)
    table = "\n".join([head, "|---" * (2 + len(DTYPES)) + "|", *lines, ""])
    if options.write:
        TABLE.write_text(before + table, encoding="utf-8")
    else:
        print(table)


if __name__ == "__main__":
    main()
