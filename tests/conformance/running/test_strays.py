"""What a thread of an implementation raises in the thread that decides is not our fault."""

import json
import threading
from pathlib import Path

import pytest

from conformance.running import strays
from tests.support.processes import command

MINE = """
import ctypes, sys, threading, time
import torch

MAIN = threading.main_thread().ident
class TooLate(Exception):
    pass

def inside():
    frame = sys._current_frames()[MAIN]
    while frame is not None and frame.f_code.co_name != "{within}":
        frame = frame.f_back
    return frame is not None

def late():
    while inside():
        time.sleep(0)
    kind = ctypes.py_object({kind})
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(MAIN), kind)

class Mine(torch.nn.LSTM):
    calls = 0
    def forward(self, x, hx=None):
        Mine.calls += 1
        if Mine.calls == 30:
            threading.Thread(target=late, daemon=True).start()
        return super().forward(x, hx)
"""


class Theirs(Exception):
    """Of no package that decides anything."""


@pytest.fixture(autouse=True)
def _nobody_left_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strays, "_leaving", set())


def test_exception_of_their_class_is_theirs() -> None:
    """Nobody else raises it."""
    assert strays.stray(Theirs("no")) == f"raised {__name__}.Theirs: no, outside its calls"
    assert strays.stray(TimeoutError("no")) == strays.stray(pytest.fail.Exception("no")) == ""


def test_exception_after_threads_is_theirs() -> None:
    """A thread may raise anything, but hardly what only this suite and pytest raise."""
    end = threading.Event()
    with strays.Noted("mine"):
        thread = threading.Thread(target=end.wait)
        thread.start()
    assert strays.left()
    end.set()
    thread.join()
    assert not strays.left()
    assert strays.stray(TimeoutError("no"), "mine") == "raised TimeoutError: no, outside its calls"
    assert strays.stray(TimeoutError("no"), "yours") == ""
    assert strays.stray(pytest.fail.Exception("no"), "mine") == ""


def test_thread_that_ends_within_leaves_nothing() -> None:
    """It can raise nothing any more."""
    with strays.Noted("mine"):
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
    assert strays.stray(TimeoutError("no")) == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "moment"), [("TooLate", "pytest_runtest_protocol"), ("TimeoutError", "verdict")]
)
def test_exception_outside_the_decision_is_a_verdict(
    kind: str, moment: str, tmp_path: Path
) -> None:
    """The run goes on; the neighbour in the same worker passes everything."""
    (tmp_path / "mine.py").write_text(MINE.format(within=moment, kind=kind))
    asked = ("h_n_is_last_output", "results_match_reference", "dtypes_follow_input")
    ran = command(
        *("verify", "mine.py:Mine", "torch.nn.LSTM", "-n", "1", "--max-examples", "20"),
        *(word for name in asked for word in ("--requirement", name)),
        *("--json", "report.json"),
        folder=tmp_path,
    )
    verdicts = json.loads((tmp_path / "report.json").read_text())["verdicts"]
    outcomes = {(each["implementation"], each["outcome"]) for each in verdicts}
    assert len(verdicts) == 2 * len(asked)
    assert outcomes <= {
        ("torch.nn.LSTM", "passed"),
        ("mine.py:Mine", "passed"),
        ("mine.py:Mine", "crashed"),
    }, ran.stdout
    assert "broke" not in ran.stderr
