"""Verifying one faulty LSTM in a process of its own, which may die or hang."""

from __future__ import annotations

import json
import multiprocessing
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from conformance import PROFILES, REQUIREMENTS, Budget, Crashed, TimedOut, Verdict, check
from conformance.torch_modules import torch_devices
from conformance.verdict import Failed, Passed, from_json

from .zoo import FAMILIES, Fault, implementation

ROOT = Path(__file__).resolve().parents[2]
CUDA = frozenset(
    name for name, each in REQUIREMENTS.items() if "cuda:0" in (each.cases.get("devices") or ())
)
"""Requirements that need a CUDA device."""
QUICK = PROFILES["quick"]
FEW = 5
"""Cases for each requirement that a fault does not name."""
LATE = "not caught in the quick profile"


def caught(verdict: Verdict | None) -> bool:
    return isinstance(verdict, (Failed, Crashed, TimedOut))


def undecidable(fault: Fault) -> bool:
    """Whether the requirement it names needs a device that is not present."""
    return fault.caught_by in CUDA and len(torch_devices()) == 1


def device(requirement: str) -> str:
    return "cuda:0" if requirement in CUDA else "cpu"


def verify(
    fault: Fault, requirement: str, seed: int, shrink_seconds: float = 0.0, cases: int = QUICK
) -> Verdict:
    """One requirement in this process, without warnings.

    It has the thorough profile's number of cases if it is decided there only.
    """
    if REQUIREMENTS[requirement].costly:
        cases = PROFILES["thorough"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return check(
            REQUIREMENTS[requirement],
            implementation(fault),
            device(requirement),
            Budget(cases, seed, shrink_seconds),
        )


def by_command(fault: Fault, seed: int, seconds: float = 10.0) -> Verdict:
    """What ``lstm-conformance verify`` reports on the requirement that `fault` names."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = {
            "--requirement": fault.caught_by,
            "--profile": "quick",
            "--device": "cpu",
            "--timeout": seconds,
            "--seed": seed,
            "--workers": 1,
            "--json": report,
            "--reproductions": Path(folder) / "reproductions",
        }
        code = "import sys; from conformance.command import main; sys.exit(main())"
        command = [sys.executable, "-c", code, "verify", f"{fault.__module__}:{fault.__name__}"]
        command += [f"{name}={value}" for name, value in options.items()]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{fault.__name__}: {done.stderr}")
        (verdict,) = json.loads(report.read_text())["verdicts"]
    return from_json(verdict)


@dataclass
class Examined:
    """What became of one faulty LSTM: a verdict for each requirement tried.

    `seconds` is how long the requirement that it names took, and `late` whether its quick
    profile let the fault through and the default one did not.
    """

    fault: Fault
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    seconds: float = 0.0
    late: bool = False

    @property
    def named(self) -> Verdict | None:
        return self.verdicts.get(self.fault.caught_by)

    @property
    def catchers(self) -> list[str]:
        return [name for name in REQUIREMENTS if caught(self.verdicts.get(name))]


def examine(
    faults: Sequence[Fault],
    seed: int,
    workers: int = 2,
    named_only: bool = False,
    patience: float = 60.0,
) -> Iterator[Examined]:
    """Verify each fault against all requirements, the one that it names first.

    That one has the quick profile, and if that finds nothing the default one; it shrinks what it
    finds for two seconds. The others (none with `named_only`) have :data:`FEW` cases. One that
    takes longer than `patience` seconds is given up. The family that crashes goes through the
    command line, with the requirement that each names alone.
    """
    waiting = [each for each in faults if not undecidable(each)]
    running: list[Job] = []
    while waiting or running:
        while waiting and len(running) < workers:
            running.append(Job(waiting.pop(0), seed, named_only, patience))
        ready = wait([job.receiving for job in running], timeout=0.2)
        for job in list(running):
            job.listen(job.receiving in ready)
            if job.done:
                running.remove(job)
                yield job.examined


class BrokeTheSuite(Verdict):
    """The suite itself raised: neither caught nor passed."""

    outcome, conformant = "broke the suite", False


class Job:
    """A faulty LSTM being verified in a child process, which is replaced when it ends early."""

    def __init__(self, fault: Fault, seed: int, named_only: bool, patience: float) -> None:
        self.examined = Examined(fault)
        self.seed, self.patience = seed, patience
        self.alone = fault in FAMILIES["crashes"]
        others = [name for name, each in REQUIREMENTS.items() if not each.costly]
        others = [] if named_only or self.alone else others
        self.left = list(dict.fromkeys([fault.caught_by, *others]))
        self.done = False
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("fork")
        self.receiving, sending = context.Pipe(duplex=False)
        target = _report_command if self.alone else _report
        arguments = (sending, self.examined.fault, tuple(self.left), self.seed)
        self.process = context.Process(target=target, args=arguments, daemon=True)
        self.process.start()
        sending.close()
        self.since = time.perf_counter()

    def listen(self, ready: bool) -> None:
        """Take in a verdict, or the child's end."""
        spent = time.perf_counter() - self.since
        limit = 10 * self.patience if self.alone or self._costly() else self.patience
        if ready:
            try:
                self._note(self.receiving.recv())
            except EOFError:
                self.process.join()
                self._lost(Crashed, f"process died ({self.process.exitcode})", spent)
        elif spent > limit:
            self.process.kill()
            self.process.join()
            self._lost(TimedOut, f"no answer in {limit:.0f} s", spent)

    def _costly(self) -> bool:
        return bool(self.left) and REQUIREMENTS[self.left[0]].costly

    def _note(self, verdict: Verdict) -> None:
        now = time.perf_counter()
        self.examined.verdicts[verdict.requirement] = verdict
        if verdict.requirement == self.examined.fault.caught_by:
            self.examined.seconds = verdict.seconds
            self.examined.late = verdict.reason == LATE
        self.since = now
        self.left.remove(verdict.requirement)
        if not self.left:
            self.process.join()
            self.done = True

    def _lost(self, kind: type[Verdict], reason: str, seconds: float) -> None:
        name = self.examined.fault.__name__
        self._note(kind(self.left[0], name, "cpu", 0, None, seconds, reason))
        if not self.done:
            self._start()


def or_broken(decide: Callable[..., Verdict], fault: Fault, name: str, *rest: Any) -> Verdict:
    """A verdict, :class:`BrokeTheSuite` where this suite raises."""
    try:
        return decide(fault, name, *rest)
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        return BrokeTheSuite(name, fault.__name__, "cpu", reason=told)


def _report(sending: Connection, fault: Fault, requirements: Iterable[str], seed: int) -> None:
    for requirement in requirements:
        if requirement == fault.caught_by:
            verdict = or_broken(verify, fault, requirement, seed, 2.0)
            if isinstance(verdict, Passed):
                verdict = verify(fault, requirement, seed, 2.0, PROFILES["default"])
                verdict = replace(verdict, reason=LATE)
        else:
            verdict = or_broken(verify, fault, requirement, seed, 0.0, FEW)
        sending.send(verdict)


def _report_command(
    sending: Connection, fault: Fault, requirements: Iterable[str], seed: int
) -> None:
    (requirement,) = requirements
    sending.send(or_broken(lambda *_: by_command(fault, seed), fault, requirement))


def size(verdict: Verdict) -> tuple[int, int] | None:
    """Of the counterexample: numbers that are not zero, and the largest of all sizes.

    The rows of weights and biases count as hidden units, of which each has four.
    """
    if verdict.counterexample is None:
        return None
    tensors = verdict.counterexample.tensors
    sizes = [
        size // (4 if axis == 0 and re.match("weight_[ih]h|bias", name) else 1)
        for name, tensor in tensors.items()
        for axis, size in enumerate(_shape(tensor))
    ]
    return sum(map(_nonzero, tensors.values())), max(sizes, default=0)


def _nonzero(tensor: Any) -> int:
    return sum(map(_nonzero, tensor)) if isinstance(tensor, list) else int(tensor != 0)


def _shape(tensor: Any) -> tuple[int, ...]:
    if not isinstance(tensor, list):
        return ()
    return len(tensor), *(_shape(tensor[0]) if tensor else ())
