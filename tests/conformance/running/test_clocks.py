"""A limit is kept whatever is done to a clock, and to the functions that read clocks."""

import faulthandler
import math
import signal
import sys
import time
from typing import Any

import pytest

from conformance import Case, Result, TimedOut
from conformance.implementations.failures import NoAnswer
from conformance.running import limits
from conformance.running.alarm import Alarm
from conformance.running.child import Apart, Ended
from conformance.running.journal import Doing, boot
from tests.support.cases import RoundedReference
from tests.support.forks import task
from tests.support.options import config

needs_alarms = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no alarm")

CLOCKS = ("time", "monotonic", "perf_counter", "process_time")


def jump(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Set the clock of the day."""
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + seconds)


def stop_clocks() -> None:
    for name in CLOCKS:
        setattr(time, name, lambda: 0.0)


def for_ever() -> None:
    while True:
        time.sleep(0.001)


@needs_alarms
@pytest.mark.parametrize("seconds", [-1e6, 1e6])
@pytest.mark.parametrize(("call", "whole"), [(0.2, math.inf), (None, 0.2)])
def test_clock_that_is_set_changes_no_limit(
    call: float | None, whole: float, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is code late at once, nor is it never."""
    began = time.monotonic()
    alarm = Alarm(call, whole)
    jump(monkeypatch, seconds)
    with pytest.raises(NoAnswer, match=r"within 0\.2 s$"), alarm:
        for_ever()
    assert time.monotonic() - began >= 0.19


def test_clock_that_is_set_ends_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of an hour takes an hour."""
    asked = config(lstm_time_limit=3600.0, lstm_timeout=60.0)
    asked.option.lstm_deadline = time.monotonic() + 3600
    jump(monkeypatch, 1e6)
    assert not limits.is_over(asked)
    assert limits.allowed(asked, time.monotonic()) == 60
    assert Doing().seconds() < 60


@needs_alarms
def test_implementation_that_stops_the_clocks_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """So is one that exchanges what sets alarms."""
    for name in CLOCKS:
        monkeypatch.setattr(time, name, getattr(time, name))
    monkeypatch.setattr(signal, "setitimer", signal.setitimer)
    monkeypatch.setattr(signal, "signal", signal.signal)
    signal.setitimer = signal.signal = lambda *_: None  # type: ignore[assignment]
    stop_clocks()
    with pytest.raises(NoAnswer, match=r"within 0\.2 s$"), Alarm(0.2):
        for_ever()


@pytest.mark.skipif(sys.platform != "linux", reason="a fork is safe on Linux only")
def test_process_ends_though_its_timer_was_exchanged() -> None:
    """The one in C."""

    def answers() -> Any:
        faulthandler.dump_traceback_later = lambda *_, **__: None
        with limits.last_resort(0.1):
            for_ever()
        yield "it goes on"

    with Apart(answers, forked=True) as process, pytest.raises(Ended, match=r"status 1$"):
        process.answer(60)


class StopsTheClocks(RoundedReference):
    """Stops all clocks, and goes on for ever."""

    def run(self, case: Case) -> Result:
        if case.configuration.num_layers == 2:
            stop_clocks()
            for_ever()
        return super().run(case)


@pytest.mark.skipif(sys.platform != "linux", reason="a fork is safe on Linux only")
def test_requirement_ends_though_clocks_stopped(tmp_path: Any) -> None:
    """With a verdict that names the case."""
    verdict = task(StopsTheClocks(), tmp_path).apart(3.0)
    assert isinstance(verdict, TimedOut)
    assert verdict.counterexample is not None
    assert "num_layers=2" in verdict.counterexample.case


@pytest.mark.parametrize("elsewhere", [True, False])
def test_journal_of_another_machine_goes_by_the_date(elsewhere: bool) -> None:
    """Its other clock began when it was started."""
    there = "another machine" if elsewhere else boot()
    doing = Doing(started=time.monotonic() - 100, date=time.time() - 50, boot=there)
    assert doing.seconds() == pytest.approx(50 if elsewhere else 100, abs=20)
    later = Doing(started=time.monotonic() + 1e6, date=time.time() + 1e6, boot=there)
    assert later.seconds() == 0


def test_ends_of_a_run_travel_as_seconds_from_now() -> None:
    """The clock of another machine began at another time."""
    options: dict[str, Any] = {"lstm_deadline": 1000.0, "lstm_budget_end": None, "other": 1}
    limits.by_other_clock(options, -990.0)
    assert options == {"lstm_deadline": 10.0, "lstm_budget_end": None, "other": 1}
    limits.by_other_clock(options, 7.0)
    assert options["lstm_deadline"] == 17
