"""What a thread of an implementation raises in the thread that decides is not our fault."""

import builtins
import ctypes
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from conformance.checking import blaming
from conformance.checking.verdict import Crashed, Undecided
from conformance.errors import DEVICE_LOST
from conformance.implementations.failures import Raised
from conformance.requirements import REQUIREMENTS
from conformance.running import strays
from conformance.running.child import Apart, Ended
from conformance.running.item import Item
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
            {start}
        return super().forward(x, hx)
"""
LISTED = "threading.Thread(target=late, daemon=True).start()"
UNLISTED = "__import__('_thread').start_new_thread(late, ())"
"""How a thread is started; of the second nobody knows that it runs."""


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


def caught(happens: Callable[[], object]) -> BaseException:
    try:
        happens()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def from_thread(kind: type[BaseException]) -> None:
    """Have a thread raise this here that nobody notes."""
    here = ctypes.c_ulong(threading.get_ident())
    thread = threading.Thread(
        target=ctypes.pythonapi.PyThreadState_SetAsyncExc, args=(here, ctypes.py_object(kind))
    )
    thread.start()
    while True:
        thread.is_alive()


def converted() -> None:
    try:
        from_thread(ValueError)
    except ValueError as error:
        raise RuntimeError("no") from error


def without_text() -> NoReturn:
    raise ValueError


def after_another() -> NoReturn:
    try:
        without_text()
    except ValueError:
        raise TypeError from None


@pytest.mark.parametrize("kind", ["ValueError", "TimeoutError", "OSError", "SystemExit"])
def test_what_a_thread_raises_is_recognised(kind: str) -> None:
    """Of no class of theirs, and though nobody knows of the thread."""
    error = caught(lambda: from_thread(getattr(builtins, kind)))
    assert blaming.is_of_thread(error)
    assert strays.stray(error) == f"raised {kind}: , outside its calls"
    assert isinstance(blaming.of(error, from_thread, ()), Raised)
    assert blaming.is_of_thread(caught(converted))


@pytest.mark.parametrize(
    "happens", [without_text, after_another, lambda: int("x"), lambda: next(iter(()))]
)
def test_what_code_raises_comes_from_no_thread(happens: Any) -> None:
    """Without arguments as well; this suite's own faults stay its own."""
    error = caught(happens)
    assert not blaming.is_of_thread(error)
    assert strays.stray(error) == ""
    assert blaming.of(error, happens, ()) is None


def test_exception_of_a_thread_ends_a_separate_process() -> None:
    """It is no fault of this suite."""

    def answers() -> Any:
        from_thread(TimeoutError)
        yield 1

    with Apart(answers, forked=True) as process, pytest.raises(Ended, match="raised TimeoutError"):
        process.answer(60)


@pytest.mark.parametrize("others", [(), ("yours",)])
def test_exception_of_a_thread_blames_whom_it_can(
    others: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is not known to have left the thread is not to blame where another one may have."""
    item = Item()
    target = SimpleNamespace(implementation=SimpleNamespace(name="mine"))
    everybody = SimpleNamespace(targets=[target, *others])
    monkeypatch.setattr("conformance.running.item.selection", lambda _: everybody)
    item.config = SimpleNamespace(getoption=lambda _: None)
    item.prepare(REQUIREMENTS["h_n_is_last_output"], target, "cpu")  # type: ignore[arg-type]
    error = caught(lambda: from_thread(ValueError))
    assert type(item.after(error)) is (Undecided if others else Crashed)
    strays._leaving.add("mine")
    item.reached = None
    assert type(item.after(error)) is Crashed
    assert item.after(caught(without_text)) is not None
    strays._leaving.clear()
    assert item.after(caught(without_text)) is None


@pytest.mark.parametrize(
    ("status", "items", "ends"), [(3, 1, True), (3, 0, False), (0, 1, False), (1, 1, False)]
)
def test_worker_that_broke_does_not_say_that_it_has_finished(
    status: int, items: int, ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends before pytest-xdist says so, if it had anything to do."""
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    session: Any = SimpleNamespace(testscollected=items)
    wrapper = strays.pytest_sessionfinish(session, status)
    next(wrapper)
    assert ended == ([DEVICE_LOST] if ends else [])


def test_thread_that_ends_within_leaves_nothing() -> None:
    """It can raise nothing any more."""
    with strays.Noted("mine"):
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
    assert strays.stray(TimeoutError("no")) == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "moment", "start"),
    [
        ("TooLate", "pytest_runtest_protocol", LISTED),
        ("TimeoutError", "verdict", LISTED),
        ("ValueError", "pytest_runtest_protocol", UNLISTED),
        ("KeyboardInterrupt", "pytest_runtest_protocol", UNLISTED),
    ],
)
def test_exception_outside_the_decision_is_a_verdict(
    kind: str, moment: str, start: str, tmp_path: Path
) -> None:
    """The run goes on; the neighbour in the same worker passes everything."""
    (tmp_path / "mine.py").write_text(MINE.format(within=moment, kind=kind, start=start))
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
        ("mine.py:Mine", "undecided"),
    }, ran.stdout
    assert ran.returncode in (0, 1), ran.stdout + ran.stderr
    assert "broke" not in ran.stderr
