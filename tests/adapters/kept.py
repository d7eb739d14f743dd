"""What a published table keeps of reports, so that it can be renewed one of them at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance.checking.verdict import NotApplicable, Verdict, from_json
from conformance.implementations.shipped import SHIPPED
from conformance.running.reporting.side_by_side.reports import Report, found_in, read

RUN = ("profile", "max_examples", "started", "python", "torch", "numpy")
COUNTEREXAMPLE = ("case", "message", "kind", "dtype", "where", "diagnosis")
EMPTY: tuple[Any, ...] = (None, "", (), [], {})
Values = dict[str, Any]


def split(report: Report) -> Iterator[Report]:
    """Yield a report of each implementation on each device by itself."""
    for about in dict.fromkeys(map(_about, report.verdicts)):
        mine = [each for each in report.verdicts if _about(each) == about]
        yield Report(report.file, report.complete, report.run, mine)


def below(folder: str) -> Iterator[Report]:
    """Yield what each report below a folder says of each implementation and device.

    Raises :class:`SystemExit` for the report of a run that was ended before its time.
    """
    for report in map(read, found_in([folder])):
        if not report.complete:
            raise SystemExit(f"{report.file} is not complete: take it away, or verify again")
        yield from split(report)


def renewed(
    old: Iterable[Report], new: Sequence[Report], key: Callable[[Report], Hashable]
) -> list[Report]:
    """Return `new`, after those of `old` of which no new one has the same `key`."""
    keys = {key(report) for report in new}
    return [report for report in old if key(report) not in keys] + list(new)


def load(path: Path) -> list[Report]:
    """Return the reports that :func:`save` wrote to a file, none if there is no file."""
    if not path.exists():
        return []
    return [_report(values) for values in json.loads(path.read_text(encoding="utf-8"))]


def save(path: Path, reports: Iterable[Report], fields: Sequence[str]) -> None:
    """Write what a table needs of reports that :func:`split` yielded: a line for each verdict.

    `fields` are those of a verdict that are kept. Of a counterexample its tensors are not, and of
    numbers the first four digits.
    """
    texts = []
    for report in reports:
        head = json.dumps(_run(report), ensure_ascii=False, sort_keys=True)
        lines = (
            f"{json.dumps(each.requirement)}: "
            + json.dumps(_reduced(each, fields), ensure_ascii=False)
            for each in report.verdicts
        )
        texts.append(f'{head[:-1]}, "verdicts": {{\n' + ",\n".join(lines) + "\n}}")
    path.write_text("[\n" + ",\n".join(texts) + "\n]\n", encoding="utf-8")


def _about(verdict: Verdict) -> tuple[str, str]:
    return verdict.implementation, verdict.device


def _run(report: Report) -> Values:
    ((name, device),) = set(map(_about, report.verdicts))
    needs = SHIPPED[name].needs if name in SHIPPED else ()
    run = {key: report.run[key] for key in (*RUN, *needs) if key in report.run}
    run["supports"] = {name: {"dtypes": list(report.dtypes(name))}}
    return {"implementation": name, "device": device, "complete": report.complete, "run": run}


def _reduced(verdict: Verdict, fields: Sequence[str]) -> Values | str:
    if isinstance(verdict, NotApplicable):
        return verdict.outcome
    values = verdict.to_json()
    kept = {key: values[key] for key in fields if values[key] not in EMPTY}
    if "counterexample" in kept:
        found = {key: kept["counterexample"][key] for key in COUNTEREXAMPLE}
        found["diagnosis"] = _filled(found["diagnosis"])
        kept["counterexample"] = _filled(found)
    return {"outcome": verdict.outcome, **_rounded(kept)} if kept else verdict.outcome


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(each) for key, each in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _filled(values: Mapping[str, Any]) -> Values:
    return {key: value for key, value in values.items() if value not in EMPTY}


def _report(values: Values) -> Report:
    def verdict(requirement: str, kept: Values | str) -> Verdict:
        found: Values = {"outcome": kept} if isinstance(kept, str) else dict(kept)
        if "counterexample" in found:
            found["counterexample"] = {"tensors": {}, **found["counterexample"]}
        about = {key: values[key] for key in ("implementation", "device")}
        return from_json({"requirement": requirement, **about, **found})

    verdicts = [verdict(*item) for item in values["verdicts"].items()]
    return Report("", values["complete"], values["run"], verdicts)
