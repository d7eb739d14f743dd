"""The page of a run: its verdicts by family, what was measured, and each failure drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from conformance.checking.counterexample import DERIVED
from conformance.checking.verdict import (
    NotApplicable,
    Verdict,
    by_reason,
    by_target,
    explained,
    grouped,
)
from conformance.recording.json import decode
from conformance.requirements import REQUIREMENTS
from conformance.running.reporting.alike import together
from conformance.running.reporting.circumstances import circumstances, declarations
from conformance.running.reporting.pages import matrices
from conformance.running.reporting.pages.heat import HeatMap, heat_map
from conformance.running.reporting.pages.rendering import page
from conformance.running.reporting.pages.strips import SHARES, UNITS, Point
from conformance.running.reporting.reading import run_of
from conformance.running.reporting.report import Run
from reference import DTYPES, Precision
from strategies import Support

MOST = 5
"""The number of failures with which a reader is to start."""


@dataclass(frozen=True)
class Family:
    """The verdicts on the requirements of one module, and how near their bounds they came."""

    title: str
    verdicts: Sequence[Verdict]
    points: Sequence[Point]
    nearest: str


@dataclass(frozen=True)
class Group:
    """One implementation on one device.

    - `musts`, `shoulds`: families of requirements that apply
    - `inapplicable`: names of requirements by the reason why they do not apply
    - `units`: what was measured of sigmoid and tanh: dtype, function, units, place on the axis, and
      a mark if that is more than allowed
    - `heat`: what was exercised
    """

    id: str
    implementation: str
    device: str
    counts: Counter[str]
    musts: Sequence[Family]
    shoulds: Sequence[Family]
    inapplicable: dict[str, list[str]]
    units: Sequence[tuple[str, str, str, float, str]]
    heat: HeatMap | None


@dataclass(frozen=True)
class Details:
    """A failure: its matrices, and the lines that name what is not drawn.

    `alike` are further failures, and `why` is what they have in common with this one.
    """

    id: str
    verdict: Verdict
    inputs: Sequence[matrices.Matrix]
    others: Sequence[str]
    wrong: Sequence[matrices.Wrong]
    why: str = ""
    alike: Sequence[Details] = ()


def html(report: dict[str, Any]) -> str:
    """Return one page that loads nothing else, of a report as ``--json`` writes it."""
    run = run_of(report)
    failures = list(_failures(run.verdicts))
    groups = [
        _group(f"group-{number}", mine, run)
        for number, mine in enumerate(by_target(run.verdicts).values(), start=1)
    ]
    names = list(dict.fromkeys(each.implementation for each in groups))
    return page(
        "run.html.jinja",
        run=run,
        report=report,
        subject=", ".join(names) if len(names) < 4 else f"{len(names)} implementations",
        groups=groups,
        failures=failures,
        most=MOST,
        derived=DERIVED,
        ids={each.verdict.key: each.id for first in failures for each in (first, *first.alike)},
        known=REQUIREMENTS,
        percent=percent,
        dtypes=list(DTYPES),
        shares_scale=SHARES,
        units_scale=UNITS,
        declarations=list(declarations(run.circumstances)),
        circumstances=dict(circumstances(run.circumstances)),
    )


def percent(share: float) -> str:
    """Write a share with two digits."""
    return f"{100 * share:.2g} %" if 0 < share < 1 else f"{100 * share:.0f} %"


def _failures(verdicts: Sequence[Verdict]) -> Iterator[Details]:
    """Yield what is explained, failed musts first, and those with the same cause together."""
    numbers = count(1)
    groups = by_target(explained(verdicts)[1]).values()
    found = [alike for group in groups for alike in together(group)]
    for alike in sorted(found, key=lambda each: each.first.conformant):
        first = _details(alike.first, next(numbers))
        others = [_details(verdict, next(numbers)) for verdict in alike.others]
        yield replace(first, why=alike.why, alike=others)


def _details(verdict: Verdict, number: int) -> Details:
    found = verdict.counterexample
    drawn, others = matrices.inputs(found) if found else ([], [])
    wrong = matrices.wrong(found) if found else []
    return Details(f"failure-{number}", verdict, drawn, others, wrong)


def _group(id_: str, mine: Sequence[Verdict], run: Run) -> Group:
    name, device, of = mine[0].implementation, mine[0].device, run.circumstances
    applying = [each for each in mine if not isinstance(each, NotApplicable)]
    shoulds = [name for name, each in REQUIREMENTS.items() if each.should]
    cells = grouped(mine, _family)
    supports = of.get("supports", {}).get(name)
    return Group(
        id_,
        name,
        device,
        Counter(each.outcome for each in mine),
        list(_families(each for each in applying if each.requirement not in shoulds)),
        list(_families(each for each in applying if each.requirement in shoulds)),
        by_reason(mine, NotApplicable),
        list(_units(mine, of.get("precision", {}).get(name))),
        heat_map(
            {family: [each.cells for each in them] for family, them in cells.items()},
            decode(Support, supports) if supports else None,
        ),
    )


def _family(verdict: Verdict) -> str:
    known = REQUIREMENTS.get(verdict.requirement)
    family = known.body.__module__.rpartition(".")[2] if known else "of another version"
    return family.replace("_", " ")


def _families(verdicts: Iterable[Verdict]) -> Iterator[Family]:
    for title, found in grouped(verdicts, _family).items():
        points = [point for each in found for point in _points(each)]
        largest = [each.share for each in found if each.share is not None]
        yield Family(title, found, points, percent(max(largest)) if largest else "")


def _points(verdict: Verdict) -> Iterator[Point]:
    """Yield the share of each dtype, and that of the failure."""
    lanes = list(DTYPES)
    for dtype, share in verdict.shares.items():
        if dtype in lanes:
            title = f"{verdict.requirement}, {dtype}: {percent(share)} of the bound"
            yield Point(SHARES.at(share), lanes.index(dtype), dtype, title, beyond=share > 1)
    found = verdict.counterexample
    beyond = matrices.share(found.compared) if found else None
    if found and beyond is not None and beyond > 1 and found.dtype in lanes:
        title = f"{verdict.requirement}, {found.dtype}: {beyond:.3g} times the bound"
        lane = lanes.index(found.dtype)
        yield Point(SHARES.at(beyond), lane, found.dtype, title, beyond=True)


def _units(
    verdicts: Sequence[Verdict], declared: dict[str, Any] | None
) -> Iterator[tuple[str, str, str, float, str]]:
    measured = next((each.units for each in verdicts if each.units), {})
    allowed = dict(zip(("sigmoid", "tanh"), Precision(**(declared or {})).units(), strict=True))
    for dtype, functions in measured.items():
        for function, found in sorted(functions.items()):
            limit = allowed.get(function, float("inf"))
            mark = "beyond" if found > limit else ""
            yield dtype, function, f"{found:.3g}", UNITS.at(found), mark
