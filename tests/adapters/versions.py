"""Put reports of PyTorch's versions side by side, beside those of earlier runs.

    python tests/adapters/versions.py [--write] [FOLDER]

Reports are what ``lstm-conformance verify --json`` writes, all that lie below the folder. With
``--write`` they take the place of what VERSIONS.json keeps of the same versions, and VERSIONS.md is
written anew; without, the table is printed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from conformance.recording.text import printable
from conformance.running.reporting.side_by_side.matrix import tables
from conformance.running.reporting.side_by_side.page import markdown
from conformance.running.reporting.side_by_side.reports import Report
from tests.adapters import kept

PAGE = Path(__file__).with_name("VERSIONS.md")
KEPT = PAGE.with_suffix(".json")
FIELDS = ("reason", "counterexample", "figures", "largest_share", "shares", "units", "script")
"""What the table shows of a verdict, and what it compares from one version to the next."""


def version(report: Report) -> tuple[str, str, str]:
    """What has one column: an implementation, on a device, in a version."""
    first = report.verdicts[0]
    return first.implementation, first.device, report.version(first.implementation)


def page(reports: Sequence[Report]) -> str:
    """The text of VERSIONS.md, by implementation, as ``lstm-conformance matrix`` writes it."""
    return printable(markdown(tables(reports)), longest=10**8) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", help="where reports lie, at any depth")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name} and {KEPT.name}")
    options = parser.parse_args(arguments)
    new = list(kept.below(options.folder)) if options.folder else []
    found = kept.renewed(kept.load(KEPT), new, version)
    if options.write:
        kept.save(KEPT, found, FIELDS)
        PAGE.write_text(page(kept.load(KEPT)), encoding="utf-8")
    else:
        print(page(found))


if __name__ == "__main__":
    main()
