"""A limit is one of the time that the machine gave; what it did not give is nobody's fault."""

import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conformance import Budget, Failed, Mismatch, Requirement, Undecided, check
from conformance.checking.finding import Finding
from conformance.cli import replay as replaying
from conformance.cli.command import main
from conformance.errors import BROKEN
from conformance.implementations import starved
from conformance.implementations.failures import NoAnswer, Starved
from conformance.implementations.programs.process import Process, Silence
from conformance.implementations.starved import PATIENCE, Given, kept_waiting
from conformance.judgement.apart import Named, judge_apart
from conformance.judgement.verdict import NoResult
from conformance.recording.tape import Tape
from conformance.running import alarm, child, limits, watchdog
from conformance.running.alarm import Alarm
from conformance.running.child import Apart, Late
from conformance.running.journal import Doing
from conformance.running.watchdog import Worker
from reference import Case, Configuration, Precision
from tests.support.cases import RoundedReference, random_case
from tests.support.forks import in_two_layers, negates, task


def waiting(share: float) -> Callable[..., float]:
    """As on a machine that has no processor for this `share` of the time."""
    began = time.monotonic()
    return lambda *_: share * (time.monotonic() - began)


def for_ever() -> None:
    while True:
        time.sleep(0.001)


@pytest.mark.parametrize("seconds", [{"call": None, "whole": 0.2}, {"call": 0.2}])
def test_time_that_was_not_given_is_not_counted(
    seconds: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes on for ever is late all the same, when it had its time."""
    monkeypatch.setattr(alarm, "kept_waiting", waiting(0.5))
    began = time.monotonic()
    with pytest.raises(NoAnswer, match=r"within 0\.2 s$") as raised, Alarm(**seconds, patient=True):
        for_ever()
    assert type(raised.value) is NoAnswer
    assert time.monotonic() - began >= 0.39


@pytest.mark.parametrize("seconds", [{"call": None, "whole": 0.1}, {"call": 0.1}])
def test_nobody_waits_for_ever_for_a_processor(
    seconds: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nothing is decided."""
    monkeypatch.setattr(alarm, "kept_waiting", waiting(0.95))
    told = r"^the machine gave this process [\d.e-]+ of [\d.]+ s$"
    began = time.monotonic()
    with pytest.raises(Starved, match=told), Alarm(**seconds, patient=True):
        for_ever()
    assert time.monotonic() - began >= 0.1 * PATIENCE - 0.01


@pytest.mark.parametrize("patient", [True, False])
def test_what_waits_for_no_processor_is_late(
    patient: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that hangs; and without a watchdog nobody is patient."""
    monkeypatch.setattr(alarm, "kept_waiting", float if patient else waiting(0.9))
    began = time.monotonic()
    limited = Alarm(None, 0.1, began, patient=patient)
    with pytest.raises(NoAnswer, match=r"within 0\.1 s$") as raised, limited:
        for_ever()
    assert type(raised.value) is NoAnswer


def test_requirement_without_time_is_undecided() -> None:
    """With the case, and with what it got of the time."""
    failure = Starved("the machine gave this process 1 of 9 s")
    found = Finding(None, random_case(Configuration(2, 3)), failure, Tape())
    verdict = found.verdict("it_holds", "mine", "cpu")
    assert isinstance(verdict, Undecided)
    assert verdict.reason == "the machine gave this process 1 of 9 s"
    assert verdict.counterexample is not None


def test_failure_is_not_lost_where_a_smaller_case_has_no_time() -> None:
    """The smallest case that says something stays."""
    seen: list[Case] = []

    def body(_: object, case: Case) -> None:
        seen.append(case)
        raise (
            Mismatch("it", "", "1", "0") if len(seen) == 1 else Starved("the machine gave 1 of 9 s")
        )

    claim = Requirement("it_holds", "It holds.", "nobody", "core", body)
    verdict = check(claim, RoundedReference(), budget=Budget(20, 1, shrink_seconds=1.0))
    assert isinstance(verdict, Failed)
    assert len(seen) > 1


def test_watchdog_counts_what_a_worker_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of the time that passed does not count, be it all of it."""
    waited = {7: 0.0}
    monkeypatch.setattr(watchdog, "kept_waiting", waited.__getitem__)
    worker, doing = Worker(SimpleNamespace()), Doing(process=7)
    assert worker.given(0.5, doing) == 0.5
    waited[7] = 0.25
    assert worker.given(0.5, doing) == 0.25
    waited[7] = 9.0
    assert worker.given(0.5, doing) == 0.0
    assert worker.given(0.5, doing) == 0.5


def test_only_watched_workers_have_patience() -> None:
    """Others are ended by themselves alone."""
    options = {"lstm_timeout": 10.0, "lstm_deadline": None}
    config = SimpleNamespace(getoption=options.get)
    assert limits.ended(config, time.monotonic()) == 10 + limits.LEFT  # type: ignore[arg-type]
    config.workerinput = {limits.WATCHED: True}
    assert limits.ended(config, time.monotonic()) == 10 * PATIENCE + limits.LEFT  # type: ignore[arg-type]


@pytest.mark.parametrize(("share", "looks"), [(0.0, 1), (0.5, 2), (0.95, 5)])
def test_limit_grows_with_the_time_that_was_not_given(
    share: float, looks: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until nobody waits any longer, which is no fault of what is limited."""
    now = [100.0]
    monkeypatch.setattr(starved, "monotonic", lambda: now[0])
    monkeypatch.setattr(starved, "kept_waiting", lambda _: share * (now[0] - 100))
    given = Given(10.0, lambda: 7)
    left = [given.left]
    while left[-1] > 1e-6:
        now[0] += left[-1]
        left.append(given.left)
    now[0] += 1e-4
    assert given.left == 0
    assert sum(left) == pytest.approx(10 * looks)
    assert given.starved == ("the machine gave this process 2.5 of 50 s" if share > 0.9 else "")


def test_process_that_is_not_there_has_waited_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it waits for once it is there counts."""
    number = [0]
    monkeypatch.setattr(starved, "kept_waiting", lambda number: 1000.0 * (number == 7))
    given = Given(0.0, lambda: number[0])
    assert (given.left, given.starved) == (0, "")
    number[0] = 7
    assert given.starved


def sleeps() -> Iterator[int]:
    time.sleep(100)
    yield 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
@pytest.mark.parametrize("waited", [0.0, 1e6])
def test_separate_process_has_the_time_that_it_was_given(
    waited: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five times its limit at most, and then it was not too slow."""
    asked: set[int] = set()

    def kept(number: int) -> float:
        asked.add(number)
        return waited * len(asked) * (time.monotonic() - began)

    began = time.monotonic()
    monkeypatch.setattr(starved, "kept_waiting", kept)
    with Apart(sleeps, forked=True) as process, pytest.raises(Late) as raised:
        process.answer(0.3)
    kind, text = (child.Starved, "the machine gave") if waited else (Late, "no answer within")
    assert type(raised.value) is kind
    assert str(raised.value).startswith(text)
    assert time.monotonic() - began >= 0.3 * (PATIENCE if waited else 1)
    assert os.getpid() not in asked


def starving(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that has no processor for any other process."""
    monkeypatch.setattr(Apart, "answer", lambda *_: (_ for _ in ()).throw(child.Starved("busy")))


@pytest.mark.skipif(sys.platform != "linux", reason="a fork is safe on Linux only")
def test_fork_without_time_is_undecided(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The test of somebody's own suite says why."""
    starving(monkeypatch)
    verdict = task(RoundedReference(), tmp_path).apart(600)
    assert isinstance(verdict, Undecided)
    assert verdict.reason == "busy"


class Stalled:
    """A separate process that gives its first answer, and is given no time after that."""

    def __init__(self, first: object) -> None:
        self.answers = iter([first])

    def __enter__(self) -> "Stalled":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def answer(self, _: float) -> Any:
        for answer in self.answers:
            return answer
        raise child.Starved("busy")


def test_replay_without_time_is_undecided(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The case may well fail or hold."""
    made = task(in_two_layers(negates), tmp_path).here()
    monkeypatch.setattr(replaying, "Apart", lambda *_, **__: Stalled([]))
    folder = tmp_path / made.reproduction
    verdict = replaying.replay(folder, "torch.nn.LSTM")
    assert isinstance(verdict, Undecided)
    assert verdict.reason == "busy"
    assert main(["replay", str(folder), "--as", "torch.nn.LSTM"]) == BROKEN


def test_judgement_without_time_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no result, and nothing is wrong."""
    first = (["cpu"], Precision(), ("output",))
    monkeypatch.setattr(Named, "apart", lambda *_: Stalled(first))
    cases = [random_case(Configuration(2, 3))]
    (answer,) = judge_apart(Named("mine"), cases, "", Path(), lambda _: None)
    assert isinstance(answer.verdict, NoResult)
    assert (answer.verdict.reason, answer.verdict.failed) == ("busy", False)
    assert answer.verdict.undecided
    assert not answer.verdict.conformant


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_kept_process_is_the_one_that_computes() -> None:
    """Not the keeper, which waits for it."""

    def answers() -> Iterator[int]:
        yield os.getpid()
        time.sleep(100)

    with Apart(answers, forked=True) as process:
        computes = process.answer(60)
        assert process._number() == computes != process._process.pid


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_program_without_time_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    """And one with time is late."""
    script = "import time; print('{}', flush=True); time.sleep(100)"
    program = Process([sys.executable, "-c", script])
    assert program.ask(b"", 60, 100) == b"{}\n"
    with pytest.raises(Silence, match=r"within 0\.1 s") as raised:
        program.ask(b"", 0.1, 100)
    assert raised.value.failure is NoAnswer
    monkeypatch.setattr(starved, "kept_waiting", waiting(0.99))
    with pytest.raises(Silence, match="the machine gave this process") as raised:
        program.ask(b"", 0.1, 100)
    assert raised.value.failure is Starved
    program.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_kept_waiting_is_of_a_process() -> None:
    """It grows, and is 0 for a process that is not there."""
    first = kept_waiting()
    assert 0 <= first <= kept_waiting(os.getpid()) < math.inf
    assert kept_waiting("none") == 0
