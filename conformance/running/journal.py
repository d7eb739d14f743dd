"""What a process is about to do, on disk before it does it, for whoever reports.

A process that dies or hangs takes everything in its memory with it. What it wrote down here stays.
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
"""How the file ends in which a process writes down what it collected."""
ALONE = "process"
"""The name of the journal of a process without workers."""


@dataclass(frozen=True)
class Entry:
    """What a process was doing: which test item, by id, or loading what; since when; on which case.

    `subject` tells more of the test item, `implementation` is what verdicts call what is verified,
    and `steps` what was done with the case until then.
    """

    doing: str
    started: float
    case: Case | None = None
    subject: Subject | None = None
    implementation: str = ""
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True)
class Collected:
    """What a process collected: requirement, implementation and device of each test item by its id.

    And the circumstances in which these are verified, or why nothing can be.
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

    def write(
        self,
        doing: str,
        case: Case | None = None,
        started: float | None = None,
        subject: Subject | None = None,
        implementation: str = "",
    ) -> Callable[[Step], None]:
        """Replace the last entry; it began at `started`, now unless given.

        Steps that are then passed to what this returns are added to it.
        """
        self.close()
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("wb")
            # one for all that follows, so that an array which is there already is not repeated
            self._pickler = pickle.Pickler(self._file, pickle.HIGHEST_PROTOCOL)
            begun = time.time() if started is None else started
            self._add(Entry(doing, begun, case, subject, implementation))
        return lambda step: self._add(replace(step, case=None))

    def collected(self, what: Collected) -> None:
        """Write down what was collected, beside the entries."""
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.with_suffix(COLLECTED).write_bytes(pickle.dumps(what))

    def close(self) -> None:
        """Write no more into the last entry."""
        if self._file is not None:
            self._file.close()
            self._file = self._pickler = None

    def _add(self, what: Entry | Step) -> None:
        if self._file is not None and self._pickler is not None:
            self._pickler.dump(what)
            self._file.flush()


def read(path: Path) -> Entry | None:
    """The last entry of a process, if it made one, with the steps that followed."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        unpickler = pickle.Unpickler(file)
        entry = _next(unpickler)
        while isinstance(entry, Entry) and (step := _next(unpickler)) is not None:
            entry.steps.append(step)
    return entry if isinstance(entry, Entry) else None


def collected(folder: Path) -> Collected:
    """What the processes that keep their journals in `folder` collected: all of them the same."""
    for path in folder.glob(f"*{COLLECTED}"):
        with path.open("rb") as file:
            what = _next(pickle.Unpickler(file))
        if isinstance(what, Collected):
            return what
    return Collected()


def _next(unpickler: pickle.Unpickler) -> Any:
    """The next thing in a journal, None at its end, where the last may be cut off."""
    try:
        return unpickler.load()
    except (EOFError, pickle.UnpicklingError):
        return None
