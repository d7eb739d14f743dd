"""A keeper ends what its program leaves, and ends as the program did."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conformance.implementations.programs.keeper import kept
from tests.support.misbehaving import DAEMON
from tests.support.processes import alive, wait_for_end

UNTIL_IT_WROTE = """
import pathlib, time
left = pathlib.Path("left")
while not (left.exists() and left.read_text()):
    time.sleep(0.01)
"""
"""A program that ends once its daemon has written its number."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")


@pytest.mark.parametrize(
    ("program", "status"),
    [("exit 7", 7), ("kill -ABRT $$", -signal.SIGABRT), ("kill -KILL $$", -signal.SIGKILL)],
)
def test_keeper_ends_as_its_program(program: str, status: int) -> None:
    """With its exit status or by its signal."""
    assert subprocess.run(kept(["sh", "-c", program]), check=False).returncode == status


def test_keeper_reports_a_program_that_cannot_be_started() -> None:
    """By the number of the error."""
    reading, writing = os.pipe()
    subprocess.run(kept(["/nowhere"], writing), pass_fds=(writing,), check=False)
    os.close(writing)
    with open(reading) as file:
        assert file.read() == "2"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("asked", [True, False])
def test_keeper_ends_whatever_its_program_left(asked: bool, tmp_path: Path) -> None:
    """A daemon, when the program ends and when the keeper is asked to end it."""
    stays = "import time; time.sleep(100000)" if asked else UNTIL_IT_WROTE
    program = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {DAEMON!r}])\n{stays}"
    with subprocess.Popen(kept([sys.executable, "-c", program]), cwd=tmp_path) as keeper:
        file = tmp_path / "left"
        while keeper.poll() is None and not (file.exists() and file.read_text()):
            time.sleep(0.01)
        if asked:
            keeper.terminate()
        keeper.wait(60)
    (daemon,) = map(int, file.read_text().split())
    assert wait_for_end([daemon]) == [] == alive([daemon])
