"""Inferring what loops, dies or prints, on the command line."""

from pathlib import Path

import pytest

from tests.support.processes import command

BAD = """
import ctypes
import os

import numpy as np


class Loops:
    def __init__(self, input_size, hidden_size):
        self.W = np.zeros((4 * hidden_size, input_size))
        self.U = np.zeros((4 * hidden_size, hidden_size))

    def __call__(self, x):
        while True:
            pass


class Exits(Loops):
    def __call__(self, x):
        os._exit(3)


class Segfaults(Loops):
    def __call__(self, x):
        ctypes.string_at(0)


class Prints(Loops):
    def __call__(self, x):
        os.write(1, b"noise")
        return np.zeros((*x.shape[:-1], len(self.U) // 4))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Loops", "no answer within 5 s; if the code does not hang, raise --timeout"),
        ("Exits", "the process exited with status 3 while loading and trying the code"),
        ("Segfaults", "the process was ended by SIGSEGV while loading and trying the code"),
    ],
)
def test_inference_tells_what_its_process_died_of(name: str, told: str, tmp_path: Path) -> None:
    """An endless loop, an exit and a segfault each become one line and status 2."""
    (tmp_path / "bad.py").write_text(BAD)
    limit = 5 if name == "Loops" else 60
    run = command("infer", f"bad.py:{name}", "--timeout", limit, folder=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == f"lstm-conformance: 'bad.py:{name}': {told}\n"


def test_inference_drops_what_is_printed(tmp_path: Path) -> None:
    """Nothing that a class writes to standard output is among what was found."""
    (tmp_path / "bad.py").write_text(BAD)
    run = command("infer", "bad.py:Prints", folder=tmp_path)
    assert run.returncode == 1, run.stdout + run.stderr
    assert run.stdout.startswith("# bad.py:Prints does not compute the LSTM.")
    assert "noise" not in run.stdout


def test_inference_needs_a_positive_time(tmp_path: Path) -> None:
    """Anything else is refused in one line."""
    run = command("infer", "bad.py:Prints", "--timeout", 0, folder=tmp_path)
    assert run.returncode == 2
    told = "lstm-conformance: --timeout must be a positive number of seconds, got 0.0\n"
    assert run.stderr == told
