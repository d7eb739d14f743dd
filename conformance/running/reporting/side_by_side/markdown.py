"""The matrix as Markdown: a summary, and of each implementation what does not hold everywhere."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from conformance.checking.verdict import NotApplicable, Passed, Verdict, grouped
from conformance.running.reporting.markdown import escaped
from conformance.running.reporting.side_by_side.matrix import Cell, Column, Table
from conformance.running.reporting.side_by_side.reports import failure

MARKS = {
    "passed": "✓",
    "failed": "✗",
    "crashed": "✗ crashed",
    "timed out": "✗ timed out",
    "undecided": "?",
    "not applicable": "n/a",
    "expected failure": "(✗)",
    "unexpected pass": "(✓)",
    "failed should": "✗ should",
}

LEGEND = (
    "✓ holds, ✗ fails, (✗) fails as expected, (✓) holds against expectation, ? undecided, n/a not "
    "applicable, empty: not run; **bold** where it changes from the version before. Percentages "
    "are the largest error as a share of its bound."
)

HARMLESS = ("passed", "expected failure", "not applicable")
"""The outcomes that never make a gate red."""


def markdown(found: Sequence[Table]) -> Iterator[str]:
    """Yield the lines: a row for each column, then each implementation with its differences."""
    yield from ("# Versions side by side", "", LEGEND, "")
    yield from _table(
        ("implementation", "version", "device", "conformant", *HARMLESS, "other"),
        (_summary(column) for table in found for column in table.columns),
    )
    for table in found:
        yield from ("", f"## {escaped(table.implementation)} on {table.device}", "")
        steady = [row.requirement for row in table.rows if row.steady]
        others = [row for row in table.rows if not row.steady]
        if others:
            head = ("requirement", *(escaped(column.label) for column in table.columns))
            yield from _table(head, ((row.requirement, *map(_cell, row.cells)) for row in others))
            yield ""
        yield "<details>"
        yield f"<summary>Hold wherever they apply: {len(steady)}</summary>"
        yield from ("", escaped(", ".join(steady)), "", "</details>")
        yield from _failures(table)


def _summary(column: Column) -> Iterator[str]:
    counts = column.counts
    yield from (escaped(column.implementation), escaped(column.label), column.device)
    yield "yes" if column.conformant else "**no**"
    yield from (str(counts[outcome]) for outcome in HARMLESS)
    yield str(sum(counts.values()) - sum(counts[outcome] for outcome in HARMLESS))


def _cell(cell: Cell) -> str:
    if cell.verdict is None:
        return ""
    text = MARKS[cell.verdict.outcome]
    if cell.verdict.outcome == "passed" and cell.verdict.largest_share is not None:
        text += f" {cell.verdict.largest_share:.1%}"
    return f"**{text}**" if cell.changed or cell.grown else text


def _failures(table: Table) -> Iterator[str]:
    """Yield each failure once, with the versions that have it, and its script in a fold."""
    labels = [column.label for column in table.columns]
    for requirement, versions, verdict in failures(table):
        found = verdict.counterexample
        where = escaped(spans(versions, labels))
        yield from ("", f"- {requirement}, {verdict.outcome} in {where}:")
        if found:
            yield f"  {escaped(found.message)} in {escaped(found.case)}"
        elif verdict.reason:
            yield f"  {escaped(verdict.reason)}"
        if verdict.script:
            yield from ("", "  <details><summary>Script</summary>", "")
            yield from (f"      {line}".rstrip() for line in verdict.script.splitlines())
            yield from ("", "  </details>")


def failures(table: Table) -> Iterator[tuple[str, list[str], Verdict]]:
    """Yield what does not hold: the requirement, the versions in which, and one verdict.

    Failures of one kind in one dtype are the same one.
    """
    for row in table.rows:
        found = [
            (cell.verdict, column.label)
            for column, cell in zip(table.columns, row.cells, strict=True)
            if cell.verdict and not isinstance(cell.verdict, (Passed, NotApplicable))
        ]
        for alike in grouped(
            found, lambda each: (each[0].outcome, failure(each[0]) or each[0].reason)
        ).values():
            yield row.requirement, [label for _, label in alike], alike[-1][0]


def spans(some: Sequence[str], labels: Sequence[str]) -> str:
    """Return which of the `labels` there are, three or more neighbours as a span.

    >>> spans(["2.0", "2.1", "2.2", "2.9"], ["2.0", "2.1", "2.2", "2.8", "2.9"])
    '2.0 to 2.2, 2.9'
    """
    told: list[str] = []
    for _, run in itertools.groupby(labels, key=some.__contains__):
        these = list(run)
        if these[0] in some:
            told += [f"{these[0]} to {these[-1]}"] if len(these) > 2 else these
    return ", ".join(told)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    titles = list(head)
    yield f"| {' | '.join(titles)} |"
    yield "|" + "---|" * len(titles)
    for row in rows:
        yield f"| {' | '.join(row)} |"
