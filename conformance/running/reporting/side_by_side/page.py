"""The matrix as Markdown, and as one page in HTML, in which each failure is one click away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.checking.verdict import Verdict
from conformance.requirements import REQUIREMENTS
from conformance.running.reporting.pages.rendering import page
from conformance.running.reporting.side_by_side.changes import LEAST_UNITS, UNITS_GROWN
from conformance.running.reporting.side_by_side.matrix import Column, Table
from conformance.running.reporting.side_by_side.reports import failure


@dataclass(frozen=True)
class Fault:
    """A failure with the versions that have it, and the `id` of its place on the page."""

    id: str
    requirement: str
    versions: str
    verdict: Verdict


@dataclass(frozen=True)
class Shape:
    """A table as it is shown.

    - `heads`: the labels of its columns, without the name of the package if all have the same
    - `faults`: its failures; `links` has their ids by requirement, label and outcome
    - `units`: rows of the errors of sigmoid and tanh, each a number and what it was before
    """

    id: str
    table: Table
    heads: list[str]
    faults: list[Fault]
    links: Mapping[tuple[str, str, str], str]
    units: list[tuple[str, list[tuple[str, str]]]]


def html(found: Sequence[Table]) -> str:
    """Return the page."""
    shapes = [_shape(f"t{number}", table) for number, table in enumerate(found, 1)]
    claims = {name: each.claim for name, each in REQUIREMENTS.items()}
    return page("matrix.html.jinja", shapes=shapes, claims=claims, failure=failure)


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
    return Shape(name, table, _heads(labels), faults, links, list(_units(table.columns)))


def _heads(labels: list[str]) -> list[str]:
    """Return labels without the name of the package, if all have the same."""
    first = {label.partition(" ")[0] for label in labels}
    same = len(labels) > 1 and len(first) == 1 and all(" " in label for label in labels)
    return [label.partition(" ")[2] for label in labels] if same else labels


def _units(columns: Sequence[Column]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield a row for each dtype and function that was measured in any column."""
    measured = [_measured(column) for column in columns]
    for dtype, function in dict.fromkeys(pair for units in measured for pair in units):
        cells, before = [], 0.0
        for units in measured:
            now = units.get((dtype, function))
            text = "" if now is None else f"{now:.3g}"
            grew = before and now is not None and now > max(UNITS_GROWN * before, LEAST_UNITS)
            cells.append((text, f"{before:.3g} before" if grew else ""))
            before = now or before
        yield f"{dtype}: {function}", cells


def _measured(column: Column) -> Mapping[tuple[str, str], Any]:
    return {
        (dtype, function): float(error)
        for verdict in column.verdicts.values()
        for dtype, units in verdict.units.items()
        for function, error in units.items()
    }
