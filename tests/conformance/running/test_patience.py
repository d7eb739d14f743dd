"""How long is waited for one case once requirements have timed out."""

import contextlib
import importlib
import signal
import threading
import time
from pathlib import Path

import pytest

from conformance import Passed
from conformance.checking import devices
from conformance.checking.verdict import TimedOut
from conformance.implementations.failures import NoAnswer
from conformance.running.alarm import Alarm
from conformance.running.patience import Calls, Patience


def late(name: str = "slow") -> TimedOut:
    return TimedOut("results_match_reference", name, "cpu")


@pytest.mark.parametrize(("took", "limit"), [(0.004, 4.0), (0.0123, 12.0), (0.0001, 2.0)])
def test_limit_follows_from_the_calls_of_the_run(took: float, limit: float) -> None:
    """After two requirements of an implementation, for that one alone, and not below 2 s."""
    patience = Patience(60.0)
    for each in (9.0, took, took):
        patience.took("slow", each)
    assert not patience.learn(late())
    assert not patience.learn(late("other"))
    assert not patience.learn(Passed("results_match_reference", "slow", "cpu"))
    assert patience.learn(late())
    assert patience.limits == {"slow": limit}
    (reason,) = patience.reasons.values()
    assert f"from then on {limit:g} s were the limit for a call, not 60 s" in reason
    assert not patience.learn(late()), "it is shortened once"


def test_limit_is_halved_after_ten_requirements() -> None:
    """Where it is the shortest there is, so that a run of many that hang ends."""
    patience = Patience(60.0)
    patience.took("slow", 0.0001)
    shortened = [count for count in range(1, 12) if patience.learn(late())]
    assert shortened == [2, 10]
    assert patience.limits == {"slow": 1.0}
    assert [reason.split()[0] for reason in patience.reasons.values()] == ["2", "10"]


def test_limit_without_any_call_is_shortened_again() -> None:
    """A tenth of a requirement's, until a call has ended."""
    patience = Patience(60.0)
    assert [patience.learn(late()) for _ in range(2)] == [False, True]
    assert patience.limits == {"slow": 6.0}
    patience.took("slow", 0.003)
    assert patience.learn(late())
    assert patience.limits == {"slow": 3.0}
    assert len(patience.reasons) == 1


def test_limit_is_never_longer_than_before() -> None:
    """An implementation whose calls are slow keeps the limit that it has."""
    patience = Patience(2.0)
    patience.took("slow", 1.0)
    assert not any(patience.learn(late()) for _ in range(3))
    assert not patience.limits


def test_calls_that_do_not_end_are_not_counted() -> None:
    """Only the time from the begin of a call to its end is."""
    calls = Calls()
    calls.end()
    calls.begin()
    calls.forget()
    calls.end()
    assert calls.took == []
    calls.begin()
    calls.end()
    assert len(calls.took) == 1


def sleep_for_ever() -> None:
    while True:
        time.sleep(0.001)


def call_for_ever(alarm: Alarm) -> None:
    while True:
        alarm.again()


def catch_once() -> None:
    with contextlib.suppress(NoAnswer):
        sleep_for_ever()
    sleep_for_ever()


def wait_for(thread: threading.Thread) -> None:
    thread.start()
    thread.join()


def test_call_without_answer_is_interrupted() -> None:
    """Python code that never returns is, and what returns in time is not."""
    before = signal.getsignal(signal.SIGALRM)
    with Alarm(None):
        assert signal.getsignal(signal.SIGALRM) is before, "it may be that of pytest-timeout"
    with Alarm(1000.0):
        pass
    assert signal.getsignal(signal.SIGALRM) is before
    with pytest.raises(NoAnswer, match=r"^no answer within 0\.05 s$"), Alarm(0.05):
        sleep_for_ever()


def test_limit_for_a_call_begins_anew_with_each() -> None:
    """Many calls may take longer than one; all of them have a limit of their own."""
    with Alarm(0.5) as alarm:
        for _ in range(8):
            time.sleep(0.1)
            alarm.again()
    with pytest.raises(NoAnswer, match=r"^no verdict within 0\.3 s$"), Alarm(9.0, 0.3) as alarm:
        call_for_ever(alarm)


def test_code_that_catches_everything_is_interrupted_again() -> None:
    """Once a second, until it lets the exception pass."""
    with pytest.raises(NoAnswer), Alarm(0.05):
        catch_once()


def test_import_is_not_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that is half imported would spoil the process; what comes after has its time."""
    (tmp_path / "slow_to_import.py").write_text("import time; time.sleep(0.5); done = True")
    monkeypatch.syspath_prepend(tmp_path)
    with Alarm(0.2):
        imported = importlib.import_module("slow_to_import")
    assert imported.done
    with pytest.raises(NoAnswer), Alarm(0.2):
        sleep_for_ever()


def test_thread_that_goes_on_costs_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would slow down whatever is verified next."""
    monkeypatch.setattr(devices, "_lost", [])
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    with pytest.raises(NoAnswer), Alarm(0.05):
        sleep_for_ever()
    assert not devices.lost()
    end.set()
    thread.join()
    end.clear()
    thread = threading.Thread(target=end.wait)
    with pytest.raises(NoAnswer), Alarm(0.05):
        wait_for(thread)
    assert devices.lost() == "left a thread that does not end"
    end.set()
    thread.join()
