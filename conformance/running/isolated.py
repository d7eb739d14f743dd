"""A requirement decided for a test of somebody's own suite, at best in a separate process.

The process is a fork, so that whatever the test has made can be verified. It may die or hang: the
verdict is then made from its journal.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any

from conformance.checking.budget import MEMORY, Budget
from conformance.checking.engine import inapplicable
from conformance.checking.expectations.applying import Expected
from conformance.checking.finding import Finding
from conformance.checking.requirement import Requirement
from conformance.checking.verdict import Crashed, TimedOut, Undecided, Verdict
from conformance.implementations import failures
from conformance.implementations.failures import Died, Failure, Misbehaviour, NoAnswer
from conformance.implementations.implementation import Implementation
from conformance.reproductions.directory import remove, write
from conformance.reproductions.record import Subject
from conformance.running import channel, limits
from conformance.running.alarm import Alarm
from conformance.running.child import Apart, Ended, Late, Starved
from conformance.running.deciding import check
from conformance.running.journal import Doing, Entry, Journal, read
from conformance.running.unfinished import unfinished
from reference import Case

THREADED = ("jax", "mlx", "paddle", "tensorflow")
"""Modules with threads that a fork lacks, and waits for."""


@dataclass(frozen=True)
class Task:
    """What is decided, and where what a failure leaves is written: below `root`.

    `timeout` is the limit in seconds; without a separate process it holds for a call of the
    requirement, where it is not None. `expected` are the failures that are expected.
    """

    requirement: Requirement
    implementation: Implementation
    device: str
    budget: Budget
    strict: bool
    subject: Subject
    root: Path
    timeout: float | None
    expected: Expected = field(default_factory=Expected)

    def here(self, journal: Path | None = None) -> Verdict:
        """Decide in this process, and write each step to the `journal` before it is taken."""
        written, found = Journal(journal), list[Finding]()
        implementation, body = self.implementation, self.requirement.body

        def announce(case: Case) -> Any:
            return written.write(
                Entry(Doing(implementation=implementation.name), case, self.subject)
            )

        @functools.wraps(body)
        def in_time(*arguments: Any) -> Any:
            with Alarm(None if journal else self.timeout, patient=True):
                return body(*arguments)

        verdict = check(
            replace(self.requirement, body=in_time),
            implementation,
            self.device,
            self.budget,
            announce,
            found.append,
            self.strict,
            self.expected.of(self.requirement.name, implementation.name, self.device),
        )
        written.close()
        if verdict.complete:
            remove(self.root, verdict)
        if not found or not verdict.explained:
            return verdict
        return write(self.root, self.requirement, self.subject, verdict, found[-1])

    def _alone(self, journal: Path) -> Iterator[Verdict]:
        """Yield the verdict, in a fork."""
        channel.leave()
        yield self.here(journal)

    def apart(self, seconds: float, memory: float = MEMORY) -> Verdict:
        """Decide in a fork, with these limits of time and memory, what applies at all."""
        with contextlib.suppress(Failure):  # which is a verdict of the fork
            if inapplicable(self.requirement, self.implementation, self.device, self.budget):
                return self.here()
        with tempfile.TemporaryDirectory(prefix="lstm-conformance-") as folder:
            journal, started = Path(folder) / "process", monotonic()
            with Apart(self._alone, journal, memory=memory, forked=True) as process:
                try:
                    verdict = process.answer(seconds)
                    if isinstance(verdict, Verdict):
                        return verdict
                    kind: type[Verdict] = Crashed
                    what = "the process wrote something that is not a verdict"
                except Starved as starved:
                    kind, what = Undecided, str(starved)
                except Late:
                    kind, what = TimedOut, limits.overdue(seconds)
                except Ended as ended:
                    kind, what = Crashed, str(ended)
            entry, took = read(journal), monotonic() - started
        if entry is not None and entry.case is not None:
            how: Misbehaviour = Died(f"{what} in this case")
            if kind is not Crashed:
                how = NoAnswer(what) if kind is TimedOut else failures.Starved(what)
            return unfinished(entry, how, self.root, took, self.expected)
        here = self.requirement.name, self.implementation.name, self.device
        return kind(*here, seconds=took, reason=what)


def impossible(implementation: Implementation) -> str:
    """Return why a fork cannot decide, empty if it can."""
    if any(device.startswith("cuda") for device in implementation.supports.devices):
        return "a fork cannot use CUDA"
    if implementation.supports.own_process:
        return "it runs in a separate process"
    return unsafe()


def unsafe() -> str:
    """Return why a fork of this process cannot compute, empty if it can."""
    if sys.platform != "linux":
        return "a fork is safe on Linux only"
    threaded = [name for name in THREADED if name in sys.modules]
    return f"{threaded[0]} is imported, and has threads" if threaded else ""
