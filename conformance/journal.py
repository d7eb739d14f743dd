"""What a worker is about to do, on disk before it does it, for the process that reports.

A worker that dies or hangs takes everything in its memory with it. What it wrote down here stays.
"""

from __future__ import annotations

import pickle
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reference import Case

FOLDER = "lstm_conformance_journal"
"""The key under which a worker is told the folder of the journals."""


@dataclass(frozen=True)
class Entry:
    """What a worker was doing: since when, for which test item or name, and on which case."""

    doing: str
    started: float
    case: Case | None = None


class Journal:
    """The journal of this process. Without workers nothing is written."""

    def __init__(self, config: pytest.Config) -> None:
        worker: dict[str, Any] = getattr(config, "workerinput", {})
        self.path = Path(worker[FOLDER]) / worker["workerid"] if FOLDER in worker else None

    def write(self, doing: str, case: Case | None = None, started: float | None = None) -> None:
        """Replace the last entry; it began at `started`, now unless given."""
        if self.path is not None:
            entry = Entry(doing, time.time() if started is None else started, case)
            self.path.write_bytes(pickle.dumps(entry))


def read(folder: Path, worker: str) -> Entry | None:
    """The last entry of a worker, if it made one."""
    path = folder / worker
    return pickle.loads(path.read_bytes()) if path.exists() else None
