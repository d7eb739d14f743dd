"""Reading a report that somebody else may have written: data, checked before anything uses it."""

from __future__ import annotations

import calendar
import codecs
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from conformance.checking.verdict import from_json
from conformance.errors import UsageError
from conformance.recording.json import Damaged, decode, parsed
from conformance.recording.text import one_line, printable
from conformance.running.reporting.report import SCHEMA, TIME, Run
from reference import Precision
from strategies import Support

Kind = TypeVar("Kind")

LARGEST = 256 * 2**20
"""The number of bytes up to which a file is read."""
LONGEST = 10**6
"""The number of characters that are kept of a text."""

OWN = (
    *("profile", "seed", "max_examples", "cases_digest", "items_digest"),
    *("shard", "left_out", "floor", "started", "seconds"),
)
"""What the report has of a run beside its circumstances."""


def read(path: Path) -> dict[str, Any]:
    """Return the report of this version in a file; see :func:`loaded`."""
    return loaded(path, _valid)


def loaded(path: Path, take: Callable[[Any], Kind]) -> Kind:
    """Return what `take` makes of the JSON in a file, in which all texts are printable.

    Raises :class:`UsageError`, one line, if the file cannot be read, is too large, or is not a
    report that `take` can take.
    """
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{one_line(str(path))} cannot be read: {reason}") from None
    if len(text) > LARGEST:
        raise UsageError(f"{path} has more than {LARGEST} bytes, and is not read")
    try:
        return take(_harmless(parsed(text.removeprefix(codecs.BOM_UTF8))))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        told = isinstance(error, (ValueError, RecursionError))
        why = str(error) if told else f"{type(error).__name__}: {error}"
        raise UsageError(f"{path} is not a report: {one_line(why)}") from None


def run_of(report: Mapping[str, Any]) -> Run:
    """Return the run that a report is of; raises :class:`UsageError` if it is damaged.

    A report that is not complete lacks a verdict.
    """
    known = report["run"]
    rest = {name: value for name, value in known.items() if name not in OWN}
    run = Run(known["profile"], known["seed"], known["max_examples"], rest)
    try:
        run.verdicts = [from_json(verdict) for verdict in report["verdicts"]]
        for name, supports in rest.get("supports", {}).items():
            decode(Support, supports)
            decode(Precision, rest.get("precision", {}).get(name, {}))
    except Damaged as error:
        raise UsageError(f"the report is not one of this version: {one_line(str(error))}") from None
    run.floor, run.items_digest = known["floor"], known["items_digest"]
    run.shard, run.left_out = known["shard"] or "", list(known["left_out"])
    run.total = len(run.verdicts) + len(run.left_out) + (not report["complete"])
    run.started = calendar.timegm(time.strptime(known["started"], TIME))
    run.seconds = known["seconds"]
    return run


def _valid(report: Any) -> dict[str, Any]:
    """Return `report`; raises :class:`ValueError` if it is not as the schema has it."""
    import fastjsonschema

    published = json.loads(SCHEMA.read_text(encoding="utf-8"))
    try:
        fastjsonschema.compile(published, use_default=False)(report)
    except fastjsonschema.JsonSchemaValueException as error:
        raise ValueError(str(error.message).replace("data", "report", 1)) from None
    assert isinstance(report, dict)
    names = "requirement", "implementation", "device"
    refuse_twice([tuple(each[name] for name in names) for each in report["verdicts"]])
    return report


def refuse_twice(keys: Iterable[tuple[str, ...]]) -> None:
    """Raise :class:`ValueError` for two verdicts on the same, of which one would hide the other.

    `keys` have the requirement, the implementation and the device of each verdict.
    """
    for (requirement, implementation, device), count in Counter(keys).items():
        if count > 1:
            where = f"{requirement} on {implementation} ({device})"
            raise ValueError(f"it has {count} verdicts on {where}")


def _harmless(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value, LONGEST)
    if isinstance(value, list):
        return [_harmless(each) for each in value]
    if isinstance(value, dict):
        return {printable(key, LONGEST): _harmless(each) for key, each in value.items()}
    return value
