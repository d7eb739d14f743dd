"""How long is waited for one case once requirements have timed out."""

import time

import pytest

from conformance import Passed
from conformance.checking.verdict import TimedOut
from conformance.implementations.failures import NoAnswer
from conformance.running.limits import within
from conformance.running.patience import Calls, Patience


def late(name: str = "slow") -> TimedOut:
    return TimedOut("results_match_reference", name, "cpu")


@pytest.mark.parametrize(("took", "limit"), [(0.004, 4.0), (0.0001, 2.0)])
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
    assert f"from then on {limit:.2g} s were the limit for a case" in patience.reasons["slow"]
    assert not patience.learn(late()), "it is shortened once"


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


def test_case_without_answer_is_interrupted() -> None:
    """Python code that never returns is, and what returns in time is not."""
    with within(None), within(1000.0):
        pass
    with pytest.raises(NoAnswer, match=r"^no answer within 0\.05 s$"), within(0.05):
        sleep_for_ever()
