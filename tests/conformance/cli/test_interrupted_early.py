"""A signal that arrives before the command has begun, or when it has ended, leaves no traceback."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import run

COMMAND = (sys.executable, "-m", "conformance")
SIGNALS = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}
EARLY = "import os, signal, time; os.kill(os.getpid(), signal.{}); time.sleep(60)"
LATE = """
import atexit, os, signal

@atexit.register
def late():
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(9):  # Python 3.10 looks for signals here, and not as the function returns
        pass
"""
OF_SUBCOMMAND = """
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "hypothesis":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
"""
OF_CHILDREN = """
import os, signal, sys
if "--multiprocessing-fork" in sys.orig_argv:
    open("interrupted", "w").close()
    os.kill(os.getpid(), signal.SIGINT)
"""


@pytest.fixture(autouse=True)
def _hangup_ends() -> Iterator[None]:
    """Tests may run where SIGHUP is ignored, as under nohup; what they start inherits that."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("name", SIGNALS)
def test_signals_during_imports_end_without_a_word(name: str, tmp_path: Path) -> None:
    """The status is that of the signal; nothing is printed."""
    (tmp_path / "pytest.py").write_text(EARLY.format(name))
    ended = run([*COMMAND, "requirements"], tmp_path, PYTHONPATH=str(tmp_path))
    assert (ended.returncode, ended.stdout, ended.stderr) == (SIGNALS[name], "", "")


def test_an_interrupt_during_imports_of_a_subcommand_ends_without_a_word(tmp_path: Path) -> None:
    """What a subcommand imports when it is called makes no difference."""
    (tmp_path / "sitecustomize.py").write_text(OF_SUBCOMMAND)
    ended = run([*COMMAND, "requirements"], tmp_path, PYTHONPATH=str(tmp_path))
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_an_interrupt_at_the_end_of_the_process_ends_without_a_word(tmp_path: Path) -> None:
    """What was printed stays; the status is that of the signal."""
    (tmp_path / "pytest.py").write_text(LATE)
    ended = run([*COMMAND, "schema", "report"], tmp_path, PYTHONPATH=str(tmp_path))
    assert (ended.returncode, ended.stderr) == (130, "")
    assert ended.stdout.endswith("}\n")


def test_an_interrupt_from_the_keyboard_spares_a_process_that_starts(tmp_path: Path) -> None:
    """The keyboard interrupts a whole group; the process that waits is the one that ends."""
    (tmp_path / "sitecustomize.py").write_text(OF_CHILDREN)
    (tmp_path / "mine.py").write_text("import torch\nclass Mine(torch.nn.LSTM): pass\n")
    ended = run([*COMMAND, "infer", "mine.py:Mine"], tmp_path, PYTHONPATH=str(tmp_path))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (tmp_path / "interrupted").exists()
