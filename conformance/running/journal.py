"""What a process is about to do, written to disk before the process does it.

A process that dies or hangs cannot report any more: the process that reports reads its journal. A
journal is lines of JSON: what is being done, the case, and each step on the case. Beside it are two
more files of the same process: what it collected, and its verdicts, a line each.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from time import monotonic, time
from typing import Any, BinaryIO

import pytest

from conformance.checking.expectations.applying import Expected
from conformance.checking.verdict import Key, Verdict, from_json
from conformance.recording.json import Damaged, decode, encode
from conformance.recording.steps import Step
from conformance.recording.written import Reader, Writer
from conformance.reproductions.record import Subject
from conformance.running import remote
from reference import Case

JOURNAL, COLLECTED, VERDICTS = ".journal", ".collected", ".verdicts"
"""The suffixes of the files of a process; the name is that of the worker."""
ALONE = "process"
"""The name if there are no workers."""

Opener = Callable[[str, str], BinaryIO]


@cache
def boot() -> str:
    """Return what tells this start of this machine from others, as far as anything does."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except (OSError, ValueError):
        return platform.node()


@dataclass(frozen=True)
class Doing:
    """What a process does, the first line of its journal.

    - `doing`: the id of a test item, the name of an implementation that is being loaded, or empty
    - `implementation`: the name of the implementation in verdicts
    - `started`: since when, in seconds of the clock of this start of the machine, `boot`
    - `date`: since when, in seconds since the epoch
    - `limit`: the seconds that it may take
    - `case_started`: since when the case is tried, 0 without a case
    - `process`: the number of the process
    """

    doing: str = ""
    implementation: str = ""
    started: float = field(default_factory=monotonic)
    limit: float = float("inf")
    case_started: float = 0.0
    process: int = field(default_factory=os.getpid)
    boot: str = field(default_factory=boot)
    date: float = field(default_factory=time)

    def seconds(self) -> float:
        """Return for how many seconds, by the date where that is on another machine."""
        if self.boot == boot():
            return max(monotonic() - self.started, 0.0)
        return max(time() - self.date, 0.0)


@dataclass(frozen=True)
class Entry:
    """What a process was doing.

    - `now`: what, since when
    - `case`, `subject`: the case, and what is verified on it
    - `steps`: the steps on the case, of which the last may not be finished
    """

    now: Doing
    case: Case | None = None
    subject: Subject | None = None
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True)
class Collected:
    """What a process collected.

    - `items`: the requirement, the implementation and the device of each test item by id
    - `circumstances`: versions, settings, and what each implementation declares
    - `refusal`: why nothing can be collected, else empty
    - `digest`: that of all items, of which other shards or an earlier run may have some
    - `expected`: the failures that the run expects
    """

    items: Mapping[str, Key] = field(default_factory=dict)
    circumstances: Mapping[str, Any] = field(default_factory=dict)
    refusal: str = ""
    digest: str = ""
    expected: Expected = field(default_factory=Expected)


class Journal:
    """The journal of this process.

    - `path`: that of its files without their suffixes, None for no journal
    - `opener`: opens the files of a process that does not share the disk, by suffix and mode

    Where the disk is full there is no journal: that costs a reproduction, but nothing else.
    """

    def __init__(self, path: Path | None, opener: Opener | None = None) -> None:
        self._open = partial(_beside, path) if opener is None and path is not None else opener
        self._file: BinaryIO | None = None
        self._writer = Writer()

    @classmethod
    def of(cls, config: pytest.Config) -> Journal:
        """Return the journal of this process in the folder of the run."""
        given = getattr(config, "workerinput", {})
        folder: str | None = config.getoption("lstm_journal")
        path = None if folder is None else Path(folder) / given.get("workerid", ALONE)
        return cls(path, remote.opener(given))

    def write(self, entry: Entry) -> Callable[[Step], None]:
        """Replace the last entry by this one, and return a function that adds a step to it."""
        self.close()
        if self._open is not None:
            self._writer = Writer()
            with contextlib.suppress(OSError):
                self._file = self._open(JOURNAL, "wb")
            self._add(encode(entry.now))
            if entry.case is not None:
                self._add({"case": entry.case, "subject": encode(entry.subject)})
        return lambda step: self._add(step if step.case is None else replace(step, case=None))

    def close(self) -> None:
        """Close the file of the last entry, to which nothing is added any more."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def collected(self, what: Collected) -> None:
        """Write what was collected into a separate file; raises :class:`OSError` if it cannot."""
        if self._open is not None:
            with self._open(COLLECTED, "wb") as file:
                file.write(json.dumps(encode(what)).encode("ascii"))

    def decided(self, verdict: Verdict) -> None:
        """Add a line to the verdicts of this process, unless the disk is full."""
        if self._open is not None:
            with contextlib.suppress(OSError), self._open(VERDICTS, "ab") as file:
                file.write(json.dumps(verdict.to_json()).encode() + b"\n")

    def _add(self, value: Any) -> None:
        if self._file is None:
            return
        line = self._writer.line(value)
        try:
            if self._file.write(line) == len(line):
                return
        except OSError:
            pass
        with contextlib.suppress(OSError):
            self._file.truncate(0)
        self.close()


def _beside(path: Path, suffix: str, mode: str) -> BinaryIO:
    return open(path.with_suffix(suffix), mode, buffering=0)  # type: ignore[return-value]


def doing(path: Path) -> Doing | None:
    """Return what the process `path` does, None if that cannot be read just now."""
    try:
        with path.with_suffix(JOURNAL).open("rb") as file:
            return decode(Doing, Reader().value(file.readline()))
    except (OSError, Damaged):
        return None


def written(path: Path) -> int:
    """Return how many bytes the journal of the process `path` has."""
    try:
        return path.with_suffix(JOURNAL).stat().st_size
    except OSError:
        return 0


def read(path: Path) -> Entry | None:
    """Return the last entry of the process `path` with its steps, None if there is no entry."""
    reader, entry = Reader(), None
    for line in _lines(path.with_suffix(JOURNAL)):
        try:
            value = reader.value(line)
            if entry is None:
                entry = Entry(decode(Doing, value))
            elif isinstance(value, Step):
                entry.steps.append(value)
            elif isinstance(value["case"], Case):
                subject = decode(Subject, value["subject"])
                # a replaced case is checked once more
                entry = replace(entry, case=replace(value["case"]), subject=subject)
        except (Damaged, ValueError, TypeError, AttributeError, LookupError):
            break
    return entry


def verdicts(path: Path) -> Iterator[Verdict]:
    """Yield the verdicts of the process `path`, but for lines that are cut off."""
    for line in _lines(path.with_suffix(VERDICTS)):
        with contextlib.suppress(ValueError, KeyError, TypeError):
            yield from_json(json.loads(line))


def collected(folder: Path) -> Collected:
    """Return what the processes with journals in `folder` collected: each of them the same."""
    for path in folder.glob(f"*{COLLECTED}"):
        with contextlib.suppress(OSError, ValueError):
            return decode(Collected, json.loads(path.read_bytes()))
    return Collected()


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file, the last one only if it is whole."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        yield from (line for line in file if line.endswith(b"\n"))
