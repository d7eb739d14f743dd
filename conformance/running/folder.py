"""The folder of a run that has not ended: journals, verdicts as they come, and what the run is.

The process that reports holds a lock on a file in it. A run that finds the folder of another one
without a lock removes the folder: the process is gone.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from conformance.checking.verdict import Verdict
from conformance.errors import UsageError
from conformance.recording.json import Damaged, decode, encode
from conformance.running.journal import JOURNAL, VERDICTS, verdicts

PREFIX, LOCK, RUN, LIMITS = "running-", "lock", "run.json", "limits.json"
TRYING = ".trying"
"""The suffix of a file that a process holds a lock on while it tries something."""


@dataclass(frozen=True)
class Asked:
    """What a run was asked for: what a report has of that, and its other options by key.

    `started` is in seconds since the epoch.
    """

    profile: str
    seed: int
    max_examples: int | None
    started: float
    floor: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    shard: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


class RunFolder:
    """The folder of a run, at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    @classmethod
    def of(cls, config: pytest.Config) -> RunFolder:
        """Return the folder of the run that this process is part of."""
        return cls(Path(config.getoption("lstm_journal")))

    @classmethod
    def create(cls, root: Path, asked: Asked) -> RunFolder:
        """Make a new folder in `root`, or among temporary files if the disk of `root` is full.

        If that disk is full as well, the folder stays empty.
        """
        name = f"{PREFIX}{secrets.token_hex(4)}"
        try:
            return cls._create(root / name, asked)
        except OSError:
            shutil.rmtree(root / name, ignore_errors=True)
        path = Path(tempfile.mkdtemp(prefix="lstm-conformance-")) / name
        with contextlib.suppress(OSError):
            return cls._create(path, asked)
        return cls(path)

    @classmethod
    def _create(cls, path: Path, asked: Asked) -> RunFolder:
        path.mkdir(parents=True)
        made = cls(path)
        made._lock = os.open(path / LOCK, os.O_CREAT | os.O_RDWR)
        _locked(made._lock)
        (path / RUN).write_text(json.dumps(encode(asked)), encoding="ascii")
        return made

    def restore(self) -> None:
        """Make the folder anew if code under test has deleted it: workers write into it."""
        with contextlib.suppress(OSError):
            self.path.mkdir(parents=True, exist_ok=True)

    @property
    def processes(self) -> list[Path]:
        """The processes of the run, as journals know them: paths without suffixes."""
        found = {
            path.with_suffix("")
            for suffix in (JOURNAL, VERDICTS)
            for path in self.path.glob(f"*{suffix}")
        }
        return sorted(found)

    def asked(self) -> Asked:
        """Return what the run was asked for; raises :class:`UsageError` if no run left it.

        The folder of a run of an earlier version is refused too.
        """
        try:
            return decode(Asked, json.loads((self.path / RUN).read_bytes()))
        except (OSError, ValueError, Damaged):
            text = f"{self.path} is not the folder of a run that was ended"
            raise UsageError(f"{text}: such a folder is called {PREFIX}...") from None

    def verdicts(self) -> Iterator[Verdict]:
        """Yield the verdicts on disk, whichever process wrote them."""
        for process in self.processes:
            yield from verdicts(process)

    def seconds(self) -> float:
        """Return for how long the run has written into the folder."""
        last = max(path.stat().st_mtime for path in self.path.iterdir())
        return max(last - self.asked().started, 0.0)

    def shorten(self, limits: dict[str, float]) -> None:
        """Let the workers know the limits in seconds for a case, by the name of implementations."""
        target = self.path / LIMITS
        with contextlib.suppress(OSError):
            target.with_suffix(".new").write_text(json.dumps(limits), encoding="ascii")
            os.replace(target.with_suffix(".new"), target)

    def shortened(self, implementation: str) -> float | None:
        """Return the limit in seconds for a case of `implementation`, if it was shortened."""
        try:
            limit = json.loads((self.path / LIMITS).read_bytes()).get(implementation)
        except (OSError, ValueError):
            return None
        return None if limit is None else float(limit)

    @contextlib.contextmanager
    def trying(self, what: str) -> Iterator[bool]:
        """Yield whether no process has ended within this context with the same `what`."""
        name = hashlib.sha256(what.encode()).hexdigest()[:16]
        if any(_unlocked(path) for path in self.path.glob(f"{name}-*{TRYING}")):
            yield False
            return
        own = self.path / f"{name}-{os.getpid()}{TRYING}"
        file = -1
        with contextlib.suppress(OSError):  # of a full disk
            file = os.open(own, os.O_CREAT | os.O_RDWR)
            _locked(file)
        try:
            yield True
        finally:
            if file >= 0:
                own.unlink(missing_ok=True)
                os.close(file)

    def remove(self) -> None:
        """Delete the folder."""
        self.release()
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):  # which others may use
            self.path.parent.rmdir()

    def release(self) -> None:
        """Leave the folder as that of a process that is gone."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def left(self) -> bool:
        """Return whether the process that made the folder is gone."""
        return _unlocked(self.path / LOCK)


def sweep(root: Path) -> None:
    """Delete in `root` what runs left whose process is gone."""
    for path in root.glob(f"{PREFIX}*"):
        folder = RunFolder(path)
        if folder.left():
            folder.remove()


def _unlocked(path: Path) -> bool:
    """Return whether there is such a file, and no process holds a lock on it."""
    try:
        lock = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return _locked(lock)
    finally:
        os.close(lock)


def _locked(file: int) -> bool:
    """Lock an open file as long as this process lives; returns False if another one holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            # unlike flock, such a lock is not shared with children
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
