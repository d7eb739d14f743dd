"""The matrix as Markdown, and as one page in HTML, in which each failure is one click away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.checking.verdict import Verdict
from conformance.requirements import REQUIREMENTS
from conformance.running.reporting.pages.rendering import page
from conformance.running.reporting.side_by_side.changes import LEAST_UNITS, UNITS_GROWN
from conformance.running.reporting.side_by_side.matrix import Cell, Column, Table
from conformance.running.reporting.side_by_side.reports import failure

SIGNS = {"passed": "✓", "expected failure": "~", "not applicable": "n/a", "undecided": "?"}
"""The sign of an outcome; of every other one it is a cross."""
WORDS = {"passed": "", "not applicable": "", "expected failure": "expected"}
"""The word beside the sign; of every other outcome its name."""


@dataclass(frozen=True)
class Shown:
    """A cell as it is shown: its sign, its class in the style sheet, and a link to its failure.

    `share` is the largest error as a share of its bound, and `note` what has changed, in words.
    """

    sign: str
    kind: str
    word: str = ""
    link: str = ""
    share: str = ""
    note: str = ""


@dataclass(frozen=True)
class Fault:
    """A failure with the versions that have it, and the `id` of its place on the page."""

    id: str
    requirement: str
    versions: str
    verdict: Verdict


@dataclass(frozen=True)
class Shape:
    """A table as it is shown: rows that differ or change, rows that are steady, and failures.

    `units` are rows of the errors of sigmoid and tanh.
    """

    id: str
    title: str
    heads: list[str]
    columns: Sequence[Column]
    differing: list[tuple[str, list[Shown]]]
    steady: list[tuple[str, list[Shown]]]
    units: list[tuple[str, list[Shown]]]
    faults: list[Fault]


def html(found: Sequence[Table]) -> str:
    """Return the page."""
    shapes = [_shape(f"t{number}", table) for number, table in enumerate(found, 1)]
    claims = {name: each.claim for name, each in REQUIREMENTS.items()}
    return page("matrix.html.jinja", shapes=shapes, claims=claims)


def markdown(found: Sequence[Table]) -> str:
    """Return a row for each column, then each implementation with its differences."""
    return page("matrix.md.jinja", tables=found).rstrip("\n")


def _shape(name: str, table: Table) -> Shape:
    labels = [column.label for column in table.columns]
    faults: list[Fault] = []
    links: dict[tuple[str, str, str], str] = {}
    for number, (requirement, versions, verdict) in enumerate(table.failures(), 1):
        here = f"{name}-{number}"
        faults.append(Fault(here, requirement, table.spans(versions), verdict))
        links |= {(requirement, label, verdict.outcome): here for label in versions}

    def shown(requirement: str, cells: Sequence[Cell]) -> Iterator[Shown]:
        for column, cell in zip(table.columns, cells, strict=True):
            outcome = cell.verdict.outcome if cell.verdict else ""
            yield _shown(cell, links.get((requirement, column.label, outcome), ""))

    rows = {
        steady: [
            (row.requirement, list(shown(row.requirement, row.cells)))
            for row in table.rows
            if row.steady is steady
        ]
        for steady in (False, True)
    }
    return Shape(
        name,
        f"{table.implementation} on {table.device}",
        _heads(labels),
        table.columns,
        rows[False],
        rows[True],
        list(_units(table.columns)),
        faults,
    )


def _heads(labels: list[str]) -> list[str]:
    """Return labels without the name of the package, if all have the same."""
    first = {label.partition(" ")[0] for label in labels}
    same = len(labels) > 1 and len(first) == 1 and all(" " in label for label in labels)
    return [label.partition(" ")[2] for label in labels] if same else labels


def _shown(cell: Cell, link: str) -> Shown:
    verdict = cell.verdict
    if verdict is None:
        return Shown("", "absent")
    share = "" if verdict.largest_share is None or failure(verdict) else verdict.largest_share
    return Shown(
        SIGNS.get(verdict.outcome, "✗"),
        verdict.outcome.replace(" ", "-"),
        WORDS.get(verdict.outcome, verdict.outcome),
        link,
        f"{share:.0%}" if share != "" else "",
        "; ".join(filter(None, (cell.changed, cell.grown))),
    )


def _units(columns: Sequence[Column]) -> Iterator[tuple[str, list[Shown]]]:
    """Yield a row for each dtype and function that was measured in any column."""
    measured = [_measured(column) for column in columns]
    for dtype, function in dict.fromkeys(pair for units in measured for pair in units):
        cells, before = [], 0.0
        for units in measured:
            now = units.get((dtype, function))
            text = "" if now is None else f"{now:.3g}"
            grew = before and now is not None and now > max(UNITS_GROWN * before, LEAST_UNITS)
            cells.append(Shown(text, "units", note=f"{before:.3g} before" if grew else ""))
            before = now or before
        yield f"{dtype}: {function}", cells


def _measured(column: Column) -> Mapping[tuple[str, str], Any]:
    return {
        (dtype, function): float(error)
        for verdict in column.verdicts.values()
        for dtype, units in verdict.units.items()
        for function, error in units.items()
    }
