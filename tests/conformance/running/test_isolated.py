"""A requirement in a fork: what kills its process or hangs gets a verdict."""

import multiprocessing
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance import Crashed, Failed, Passed, TimedOut, UsageError, Verdict
from conformance import parametrize_with_requirements as parametrize
from conformance.reproductions.record import read
from conformance.running.isolated import impossible
from reference import Result
from tests.support.cases import RoundedReference
from tests.support.forks import in_two_layers, negates, task
from tests.support.processes import pytest as pytest_of

forks = pytest.mark.skipif(sys.platform != "linux", reason="a fork is safe on Linux only")


def kills(_: Result) -> Result:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def hangs(_: Result) -> Result:
    while True:
        time.sleep(600)


@pytest.mark.slow
@forks
@pytest.mark.parametrize(
    ("happens", "seconds", "kind", "told"),
    [
        (kills, 600, Crashed, "the process was ended by SIGKILL in this case"),
        (hangs, 20, TimedOut, "no verdict within 20 s"),
        (negates, 600, Failed, "h_n["),
    ],
)
def test_whatever_happens_there_is_a_verdict_with_its_case(
    happens: Any, seconds: float, kind: type[Verdict], told: str, tmp_path: Path
) -> None:
    """And a folder from which the case can be decided again."""
    verdict = task(in_two_layers(happens), tmp_path).apart(seconds)
    assert type(verdict) is kind
    assert verdict.counterexample is not None
    assert verdict.counterexample.message.startswith(told)
    assert "num_layers=2" in verdict.counterexample.case
    kept = read(tmp_path / verdict.reproduction)
    assert kept.case.configuration.num_layers == 2
    assert kept.message == verdict.counterexample.message


@forks
def test_verdict_in_a_fork_is_that_of_this_process(tmp_path: Path) -> None:
    """With the same cases; what an earlier run left is removed where the requirement is met."""
    mine = task(in_two_layers(negates), tmp_path)
    assert mine.apart(600).reproduction
    assert any(tmp_path.iterdir())
    right = replace(mine, implementation=in_two_layers(lambda result: result))
    apart, here = right.apart(600), right.here()
    assert isinstance(apart, Passed)
    assert replace(apart, seconds=0.0) == replace(here, seconds=0.0)
    assert not list(tmp_path.rglob("case.json"))


@forks
def test_death_before_the_first_case_is_a_verdict(tmp_path: Path) -> None:
    """Without a case, with what happened."""

    class Dies(RoundedReference):
        def __getattribute__(self, name: str) -> Any:
            if name == "supports" and multiprocessing.parent_process() is not None:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().__getattribute__(name)

    verdict = task(Dies(), tmp_path).apart(600)
    assert isinstance(verdict, Crashed)
    assert verdict.reason == "the process was ended by SIGKILL"


def test_call_that_hangs_is_ended_without_a_fork_too(tmp_path: Path) -> None:
    """If the decorator or the option says how long it may take."""
    verdict = replace(task(in_two_layers(hangs), tmp_path), timeout=2.0).here()
    assert isinstance(verdict, TimedOut)


class HasCuda(RoundedReference):
    """An LSTM that computes on a CUDA device."""

    def __init__(self) -> None:
        super().__init__()
        self.supports = replace(self.supports, devices=("cpu", "cuda:0"))


def test_fork_that_cannot_be_had_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is asked for; else the process decides itself."""
    with pytest.raises(UsageError, match=r"^isolated=True: .*: a fork cannot use CUDA$"):
        parametrize(HasCuda(), isolated=True)
    assert impossible(HasCuda()) == "a fork cannot use CUDA"
    monkeypatch.setitem(sys.modules, "jax", sys)
    assert impossible(RoundedReference()) == "jax is imported, and has threads"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert impossible(RoundedReference()) == "a fork is safe on Linux only"


GARBAGE = """
import contextlib, os
import torch
from conformance import parametrize_with_requirements

HERE = os.getpid()

class Mine(torch.nn.LSTM):
    def forward(self, x, hx=None):
        for number in range(256) if {when} else ():
            with contextlib.suppress(OSError):
                {what}
        return super().forward(x, hx)

@parametrize_with_requirements(
    Mine, requirements=["h_n_is_last_output"], max_examples=2, isolated={isolated}
)
def test_mine(requirement):
    requirement()

def test_other():
    pass
"""


@pytest.mark.slow
@forks
@pytest.mark.parametrize(
    ("when", "isolated", "outcome"),
    [
        ("os.getpid() != HERE", True, "1 failed, 1 passed"),
        ("True", True, "1 failed, 1 passed"),
        ("True", False, "2 passed"),
    ],
)
def test_garbage_in_every_file_does_not_reach_the_session(
    when: str, isolated: bool, outcome: str, tmp_path: Path
) -> None:
    """A worker of pytest-xdist goes on, and reports both tests; so where the class is tried."""
    what = 'os.write(number, b"\\xff\\x00garbage " * 100)'
    (tmp_path / "test_mine.py").write_text(GARBAGE.format(when=when, what=what, isolated=isolated))
    ran = pytest_of("-n", "1", "-p", "xdist", "test_mine.py", folder=tmp_path, timeout=300)
    assert outcome in ran.stdout, ran.stdout[-1000:]
    assert "INTERNALERROR" not in ran.stdout + ran.stderr
