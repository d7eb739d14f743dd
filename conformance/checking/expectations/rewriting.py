"""A file of expected failures, written anew from what a run has shown.

Whatever is not changed stays as it is, with its comments. The comment right above an entry belongs
to the entry, and goes with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit

from conformance.checking.expectations.applying import Expected
from conformance.checking.expectations.complaints import Seen, idle, missed, seen, unlisted
from conformance.checking.expectations.lines import headers, lines, lines_of
from conformance.checking.expectations.reading import NAME, PYPROJECT, TABLE, parsed, text_of
from conformance.checking.verdict import Verdict, grouped
from conformance.implementations.failures import Accepted, NotRefused, Raised
from reference import DTYPES

PLACEHOLDER = "not yet explained"
"""The reason of an entry that was added, in place of which somebody writes the true one."""


@dataclass
class Rewritten:
    """The `text` of a file, how many entries were changed in which way, and what was left.

    `left` names the requirements that failed without a case, which no entry can expect.
    """

    text: str
    removed: int = 0
    changed: int = 0
    added: int = 0
    left: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        done = f"{self.removed} removed, {self.changed} changed, {self.added} added"
        return f"{done}; {len(self.left)} cannot be expected" if self.left else done


def rewritten(path: Path, expected: Expected, verdicts: Sequence[Verdict]) -> Rewritten:
    """Return the file at `path` as it would have agreed with the `verdicts` of a whole run.

    Mended entries, and those that match or add nothing, are removed, or limited to the
    implementations and devices on which they still hold. One that fails otherwise gets the new
    failure, without its reason; failures that no entry is about are added.
    """
    text = text_of(path) if path.exists() else ""
    blocks = _Blocks(text)
    result = Rewritten("")
    new = list(unlisted(expected, verdicts))
    own = [each for each in seen(expected, verdicts) if not each.entry.shipped]
    for of_entry in grouped(own, lambda each: each.entry.at).values():
        number = _line(of_entry[0].entry.at)
        other = [each.verdict for each in of_entry if each.use is not None and each.use.otherwise]
        if other and not any(each.use and each.use.failed for each in of_entry):
            blocks.change(number, {**_failure(other[0]), "reason": PLACEHOLDER})
            result.changed += 1
            new += other[1:]
            continue
        new += other
        kept = _kept(of_entry)
        if kept is None:
            blocks.remove(number)
            result.removed += 1
        elif kept:
            blocks.change(number, kept)
            result.changed += 1
    entries = []
    for verdict in new:
        wider = next((each for each in own if _in_another_dtype(each, verdict)), None)
        values = _added(verdict)
        if wider is not None:
            dtypes = [*wider.entry.dtype, values["dtype"]]
            blocks.change(_line(wider.entry.at), {"dtype": dtypes})
            result.changed += 1
        elif values:
            entries.append(values)
        else:
            result.left.append(verdict.requirement)
    for places in idle(own).items():
        mine, including = map(_line, places)
        if not {mine, including} & blocks.new.keys():
            blocks.remove(mine)
            result.removed += 1
    result.added = len(entries)
    result.text = blocks.text(path.name == PYPROJECT, entries)
    parsed(result.text, path)
    if path.exists() and b"\r\n" in path.read_bytes():  # ends of lines as Windows writes them
        result.text = result.text.replace("\n", "\r\n")
    return result


def _line(at: str) -> int:
    """Return the number, from 0, of the line with which the entry at a place begins."""
    return int(at.rpartition(":")[2]) - 1


def _in_another_dtype(each: Seen, verdict: Verdict) -> bool:
    """Return whether an entry expects the failure of the verdict, but in other dtypes."""
    entry, found = each.entry, verdict.counterexample
    if each.verdict.key != verdict.key or found is None:
        return False
    same = entry.kind in ("", found.kind) and entry.what in ("", found.what)
    return same and entry.message in found.message and found.dtype not in (entry.dtype or DTYPES)


def _kept(of_entry: Sequence[Seen]) -> Mapping[str, Any] | None:
    """Return what an entry is limited to: nothing new if empty, and None if the entry goes."""
    left = [each for each in of_entry if not missed(each) and each.met is not False]
    if left and not any(map(missed, of_entry)):
        return {}
    here = {each.applied.implementation for each in of_entry}
    named = of_entry[0].entry.implementation
    elsewhere = [name for name in named if name not in here and "*" not in name]
    if not left:
        return {"implementation": elsewhere} if elsewhere else None
    kept: dict[str, Any] = {}
    names = dict.fromkeys(each.applied.implementation for each in left)
    if {*names} != here:
        kept["implementation"] = [*names, *elsewhere]
    on = dict.fromkeys(each.applied.device for each in left)
    if {*on} != {each.applied.device for each in of_entry}:
        kept["device"] = [*on]
    return kept


def _added(verdict: Verdict) -> Mapping[str, Any]:
    """Return the keys of a new entry for a failure; empty for one without a case."""
    if verdict.counterexample is None or not verdict.counterexample.kind:
        return {}
    return {
        "requirement": verdict.requirement,
        "reason": PLACEHOLDER,
        **_failure(verdict),
        "implementation": verdict.implementation,
        "device": verdict.device,
        "dtype": verdict.counterexample.dtype,
    }


def _failure(verdict: Verdict) -> Mapping[str, Any]:
    """Return the keys for a failure: its kind, and what is the same in every case of it."""
    found = verdict.counterexample
    assert found is not None
    if found.kind in (Accepted.kind, NotRefused.kind):
        return {"kind": found.kind, "what": found.what, "message": ""}
    message = ""
    if found.kind == Raised.kind:
        # sizes differ from case to case
        message = max(re.split(r"\d+", found.message.partition("\n")[0]), key=len).strip()
    return {"kind": found.kind, "what": "", "message": message}


class _Blocks:
    """The lines of a file, of which some are an entry: from the comment above it to its end."""

    def __init__(self, text: str) -> None:
        self.lines = lines_of(text)
        self.starts = lines(text)
        self.tables = [*headers(text), len(self.lines)]
        self.new: dict[int, str] = {}

    def _extent(self, number: int) -> range:
        start, end = number, next(each for each in self.tables if each > number)
        if end < len(self.lines):
            end = self._with_comment(end)
        return range(self._with_comment(start), end)

    def _with_comment(self, number: int) -> int:
        while number and self.lines[number - 1].startswith("#"):
            number -= 1
        return number

    def remove(self, number: int) -> None:
        """Leave the entry out that begins in this line."""
        self.new[number] = ""

    def change(self, number: int, values: Mapping[str, Any]) -> None:
        """Give keys of the entry other values; an empty one takes the key away."""
        extent = self._extent(number)
        document = tomlkit.parse("".join(self.lines[number : extent.stop]))
        table: Any = document
        while not isinstance(table, list):
            table = next(iter(table.values()))
        for name, value in values.items():
            if value:
                table[0][name] = _plain(value)
            elif name in table[0]:
                del table[0][name]
        self.new[number] = "".join(self.lines[extent.start : number]) + tomlkit.dumps(document)

    def text(self, nested: bool, added: Iterable[Mapping[str, Any]]) -> str:
        """Return all lines; `nested` ones are in the table of a project. New ones come last."""
        parts, last = [], 0
        for number in self.starts:
            if number in self.new:
                extent = self._extent(number)
                parts += [*self.lines[last : extent.start], self.new[number]]
                last = extent.stop
        end = self._extent(self.starts[-1]).stop if self.starts else len(self.lines)
        parts += self.lines[last:end]
        header = ".".join((*TABLE, NAME)) if nested else NAME
        before = "".join(parts).rstrip("\n")
        made = [_written(header, values) for values in added]
        after = "".join(self.lines[max(end, last) :])
        return "\n\n".join(filter(None, [before, *made])) + "\n" + ("\n" + after if after else "")


def _plain(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _written(header: str, values: Mapping[str, Any]) -> str:
    table = tomlkit.table()
    table.update({name: _plain(value) for name, value in values.items() if value})
    return f"[[{header}]]\n{table.as_string().rstrip()}"
