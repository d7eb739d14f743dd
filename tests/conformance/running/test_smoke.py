"""The smoke test: what raises in every simple case."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance import Case, Result, Support
from conformance.running.folder import Asked, RunFolder
from conformance.running.smoke import SmokeTests, simplest_cases, smoke
from reference import lstm, rounded


def anything(_: Case) -> bool:
    return True


def nothing(_: Case) -> bool:
    return False


def unheard(_: Case) -> None:
    return None


class Picky:
    """A right LSTM that raises in cases that are not to its liking."""

    name = "picky"

    def __init__(self, likes: Callable[[Case], object], supports: Support | None = None) -> None:
        self.likes, self.supports = likes, supports or Support()
        self.calls = 0

    def run(self, case: Case) -> Any:
        self.calls += 1
        if not self.likes(case):
            raise NotImplementedError(f"not {case}")
        return rounded(lstm(case), case.dtype)


class AnswersText(Picky):
    """Answers a text."""

    def run(self, case: Case) -> Any:
        return "a text"


def test_right_lstm_is_called_once() -> None:
    """The simplest case is enough."""
    right = Picky(anything)
    assert smoke(right, "cpu") is None
    assert right.calls == 1


def test_wrong_result_is_a_result() -> None:
    """Whether it is right is for the requirements to decide."""

    class Wrong(Picky):
        def run(self, case: Case) -> Result:
            right = rounded(lstm(case), case.dtype)
            return replace(right, output=right.output[..., :1])

    assert smoke(Wrong(anything), "cpu") is None


@pytest.mark.parametrize("broken", [Picky(nothing), AnswersText(anything)])
def test_what_computes_nothing_fails_with_the_simplest_case(broken: Picky) -> None:
    """And with what it raised there, or answered."""
    found = smoke(broken, "cpu")
    assert found is not None
    assert found.case is not None
    assert repr(found.case) == repr(next(simplest_cases(broken, "cpu")))
    assert found.failure.kind in ("raised", "no result")


@pytest.mark.parametrize(
    "likes",
    [
        lambda case: case.dtype.name == "bfloat16",
        lambda case: case.configuration.bidirectional,
        lambda case: not case.batched,
        lambda case: case.h_0 is None,
        lambda case: case.lengths is not None,
        lambda case: not case.configuration.bias,
        lambda case: case.configuration.batch_first,
        lambda case: case.configuration.hidden_size % 64 == 0,
        lambda case: case.configuration.hidden_size == 1,
    ],
)
def test_what_computes_some_form_is_left_to_the_requirements(
    likes: Callable[[Case], bool],
) -> None:
    """However narrow the corner is in which it is right."""
    assert smoke(Picky(likes), "cpu") is None


def test_cases_are_those_that_are_declared() -> None:
    """And no others."""
    narrow = Support(
        dtypes=("float32",),
        min_layers=2,
        batched=(True,),
        states=(False,),
        bias=(True,),
        batch_first=(False,),
        bidirectional=(False,),
        lengths=False,
    )
    cases = list(simplest_cases(Picky(anything, narrow), "cuda:1"))
    assert {case.configuration.num_layers for case in cases} == {2}
    assert {case.device for case in cases} == {"cuda:1"}
    assert {case.dtype.name for case in cases} == {"float32"}
    assert all(case.h_0 is None and case.lengths is None for case in cases)
    assert not any(np.any(case.input) for case in cases)


def test_smoke_test_is_made_once(tmp_path: Path) -> None:
    """Its outcome holds for every requirement."""
    broken = Picky(nothing)
    tests = SmokeTests(folder_of_a_run(tmp_path))
    first = tests.failure(broken, "cpu", unheard)
    calls = broken.calls
    assert first is not None
    assert tests.failure(broken, "cpu", unheard) is first
    assert broken.calls == calls


DIES = """
import os, sys
from pathlib import Path
from conformance.running.folder import RunFolder
with RunFolder(Path(sys.argv[1])).trying("picky on cpu") as survived:
    assert survived
    os._exit(7)
"""


def test_smoke_test_that_ended_a_process_is_not_repeated(tmp_path: Path) -> None:
    """Another process of the run lets the requirements decide, but not for another device."""
    folder = folder_of_a_run(tmp_path)
    done = subprocess.run([sys.executable, "-c", DIES, str(folder.path)], check=False)
    assert done.returncode == 7
    broken = Picky(nothing, Support(devices=("cpu", "cuda:0")))
    tests = SmokeTests(folder)
    assert tests.failure(broken, "cpu", unheard) is None
    assert not broken.calls
    assert tests.failure(broken, "cuda:0", unheard) is not None


def folder_of_a_run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path, Asked("quick", 1, None, 0.0))
