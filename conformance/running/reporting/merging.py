"""One report of the reports of all shards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from conformance.errors import UsageError
from conformance.running.dividing import numbers
from conformance.running.reporting.reading import read, run_of
from conformance.running.reporting.report import Run, in_order

ASKED = ("profile", "seed", "max_examples", "items_digest", "floor")
"""What a run is made from, the same in every shard."""
LINES = ("shortened", "mended")
"""What each shard has lines of, which are put together."""
OWN = ("started", "seconds", "cases_digest", "shard", "left_out", "platform", *LINES)
"""What differs from shard to shard."""


def whole(files: Sequence[Path]) -> dict[str, Any]:
    """Return the report in the only file, or that of the whole run from those of its shards."""
    reports = [read(file) for file in files]
    return reports[0] if len(reports) == 1 else merged(reports)


def merged(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the report that a whole run would have written, of those of all its shards.

    Only times differ: it began with the first shard, and took as long as all of them. Raises
    :class:`UsageError` if the reports are not those of all shards of one run, made with the same
    versions.
    """
    told = [report["run"] for report in reports]
    for complaint in chain(_complaints(told), _twice(reports)):
        raise UsageError(f"these reports are not the shards of one run: {complaint}")
    runs = [run_of(report) for report in reports]
    first = runs[0]
    circumstances = {name: of for name, of in first.circumstances.items() if name not in LINES}
    for name in LINES:
        found = dict.fromkeys(line for each in runs for line in each.circumstances.get(name, ()))
        if found:
            circumstances[name] = list(found)
    run = Run(first.profile, first.seed, first.max_examples, circumstances)
    run.floor, run.items_digest = first.floor, first.items_digest
    run.verdicts = [verdict for each in runs for verdict in each.verdicts]
    run.total, run.seconds = sum(each.total for each in runs), sum(each.seconds for each in runs)
    run.started = min(each.started for each in runs)
    run.sort()
    return _with_expectations(run.to_json(), [each["expectations"] for each in reports])


def _with_expectations(report: dict[str, Any], parts: Sequence[Any]) -> dict[str, Any]:
    """Return the report with the expected failures of all shards, and the complaints of each."""
    found = [complaint for part in parts for complaint in part["complaints"]]
    applied = in_order(each for part in parts for each in part["applied"])
    report["expectations"] = {**parts[0], "applied": applied, "complaints": found}
    report["conformant"] = report["conformant"] and not found
    return report


def _complaints(runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what prevents merging, the most basic first."""
    if not runs:
        yield "there is none"
    for run in runs:
        if not run["shard"]:
            yield f"one with seed {run['seed']} is of a whole run"
    first = runs[0]
    for run in runs[1:]:
        for name in dict.fromkeys((*ASKED, *first, *run)):
            if name not in OWN and first.get(name) != run.get(name):
                yield (
                    f"{name} is {first.get(name)} in shard {first['shard']} "
                    f"and {run.get(name)} in shard {run['shard']}"
                )
    found = [numbers(run["shard"]) for run in runs]
    count = found[0][1]
    for number, of in found:
        if of != count:
            yield f"there are shards of {count} and of {of}"
        if found.count((number, of)) > 1:
            yield f"shard {number}/{of} is there twice"
    yield from missing([run["shard"] for run in runs])


def missing(shards: Sequence[str]) -> list[str]:
    """Say which of the shards of a run are not among these, which are of one run."""
    found = [numbers(shard) for shard in shards]
    count = found[0][1]
    others = (number for number in range(1, count + 1) if (number, count) not in found)
    return [f"shard {number}/{count} is missing" for number in others]


def _twice(reports: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what more than one report has decided."""
    seen = set()
    for report in reports:
        for each in report["verdicts"]:
            key = each["requirement"], each["implementation"], each["device"]
            if key in seen:
                yield f"{key[0]} on {key[1]} ({key[2]}) is there twice"
            seen.add(key)
