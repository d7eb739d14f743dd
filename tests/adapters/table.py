"""Merge reports of shipped implementations into one table, with what was found out about each red.

    python tests/adapters/table.py [--write] [FOLDER]

Reports are what ``lstm-conformance verify --json`` writes, of as many runs as lie below the folder;
those of one implementation are told apart by their dtypes. Exit status 1 if a red has no finding in
the folder findings, or a finding no red.

With ``--write`` they take the place of what TABLE.json keeps of the same implementations, and the
table is written anew from that; without a folder, from what is there.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from conformance import REQUIREMENTS
from conformance.checking.verdict import NotApplicable, Verdict
from conformance.implementations.shipped import SHIPPED
from conformance.running.reporting.side_by_side.reports import Report
from tests.adapters import kept
from tests.adapters.findings import FINDINGS, Finding

TABLE = Path(__file__).with_name("TABLE.md")
KEPT = TABLE.with_suffix(".json")
FIELDS = ("reason", "counterexample", "figures")
"""What is kept of a verdict: that by which a finding knows a red."""
VERSIONS = ("torch.nn.LSTM", "torch.nn.LSTMCell", "stacked-cells")
"""Those of which `lstm-conformance matrix` writes VERSIONS.md, a column for each PyTorch."""
WIDTH = 6
"""How many implementations stand side by side."""
MARKS = {
    "passed": "✓",
    "failed": "✗",
    "crashed": "✗✗",
    "timed out": "✗t",
    "undecided": "✗?",
    "not applicable": "",
    "expected failure": "(✗)",
    "unexpected pass": "(✓)",
}


@dataclass(frozen=True)
class Column:
    """One implementation as one run saw it; `verdicts` are by requirement."""

    report: Report

    @property
    def implementation(self) -> str:
        (name,) = self.report.implementations
        return name

    @property
    def verdicts(self) -> dict[str, Verdict]:
        return {each.requirement: each for each in self.report.verdicts}

    @property
    def dtypes(self) -> tuple[str, ...]:
        return self.report.dtypes(self.implementation)


def columns(reports: Iterable[Report]) -> list[Column]:
    """Every implementation of every report, on the CPU, in the order in which they are shipped."""
    each = [Column(one) for report in reports for one in kept.split(report)]
    found = [
        column
        for column in each
        if column.implementation not in VERSIONS and column.report.verdicts[0].device == "cpu"
    ]
    shipped = list(SHIPPED)
    twice = [
        key for key, n in Counter((c.implementation, *c.dtypes) for c in found).items() if n > 1
    ]
    if twice:
        raise SystemExit(f"two reports of {', '.join(twice[0])}: take one away")
    found.sort(key=lambda column: (shipped.index(column.implementation), -len(column.dtypes)))
    return found


def reds(found: Sequence[Column]) -> Iterator[tuple[Column, Verdict]]:
    """Every verdict that is not conformant."""
    for column in found:
        for verdict in column.verdicts.values():
            if not verdict.conformant:
                yield column, verdict


def problems(found: Sequence[Column]) -> list[str]:
    """Reds without a finding, and findings about a reported implementation without a red."""
    explained: Counter[Finding] = Counter()
    said = []
    for column, verdict in reds(found):
        covering = [finding for finding in FINDINGS if finding.covers(verdict)]
        explained.update(covering)
        if not covering:
            where = f"{column.implementation}: {verdict.requirement} {verdict.outcome}"
            said.append(f"{where}, which no finding explains: {' '.join(verdict.lines()[:2])}")
    reported = {column.implementation for column in found}
    said += [
        f"no red shows: {finding.title}"
        for finding in FINDINGS
        if reported & set(finding.implementations)
        and not explained[finding]
        and finding.kind != "avoided"
        and not finding.rare
    ]
    return said


def markdown(found: Sequence[Column]) -> str:
    """The page: how each column was made, the table, and the findings."""
    rows = [
        name
        for name in REQUIREMENTS
        if any(
            name in column.verdicts and not isinstance(column.verdicts[name], NotApplicable)
            for column in found
        )
    ]
    lines = [
        "# Shipped implementations, requirement by requirement",
        "",
        "Written by `python tests/adapters/table.py --write .tox/reports` from what `tox -e "
        "onnx,keras-torch,...` leaves there, and for the other frameworks from TABLE.json, which "
        "keeps the verdicts of their last runs. ✓ passed, ✗ failed, ✗✗ crashed or killed "
        "its process, ✗t no verdict in time, empty: not applicable, · not run, as where a "
        "requirement is newer than the run. The numbers behind "
        "a ✗ are those of the findings below; an examined red stays red. Where few cases were "
        "tried, as of frameworks that compile for every shape anew, a ✓ says little.",
        "",
        *_runs(found),
        "",
        "## Verdicts",
        "",
    ]
    for first in range(0, len(found), WIDTH):
        some = found[first : first + WIDTH]
        names = " | ".join(heading(column, found) for column in some)
        lines += [f"| requirement | {names} |", "|---|" + "---|" * len(some)]
        for name in rows:
            cells = " | ".join(_cell(column.verdicts.get(name)) for column in some)
            lines.append(f"| {name} | {cells} |")
        lines.append("")
    lines += ["## Findings", ""]
    for number, finding in enumerate(FINDINGS, 1):
        lines += [*finding.markdown(number), ""]
    return "\n".join(lines)


def heading(column: Column, found: Sequence[Column]) -> str:
    """The implementation's name, with the dtypes where there are several columns of it."""
    same = [each for each in found if each.implementation == column.implementation]
    name = column.implementation
    return f"{name} ({', '.join(column.dtypes)})" if len(same) > 1 else name


def _runs(found: Sequence[Column]) -> list[str]:
    lines = [
        "| implementation | dtypes | cases a requirement | passed | red | not applicable | with "
        "| verified |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for column in found:
        run = column.report.run
        outcomes = Counter(
            "red" if not verdict.conformant else verdict.outcome
            for verdict in column.report.verdicts
        )
        cases = run["max_examples"] or {"quick": 20, "default": 100}[run["profile"]]
        lines.append(
            f"| {column.implementation} | {', '.join(column.dtypes)} | {cases} "
            f"| {outcomes['passed']} | {outcomes['red']} | {outcomes['not applicable']} "
            f"| {column.report.version(column.implementation)} | {run['started'][:10]} |"
        )
    return lines


def _cell(verdict: Verdict | None) -> str:
    if verdict is None:
        return "·"
    numbers = [str(n) for n, finding in enumerate(FINDINGS, 1) if finding.covers(verdict)]
    red = not verdict.conformant
    return (
        " ".join([MARKS[verdict.outcome], ", ".join(numbers)]).strip()
        if red
        else (MARKS[verdict.outcome])
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", help="where reports lie, at any depth")
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.name}, {KEPT.name}")
    options = parser.parse_args(arguments)
    reports = list(kept.below(options.folder)) if options.folder else []
    found = columns(reports)
    if options.write or not reports:
        new = [column.report for column in found]
        found = columns(kept.renewed(kept.load(KEPT), new, lambda each: each.implementations[0]))
    if options.write:
        kept.save(KEPT, [column.report for column in found], FIELDS)
        TABLE.write_text(markdown(found), encoding="utf-8")
    said = problems(found)
    print("\n".join(said) or "every red has a finding")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
