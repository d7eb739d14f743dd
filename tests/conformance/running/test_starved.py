"""A limit is one of the time that the machine gave; what it did not give is nobody's fault."""

import math
import os
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from conformance import Budget, Failed, Mismatch, Requirement, Undecided, check
from conformance.checking.finding import Finding
from conformance.implementations.failures import NoAnswer, Starved
from conformance.recording.tape import Tape
from conformance.running import limits, watchdog
from conformance.running.journal import Doing
from conformance.running.limits import Alarm
from conformance.running.starved import PATIENCE, kept_waiting
from conformance.running.watchdog import Worker
from reference import Case, Configuration
from tests.support.cases import RoundedReference, random_case


def waiting(share: float) -> Callable[[], float]:
    """As on a machine that has no processor for this `share` of the time."""
    began = time.time()
    return lambda: share * (time.time() - began)


def for_ever() -> None:
    while True:
        time.sleep(0.001)


@pytest.mark.parametrize("seconds", [{"call": None, "whole": 0.2}, {"call": 0.2}])
def test_time_that_was_not_given_is_not_counted(
    seconds: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes on for ever is late all the same, when it had its time."""
    monkeypatch.setattr(limits, "kept_waiting", waiting(0.5))
    began = time.time()
    with pytest.raises(NoAnswer, match=r"within 0\.2 s$") as raised, Alarm(**seconds, patient=True):
        for_ever()
    assert type(raised.value) is NoAnswer
    assert time.time() - began >= 0.39


@pytest.mark.parametrize("seconds", [{"call": None, "whole": 0.1}, {"call": 0.1}])
def test_nobody_waits_for_ever_for_a_processor(
    seconds: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nothing is decided."""
    monkeypatch.setattr(limits, "kept_waiting", waiting(0.95))
    told = r"^the machine gave this process [\d.e-]+ of [\d.]+ s$"
    began = time.time()
    with pytest.raises(Starved, match=told), Alarm(**seconds, patient=True):
        for_ever()
    assert time.time() - began >= 0.1 * PATIENCE - 0.01


@pytest.mark.parametrize("patient", [True, False])
def test_what_waits_for_no_processor_is_late(
    patient: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that hangs; and without a watchdog nobody is patient."""
    monkeypatch.setattr(limits, "kept_waiting", float if patient else waiting(0.9))
    began = time.time()
    alarm = Alarm(None, 0.1, began, patient=patient)
    with pytest.raises(NoAnswer, match=r"within 0\.1 s$") as raised, alarm:
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
    assert limits.ended(config, time.time()) == 10 + limits.LEFT  # type: ignore[arg-type]
    config.workerinput = {limits.WATCHED: True}
    assert limits.ended(config, time.time()) == 10 * PATIENCE + limits.LEFT  # type: ignore[arg-type]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_kept_waiting_is_of_a_process() -> None:
    """It grows, and is 0 for a process that is not there."""
    first = kept_waiting()
    assert 0 <= first <= kept_waiting(os.getpid()) < math.inf
    assert kept_waiting("none") == 0
