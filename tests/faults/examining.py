"""What every requirement says of an LSTM, decided in child processes, which may die or hang."""

from __future__ import annotations

import functools
import importlib
import multiprocessing
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait

from conformance import REQUIREMENTS, Budget, Crashed, TimedOut, Verdict, check, load
from conformance.checking.expectations.applying import applied
from conformance.checking.expectations.expectation import Role
from conformance.checking.expectations.reading import known_faults
from conformance.checking.verdict import ExpectedFailure
from conformance.implementations.failures import Died
from conformance.implementations.pytorch.probing import adapt
from conformance.requirements import real_sizes, repeated

from .drawing import drawn, replay
from .plain import PlainLSTM, PlainLSTMCell
from .verifying import QUICK, by_command, cases, caught, device, verify
from .zoo import FAMILIES, Fault, implementation

FEW = QUICK // 10
"""Cases for each requirement that a fault does not name."""
DEAR = [
    name
    for name, each in REQUIREMENTS.items()
    if each.costly
    or each.body.__module__ in (real_sizes.__name__, repeated.__name__)
    or name
    in (
        "calls_are_independent",
        "changed_weights_take_effect",
        "dropout_rate_is_p",
        "gradients_of_larger_batches_are_right",
        "large_networks_drop_everywhere",
        "layout_of_cotangents_does_not_matter",
        "results_are_rounded_to_nearest",
        "gradients_of_wide_layers_are_right",
        "gradients_of_long_sequences_are_right",
        "gradients_of_wide_layers_have_full_precision",
    )
]
"""Requirements that only the faults which name them are tried on."""
PATIENCE = 120.0
"""Seconds for one requirement, on a machine that may be busy; ten times that for a costly one."""
SHORT_PATIENCE = 10.0
"""Seconds for each further requirement, which takes less than one on a right LSTM."""
HANGS = 2
"""So often a fault may hang until it is not tried on further requirements."""
RIGHT = {
    "PlainLSTM": lambda: adapt(PlainLSTM, "PlainLSTM"),
    "PlainLSTMCell": lambda: adapt(PlainLSTMCell, "PlainLSTMCell"),
    "torch.nn.LSTM": lambda: load("torch.nn.LSTM"),
    "torch.nn.LSTMCell": lambda: load("torch.nn.LSTMCell"),
}
"""The LSTMs that must pass."""


@dataclass
class Examined:
    """What became of one LSTM: a verdict for each requirement tried.

    `named` is the requirement that must catch it, "" for a right LSTM; `red` is how many seconds
    after its start that one first failed.
    """

    name: str
    named: str = ""
    fault: Fault | None = None
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    red: float | None = None

    @property
    def verdict(self) -> Verdict | None:
        """That of the requirement that must catch it."""
        return self.verdicts.get(self.named)

    @property
    def catchers(self) -> list[str]:
        return [name for name in REQUIREMENTS if caught(self.verdicts.get(name))]


class BrokeTheSuite(Verdict):
    """The suite itself raised: neither caught nor passed."""

    outcome, conformant = "broke the suite", False


Found = tuple[Verdict, "float | None"]


class Job:
    """An LSTM being examined in a child process, which is replaced when it ends early.

    `decide` gives the verdict of one requirement and the seconds to its first failure.
    """

    def __init__(
        self, examined: Examined, requirements: Sequence[str], decide: Callable[[str], Found]
    ) -> None:
        self.examined = examined
        self.left = list(requirements)
        self.decide = decide
        self.hangs = 0

    @property
    def done(self) -> bool:
        return not self.left

    def start(self) -> None:
        context = multiprocessing.get_context("fork")
        self.receiving, sending = context.Pipe(duplex=False)
        self.process = context.Process(target=self._child, args=(sending,), daemon=True)
        self.process.start()
        sending.close()
        self.since = time.perf_counter()

    def _child(self, sending: Connection) -> None:
        warnings.simplefilter("ignore")
        for requirement in self.left:
            try:
                found = self.decide(requirement)
            except Exception as error:
                told = f"{type(error).__name__}: {error}"
                broken = BrokeTheSuite(requirement, self.examined.name, "cpu", reason=told)
                found = broken, None
            sending.send(found)

    def listen(self, ready: bool) -> None:
        """Take in a verdict, or the child's end."""
        spent = time.perf_counter() - self.since
        if ready:
            try:
                self._note(*self.receiving.recv())
            except EOFError:
                self.process.join()
                self._lost(Crashed, f"process died ({self.process.exitcode})", spent)
        elif spent > self._limit():
            self.process.kill()
            self.process.join()
            self.hangs += 1
            self._lost(TimedOut, f"no answer in {self._limit():.0f} s", spent)

    def _limit(self) -> float:
        if REQUIREMENTS[self.left[0]].costly:
            return 10 * PATIENCE
        further = self.examined.named not in ("", self.left[0])
        return SHORT_PATIENCE if further else PATIENCE

    def _note(self, verdict: Verdict, red: float | None) -> None:
        self.examined.verdicts[verdict.requirement] = verdict
        if verdict.requirement == self.examined.named:
            self.examined.red = red
        self.since = time.perf_counter()
        self.left.remove(verdict.requirement)
        if self.hangs >= HANGS:
            self.left.clear()
        if self.done:
            self.process.join()

    def _lost(self, kind: type[Verdict], reason: str, seconds: float) -> None:
        here = self.left[0], self.examined.name, "cpu"
        right = RIGHT.get(self.examined.name)
        if kind is Crashed and right is not None:
            known, _ = applied(known_faults(here[0]), right(), ["cpu"])
            for each in known:
                if each.role is Role.STRICT and each.entry.kind == Died.kind:
                    kind, reason = ExpectedFailure, each.entry.reason
        self._note(kind(*here, seconds=seconds, reason=reason), seconds)
        if not self.done:
            self.start()


def fault_job(fault: Fault, seed: int, named_only: bool = False) -> Job:
    """Verify `fault`: the requirement that it names first, and what that finds is shrunk.

    One that ends its process or hangs is verified through the command line. The others try the
    first :data:`FEW` cases of the quick profile, except those in :data:`DEAR`.
    """
    name = fault.__name__
    others = [key for key in REQUIREMENTS if key not in DEAR]
    requirements = list(dict.fromkeys([fault.caught_by, *([] if named_only else others)]))

    adapted = functools.cache(lambda: implementation(fault))

    def decide(requirement: str) -> Found:
        if requirement != fault.caught_by:
            few = Budget(FEW, seed)
            place = device(requirement)
            return replay(REQUIREMENTS[requirement], adapted(), place, few), None
        if fault in FAMILIES["crashes"]:
            verdict = by_command(fault, seed)
            return verdict, verdict.seconds
        reds: list[float] = []
        verdict = verify(fault, requirement, seed, Budget.shrink_seconds, reds.append)
        return verdict, reds[0] if reds else None

    return Job(Examined(name, fault.caught_by, fault), requirements, decide)


def right_job(name: str, seed: int) -> Job:
    """Verify one of :data:`RIGHT` by every requirement, with the quick profile."""
    right = RIGHT[name]()

    def decide(requirement: str) -> Found:
        budget = Budget(cases(requirement), seed)
        return check(REQUIREMENTS[requirement], right, "cpu", budget), None

    return Job(Examined(name), list(REQUIREMENTS), decide)


def draw_all(seed: int) -> None:
    """Draw the cases that most faults are tried on, for every child process to inherit.

    It also inherits what PyTorch imports when it is first needed, for optimizers and transforms.
    """
    importlib.import_module("torch._dynamo")
    for name in ("PlainLSTM", "PlainLSTMCell"):
        right = RIGHT[name]()
        for key, requirement in REQUIREMENTS.items():
            if key not in DEAR:
                drawn(requirement, right, "cpu", Budget(FEW, seed))


def examine(jobs: Sequence[Job], workers: int = 2) -> Iterator[Examined]:
    """Do all jobs, some at a time, and give each LSTM's results as soon as they are there."""
    waiting, running = list(jobs), list[Job]()
    while waiting or running:
        while waiting and len(running) < workers:
            running.append(waiting.pop(0))
            running[-1].start()
        ready = wait([job.receiving for job in running], timeout=0.2)
        for job in list(running):
            job.listen(job.receiving in ready)
            if job.done:
                running.remove(job)
                yield job.examined
