"""Child processes: what becomes of an LSTM that dies, hangs or breaks the suite."""

import os
import time
from collections.abc import Callable

import pytest

from conformance import REQUIREMENTS, Budget, Crashed, Passed, TimedOut, check

from . import examining, score
from .crashes import SegfaultsOnEmptyBatches
from .drawing import replay
from .equations import ForgetsBiasHH, ReadsGatesAsIFOG
from .examining import RIGHT, BrokeTheSuite, Examined, Found, Job, examine, fault_job, right_job
from .states import IgnoresInitialCellState
from .verifying import caught
from .zoo import implementation

pytestmark = pytest.mark.filterwarnings("default")
TWO = ["cell_matches_equations", "results_match_reference"]


def _examined(decide: Callable[[str], Found], named: str = "") -> Examined:
    (examined,) = examine([Job(Examined("X", named), TWO, decide)])
    return examined


def _passes(requirement: str) -> Found:
    return Passed(requirement, "X", "cpu"), None


def test_process_that_dies_is_caught_and_replaced() -> None:
    """The requirement on which it died is a crash, the next one is decided."""
    examined = _examined(lambda name: os._exit(3) if name == TWO[0] else _passes(name))
    assert isinstance(examined.verdicts[TWO[0]], Crashed)
    assert isinstance(examined.verdicts[TWO[1]], Passed)


def test_process_that_hangs_is_caught_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The requirement on which it hung has timed out, the next one is decided."""
    monkeypatch.setattr(examining, "PATIENCE", 2.0)

    def decide(name: str) -> Found:
        time.sleep(60 if name == TWO[0] else 0)
        return _passes(name)

    examined = _examined(decide, named=TWO[0])
    assert isinstance(examined.verdicts[TWO[0]], TimedOut)
    assert examined.red is not None
    assert examined.red >= 2.0
    assert isinstance(examined.verdicts[TWO[1]], Passed)


def test_process_that_keeps_hanging_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many hangs the requirements that are left are not tried."""
    monkeypatch.setattr(examining, "PATIENCE", 0.2)
    monkeypatch.setattr(examining, "HANGS", 1)

    def decide(name: str) -> Found:
        time.sleep(60)
        return _passes(name)

    assert list(_examined(decide).verdicts) == TWO[:1]


def test_suite_that_raises_is_no_catch() -> None:
    """An exception of the suite itself is told as such, and is a problem."""

    def decide(name: str) -> Found:
        raise LookupError(name)

    examined = _examined(decide)
    assert isinstance(examined.verdicts[TWO[0]], BrokeTheSuite)
    assert not caught(examined.verdicts[TWO[0]])
    (problem, *_) = score.found_problems([], [examined], everybody=False)
    assert problem == f"X breaks the suite in {TWO[0]}: LookupError: {TWO[0]}"


@pytest.mark.parametrize("requirement", TWO)
@pytest.mark.parametrize("fault", [ReadsGatesAsIFOG, ForgetsBiasHH, IgnoresInitialCellState])
def test_replayed_cases_are_those_that_check_draws(fault: type, requirement: str) -> None:
    """A verdict on cases drawn beforehand is that of `check`, after as many cases."""
    wrong, budget = implementation(fault), Budget(10, 3)
    replayed = replay(REQUIREMENTS[requirement], wrong, "cpu", budget)
    checked = check(REQUIREMENTS[requirement], wrong, "cpu", budget)
    assert (type(replayed), replayed.cases) == (type(checked), checked.cases)


def test_named_requirement_tells_first_red_and_counterexample() -> None:
    """The time of the first failure is told apart from that of shrinking it."""
    (examined,) = examine([fault_job(ReadsGatesAsIFOG, 0, named_only=True)])
    assert list(examined.verdicts) == [ReadsGatesAsIFOG.caught_by]
    assert examined.verdict is not None
    assert examined.verdict.counterexample is not None
    assert examined.red is not None
    assert examined.red > 0


@pytest.mark.slow
def test_crash_is_examined_through_the_command() -> None:
    """A fault that ends its process is caught by the requirement that it names."""
    (examined,) = examine([fault_job(SegfaultsOnEmptyBatches, 0, named_only=True)])
    assert caught(examined.verdict)


def test_right_lstm_that_fails_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in the place of a right LSTM is reported, requirement by requirement."""
    monkeypatch.setitem(RIGHT, "wrong", lambda: implementation(ReadsGatesAsIFOG))
    job = right_job("wrong", 0)
    job.left[:] = TWO
    (examined,) = examine([job])
    problems = score.found_problems([], [examined], everybody=False)
    assert problems == [f"wrong is right and does not pass {name}: failed" for name in TWO]


def test_requirement_that_catches_nothing_is_a_problem() -> None:
    """Of a run of one fault that nothing caught, every requirement is told to be idle."""
    idle = Examined("X", TWO[0], ReadsGatesAsIFOG, {TWO[0]: _passes(TWO[0])[0]})
    problems = score.found_problems([idle], [], everybody=True)
    assert "X is not caught by cell_matches_equations" in problems
    assert "h_n_is_last_output catches nothing" in problems


def test_slow_reds_and_large_counterexamples_are_problems() -> None:
    """The medians that the score promises are held by its exit status."""
    slow = Examined("X", TWO[0], ReadsGatesAsIFOG, {}, red=2.5)
    problems = score.found_problems([slow], [], everybody=True)
    assert "the median first red takes more than 2.0 s" in problems
    assert "fewer than 90% of the counterexamples are small" in problems
