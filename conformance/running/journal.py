"""What a process is about to do, written to disk before the process does it.

A process that dies or hangs cannot report any more: the process that reports reads its journal.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import pytest

from conformance.recording.steps import Step
from conformance.reproductions.subject import Subject
from reference import Case

COLLECTED = ".collected"
"""The suffix of the file in which a process writes what it collected."""
ALONE = "process"
"""The name of the journal if there are no workers."""


@dataclass(frozen=True)
class Entry:
    """What a process was doing.

    - `doing`: the id of a test item, or the name of an implementation that is being loaded
    - `started`: since when, in seconds since the epoch
    - `case`, `subject`: the case, and what is verified on it
    - `implementation`: the name of the implementation in verdicts
    - `steps`: the steps on the case, of which the last may not be finished
    """

    doing: str
    started: float = field(default_factory=time.time)
    case: Case | None = None
    subject: Subject | None = None
    implementation: str = ""
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True)
class Collected:
    """What a process collected.

    - `items`: the requirement, the implementation and the device of each test item by id
    - `circumstances`: versions, settings, and what each implementation declares
    - `refusal`: why nothing can be collected, else empty
    """

    items: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
    circumstances: Mapping[str, Any] = field(default_factory=dict)
    refusal: str = ""


class Journal:
    """The journal of this process."""

    def __init__(self, config: pytest.Config) -> None:
        name = getattr(config, "workerinput", {}).get("workerid", ALONE)
        folder: str | None = config.getoption("lstm_journal")
        self.path = None if folder is None else Path(folder) / name
        self._file: IO[bytes] | None = None
        self._pickler: pickle.Pickler | None = None

    def write(self, entry: Entry) -> Callable[[Step], None]:
        """Replace the last entry by this one, and return a function that adds a step to it."""
        self.close()
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("wb")
            # one pickler for all steps: an array that was written before is not written again
            self._pickler = pickle.Pickler(self._file, pickle.HIGHEST_PROTOCOL)
            self._add(entry)
        return lambda step: self._add(replace(step, case=None))

    def collected(self, what: Collected) -> None:
        """Write what was collected into a separate file."""
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.with_suffix(COLLECTED).write_bytes(pickle.dumps(what))

    def close(self) -> None:
        """Close the file of the last entry, to which nothing is added any more."""
        if self._file is not None:
            self._file.close()
            self._file = self._pickler = None

    def _add(self, what: Entry | Step) -> None:
        if self._file is not None and self._pickler is not None:
            self._pickler.dump(what)
            self._file.flush()


def read(path: Path) -> Entry | None:
    """Return the last entry of a process with its steps, None if there is no entry."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        unpickler = pickle.Unpickler(file)
        entry = _next(unpickler)
        while isinstance(entry, Entry) and (step := _next(unpickler)) is not None:
            entry.steps.append(step)
    return entry if isinstance(entry, Entry) else None


def collected(folder: Path) -> Collected:
    """Return what the processes with journals in `folder` collected: each of them the same."""
    for path in folder.glob(f"*{COLLECTED}"):
        with path.open("rb") as file:
            what = _next(pickle.Unpickler(file))
        if isinstance(what, Collected):
            return what
    return Collected()


def _next(unpickler: pickle.Unpickler) -> Any:
    """Return the next object in a journal, None at the end or if the last object is cut off."""
    try:
        return unpickler.load()
    except (EOFError, pickle.UnpicklingError):
        return None
