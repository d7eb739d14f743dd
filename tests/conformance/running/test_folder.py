"""The folder of a run, while the run lives and afterwards."""

import subprocess
import sys
from pathlib import Path

import pytest

from conformance import Passed, UsageError
from conformance.running.folder import Asked, RunFolder, sweep
from conformance.running.journal import Journal

ASKED = Asked("quick", 3, None, 5.0, {"dtype": {"float64": 0.1}}, "2/5", {"lstm": ["mine"]})
VERDICT = Passed("results_match_reference", "torch.nn.LSTM", "cpu", 4, 0.5)
DIES = (
    "import os, pathlib\n"
    "from conformance.running.folder import Asked, RunFolder\n"
    "RunFolder.create(pathlib.Path('.'), Asked('quick', 3, None, 5.0))\n"
    "os.kill(os.getpid(), 9)\n"
)


def test_folder_has_what_was_asked_and_decided(tmp_path: Path) -> None:
    """A verdict that is cut off is left out, and so is what another process wrote after it."""
    folder = RunFolder.create(tmp_path, ASKED)
    for name in ("gw0", "gw1"):
        Journal(folder.path / name).decided(VERDICT)
    with (folder.path / "gw1.verdicts").open("a") as file:
        file.write('{"outcome": "pas')
    assert folder.asked() == ASKED
    assert list(folder.verdicts()) == [VERDICT, VERDICT]
    assert [path.name for path in folder.processes] == ["gw0", "gw1"]
    folder.shorten({"a": 2.0})
    assert (folder.shortened("a"), folder.shortened("b")) == (2.0, None)
    folder.remove()
    assert not folder.path.exists()


def test_folder_of_a_process_that_is_gone_is_swept(tmp_path: Path) -> None:
    """That of one that lives is not, nor is any other folder."""
    (tmp_path / "running-mine").mkdir()
    subprocess.run([sys.executable, "-c", DIES], cwd=tmp_path, check=False)
    (left,) = (path for path in tmp_path.iterdir() if path.name != "running-mine")
    lives = "import sys; from conformance.running.folder import *; "
    lives += "RunFolder.create(Path('.'), Asked('quick', 3, None, 5.0)); "
    lives += "print('ready', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", lives],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        sweep(tmp_path)
        assert not left.exists()
        assert len(list(tmp_path.iterdir())) == 2
        process.communicate(b"")
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["running-mine"]


def test_other_folders_are_refused(tmp_path: Path) -> None:
    """With a line that tells what such a folder is called."""
    with pytest.raises(UsageError, match=r"is not the folder of a run .* is called running-\.\.\."):
        RunFolder(tmp_path).asked()
