"""Many reports as one table: requirements by implementation, version and device."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from conformance.checking.verdict import NotApplicable, Passed, Verdict, by_target, grouped
from conformance.errors import UsageError
from conformance.requirements import REQUIREMENTS
from conformance.running.reporting.side_by_side.changes import grown_shares, grown_units
from conformance.running.reporting.side_by_side.reports import Report, failure, numbers


@dataclass(frozen=True)
class Column:
    """One version of an implementation on a device; `label` tells it from its neighbours."""

    report: Report
    implementation: str
    device: str
    label: str

    @cached_property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdicts by requirement."""
        mine = by_target(self.report.verdicts)[self.implementation, self.device]
        return {each.requirement: each for each in mine}

    @property
    def counts(self) -> Counter[str]:
        """How many verdicts have each outcome."""
        return Counter(verdict.outcome for verdict in self.verdicts.values())

    @property
    def conformant(self) -> bool:
        """Whether everything that was asked for was decided, and is conformant."""
        return self.report.complete and all(each.conformant for each in self.verdicts.values())


@dataclass(frozen=True)
class Cell:
    """What became of a requirement in a column.

    `changed` says whether it failed or held in the column before, and `grown` in words what has
    lost accuracy since; both are empty if nothing has changed.
    """

    verdict: Verdict | None
    changed: str = ""
    grown: str = ""


@dataclass(frozen=True)
class Row:
    """A requirement with a cell for each column."""

    requirement: str
    cells: tuple[Cell, ...]

    @property
    def changes(self) -> bool:
        """Whether it changes from one version to the next, in its verdict or its accuracy."""
        return any(cell.changed or cell.grown for cell in self.cells)

    @property
    def steady(self) -> bool:
        """Whether it holds, or does not apply, in every column."""
        kinds = {type(cell.verdict) for cell in self.cells if cell.verdict is not None}
        return not self.changes and kinds <= {Passed, NotApplicable}


@dataclass(frozen=True)
class Table:
    """All versions of one implementation on one device, the oldest first."""

    implementation: str
    device: str
    columns: tuple[Column, ...]

    @property
    def title(self) -> str:
        """The implementation and the device, in words."""
        return f"{self.implementation} on {self.device}"

    @cached_property
    def rows(self) -> list[Row]:
        """The requirements that apply anywhere, in their order."""
        found = {name for column in self.columns for name in column.verdicts}
        order = [
            *(name for name in REQUIREMENTS if name in found),
            *sorted(found - {*REQUIREMENTS}),
        ]
        rows = (Row(name, tuple(self._cells(name))) for name in order)
        return [
            row
            for row in rows
            if not all(isinstance(cell.verdict, (NotApplicable, type(None))) for cell in row.cells)
        ]

    def _cells(self, requirement: str) -> Iterator[Cell]:
        before: Verdict | None = None
        for column in self.columns:
            verdict = column.verdicts.get(requirement)
            if verdict is None or before is None:
                yield Cell(verdict)
            else:
                yield Cell(verdict, _changed(before, verdict), _grown(before, verdict))
            before = verdict or before

    def failures(self) -> Iterator[tuple[str, list[str], Verdict]]:
        """Yield what does not hold: the requirement, the versions in which, and one verdict.

        Failures of one kind in one dtype are the same one.
        """
        for row in self.rows:
            found = [
                (cell.verdict, column.label)
                for column, cell in zip(self.columns, row.cells, strict=True)
                if cell.verdict and not isinstance(cell.verdict, (Passed, NotApplicable))
            ]
            for alike in grouped(
                found, lambda each: (each[0].outcome, failure(each[0]) or each[0].reason)
            ).values():
                yield row.requirement, [label for _, label in alike], alike[-1][0]

    def spans(self, some: Sequence[str]) -> str:
        """Return which of the labels of columns these are, three or more neighbours as a span."""
        told: list[str] = []
        labels = (column.label for column in self.columns)
        for _, run in itertools.groupby(labels, key=some.__contains__):
            these = list(run)
            if these[0] in some:
                told += [f"{these[0]} to {these[-1]}"] if len(these) > 2 else these
        return ", ".join(told)


def _changed(before: Verdict, verdict: Verdict) -> str:
    if verdict.outcome != before.outcome:
        return f"{before.outcome} before"
    return "failed in another way before" if failure(before) != failure(verdict) else ""


def _grown(before: Verdict, verdict: Verdict) -> str:
    if not isinstance(before, Passed) or not isinstance(verdict, Passed):
        return ""
    return "; ".join((*grown_shares(before, verdict), *grown_units(before, verdict)))


def tables(reports: Sequence[Report]) -> list[Table]:
    """Return a table for each implementation and device, in the order in which reports name them.

    Versions are columns, the oldest first. Columns of one version are told apart by Python, by the
    dtypes, or by the file. Raises :class:`UsageError` if nothing was verified.
    """
    places = [
        (here, report)
        for report in reports
        for here, mine in by_target(report.verdicts).items()
        # where there is no such device, nothing of it was verified
        if not all(isinstance(each, NotApplicable) for each in mine)
    ]
    if not places:
        raise UsageError("no report has a verdict")
    return [
        Table(*here, tuple(_columns(*here, [report for _, report in these])))
        for here, these in grouped(places, lambda place: place[0]).items()
    ]


def _columns(implementation: str, device: str, reports: Sequence[Report]) -> list[Column]:
    def labels(report: Report) -> tuple[str, ...]:
        dtypes = ", ".join(report.dtypes(implementation))
        python = f"python {report.run.get('python', '?')}"
        return report.version(implementation), python, dtypes, report.file

    def order(report: Report) -> tuple[list[tuple[int, ...]], tuple[str, ...]]:
        # of files whose names have the same numbers, the order is that in which they are given
        return list(map(numbers, labels(report))), labels(report)[:-1]

    found = []
    for report in sorted(reports, key=order):
        version, *rest = labels(report)
        parts = [version or "version not known"]
        alike = [labels(each)[1:] for each in reports if labels(each)[0] == version]
        for place, text in enumerate(rest):
            if len(alike) == 1:
                break
            if len({each[place] for each in alike}) > 1:
                parts.append(text)
                alike = [each for each in alike if each[place] == text]
        found.append(Column(report, implementation, device, ", ".join(filter(None, parts))))
    return found
