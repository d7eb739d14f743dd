"""Watches the workers from the process that reports, and ends one that does not go on.

A worker limits its own time, see :mod:`conformance.running.limits`. That does not help where the
worker is stopped, where C code holds the interpreter and its timer is gone, or where what the
worker sends cannot be read any more.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from dataclasses import dataclass
from typing import Any

from conformance.implementations.starved import kept_waiting
from conformance.running import limits
from conformance.running.folder import RunFolder
from conformance.running.journal import Doing, doing, written
from conformance.running.patience import Patience

MARGIN = 5.0
"""The seconds that a worker has to end by itself after its time is up."""
BETWEEN = 30.0
"""The seconds that a worker has to begin the next requirement."""
TICK = 0.5
"""The seconds between two looks at the workers."""


@dataclass
class Worker:
    """A worker: `node` of pytest-xdist, and what the watchdog saw of it.

    - `now`, `steps`: what the worker did at the last look, and how much its journal said of it
    - `waited`, `in_step`: for how many seconds it has done that, and has been in the same step
    - `late`: why the watchdog ended it, else empty
    - `starved`: for how many seconds it had waited for a processor at the last look
    - `ending`: for how many seconds it has been asked to end, or has been gone
    """

    node: Any
    now: Doing | None = None
    steps: int = 0
    waited: float = 0.0
    in_step: float = 0.0
    late: str = ""
    starved: float = 0.0
    ending: float = 0.0

    @property
    def process(self) -> Any:
        """The process on this machine, the keeper of the worker; None for one elsewhere."""
        return getattr(getattr(self.node.gateway, "_io", None), "popen", None)

    def given(self, passed: float, now: Doing | None) -> float:
        """Return for how much of the time that `passed` the machine had a processor for it."""
        before, self.starved = self.starved, 0.0 if now is None else kept_waiting(now.process)
        return max(passed - max(self.starved - before, 0.0), 0.0)

    def stop(self) -> None:
        """Ask the process to end, if it has not; one that is stopped as well."""
        for name in ("SIGCONT", "SIGTERM"):
            if self.process.poll() is None and hasattr(signal, name):
                self.send(getattr(signal, name))

    def send(self, number: int) -> None:
        """Send a signal to the process."""
        with contextlib.suppress(OSError):
            self.process.send_signal(number)


class Watchdog:
    """Ends workers that have no verdict in time; `scheduler` is that of pytest-xdist."""

    def __init__(self, folder: RunFolder, patience: Patience) -> None:
        self.folder, self.patience = folder, patience
        self.scheduler: Any = None
        self._workers: dict[str, Worker] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def add(self, node: Any) -> None:
        """Watch a worker that has been started."""
        worker = Worker(node)
        if worker.process is not None:
            self._workers[node.gateway.id] = worker
        if not self._thread.is_alive() and not self._over.is_set():
            self._thread.start()

    def late(self, name: str) -> str:
        """Return why the worker of this name was ended, empty if it was not."""
        return self._workers[name].late if name in self._workers else ""

    def forget(self, name: str) -> None:
        """End what is left of a worker that has ended its work or is lost."""
        if name in self._workers:
            self._workers[name].stop()

    def stop(self) -> None:
        """Watch no more."""
        self._over.set()

    def end_all(self) -> None:
        """End every worker, when the run is interrupted."""
        self.stop()
        for worker in list(self._workers.values()):
            worker.stop()

    def _watch(self) -> None:
        before = time.monotonic()
        while not self._over.wait(TICK):
            now = time.monotonic()
            # not all of a long pause counts: this process was stopped meanwhile, or starved
            passed, before = min(now - before, 2 * TICK), now
            for name, worker in list(self._workers.items()):
                path = self.folder.path / name
                what = doing(path)
                self._look(worker, what, written(path), worker.given(passed, what))

    def _look(self, worker: Worker, now: Doing | None, steps: int, passed: float) -> None:
        if worker.late or worker.process.poll() is not None:
            self._see_to_the_end(worker, passed)
            return
        before, worker.now = worker.now, now
        if now is None:
            return
        same = before is not None and (before.doing, before.started) == (now.doing, now.started)
        worker.waited = worker.waited + passed if same else 0.0
        same &= before is not None and before.case_started == now.case_started != 0
        same &= worker.steps == steps
        worker.in_step = worker.in_step + passed if same else 0.0
        worker.steps = steps
        if not now.doing:
            limit, what = (BETWEEN, "the process did not go on") if self._owes(worker) else (0, "")
        else:
            limit, what = now.limit, limits.overdue(now.limit)
        short = self.patience.limits.get(now.implementation, 0.0)
        if what and worker.waited > limit + MARGIN:
            worker.late = what
        elif short and worker.in_step > short + MARGIN:
            worker.late = limits.overdue(short, "answer")
        if worker.late:
            worker.stop()

    def _owes(self, worker: Worker) -> bool:
        """Return whether a worker between two requirements has been given another one."""
        pending: Any = getattr(self.scheduler, "node2pending", {})
        return worker.node.shutting_down or len(pending.get(worker.node, ())) > 1

    def _see_to_the_end(self, worker: Worker, passed: float) -> None:
        """Report the end of a worker that is held up by whoever holds its pipes."""
        worker.ending += passed
        if worker.ending <= 2 * MARGIN:
            return
        worker.send(signal.SIGKILL)
        if not worker.node._down:
            worker.node._down = True
            worker.node.notify_inproc("errordown", node=worker.node, error="it does not end")
        del self._workers[worker.node.gateway.id]
