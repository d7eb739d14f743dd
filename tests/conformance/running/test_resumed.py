"""A run that was ended before it was complete goes on from its verdicts."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from conformance import Passed, load
from conformance.recording.json import encode
from conformance.running.circumstances import circumstances
from conformance.running.folder import Asked, RunFolder
from conformance.running.journal import Collected, Journal
from conformance.running.options import deciding
from tests.support.options import config
from tests.support.processes import COMMAND, SPECIMENS, command
from tests.support.reports import report

INTERRUPTING = f"{SPECIMENS.with_name('interrupting.py')}:Interrupts"
"""An LSTM that cannot be imported here: it interrupts what imports it."""
RUNNING = ".lstm-conformance/running-*"
ASKED = ("cell_matches_equations", "results_match_reference", "dtypes_follow_input")
ONE = ("--device", "cpu", *(word for name in ASKED for word in ("--requirement", name)))
RUN = ("verify", "torch.nn.LSTM", INTERRUPTING, *ONE, "--max-examples", "10", "--seed", "1")
DEAD = (
    "import os, sys\n"
    "from pathlib import Path\n"
    "from conformance.recording.json import decode\n"
    "from conformance.running.folder import Asked, RunFolder\n"
    "import json\n"
    "made = RunFolder.create(Path('.lstm-conformance'), decode(Asked, json.loads(sys.argv[1])))\n"
    "print(made.path)\n"
    "sys.stdout.flush()\n"
    "os.kill(os.getpid(), 9)\n"
)


def settled(written: dict[str, Any]) -> dict[str, Any]:
    """A report without times, and without how far a failing case was shrunk in a time."""
    for time in ("started", "seconds"):
        written["run"].pop(time)
    for verdict in written["verdicts"]:
        for name in ("seconds", "counterexample", "reproduction"):
            verdict.pop(name)
    return written


@pytest.mark.slow
@pytest.mark.parametrize("what", ["SIGKILL", "SIGINT"])
@pytest.mark.parametrize("moment", ["verdict", "diagnosis"])
def test_resumed_run_equals_one_that_was_not_ended(moment: str, what: str, tmp_path: Path) -> None:
    """But for times: it takes over the seed and the verdicts, and decides the rest."""
    whole = tmp_path / "whole"
    whole.mkdir()
    (whole / "happens").write_text("never SIGINT 0")
    assert command(*RUN, "--json", "report.json", folder=whole).returncode == 1
    with subprocess.Popen(
        [*COMMAND, *RUN],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        (tmp_path / "new").write_text(f"{moment} {what} {process.pid}")
        (tmp_path / "new").rename(tmp_path / "happens")
        _, err = process.communicate(timeout=900)
    assert process.returncode == (130 if what == "SIGINT" else -signal.SIGKILL), err
    assert ("--resume goes on from there" in err) == (what == "SIGINT")
    (left,) = tmp_path.glob(RUNNING)
    before = list(RunFolder(left).verdicts())
    assert before
    resumed = command(*RUN[:-2], "--resume", "--json", "report.json", folder=tmp_path)
    assert resumed.returncode == 1, resumed.stdout + resumed.stderr
    written = report(tmp_path / "report.json")
    seconds = {(each["requirement"], each["implementation"]): each for each in written["verdicts"]}
    for verdict in before:
        taken = seconds[verdict.requirement, verdict.implementation]
        assert taken == json.loads(json.dumps(verdict.to_json()))
    assert settled(written) == settled(report(whole / "report.json"))
    assert not list(tmp_path.glob(RUNNING))


@pytest.mark.slow
def test_run_that_was_decided_completely_is_resumed(tmp_path: Path) -> None:
    """Nothing is left to decide, with workers and without."""
    for workers in (0, 2):
        asked = ("verify", "torch.nn.LSTMCell", *ONE[:4], "--max-examples", "2")
        (tmp_path / "report.json").unlink(missing_ok=True)
        first = command(*asked, "-n", workers, "--json", "/dev/full", folder=tmp_path)
        assert first.returncode == 3, first.stdout + first.stderr
        words = ("-n", workers, "--resume", "--json", "report.json")
        again = command(*asked, *words, folder=tmp_path)
        assert again.returncode == 0, again.stdout + again.stderr
        written = report(tmp_path / "report.json")
        assert [each["outcome"] for each in written["verdicts"]] == ["passed"]
        assert "supports" in written["run"]


def left(folder: Path, **changed: Any) -> RunFolder:
    """What a run with one verdict left that was killed."""
    options = deciding(vars(config(**{"lstm": ["torch.nn.LSTMCell"], **changed}).option))
    asked = Asked("default", 5, None, 5.0, options=options)
    words = [*COMMAND[:1], "-c", DEAD, json.dumps(vars(asked))]
    ended = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    made = RunFolder(folder / ended.stdout.strip())
    passed = Passed("results_match_reference", "torch.nn.LSTMCell", "cpu", 4, 0.5)
    Journal(made.path / "gw0").decided(passed)
    return made


@pytest.mark.parametrize(
    ("changed", "words", "told"),
    [
        (None, (), "there is nothing to resume: no unfinished run has verdicts in .lstm-conf"),
        (
            {},
            ("--profile", "quick"),
            "the run cannot be resumed: --profile was default and is quick",
        ),
        (
            {},
            ("torch.nn.LSTM",),
            "the run cannot be resumed: NAME was ['torch.nn.LSTMCell'] and is",
        ),
        (
            {"lstm_dtype": "float32"},
            (),
            "the run cannot be resumed: --dtype was float32 and is None",
        ),
        ({}, ("--seed", "6"), "the run cannot be resumed: its seed was 5 and is 6"),
    ],
)
def test_other_run_is_not_resumed(
    changed: dict[str, Any] | None, words: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    """In one line that says what differs; what there was stays."""
    made = None if changed is None else left(tmp_path, **changed)
    ended = command("verify", "torch.nn.LSTMCell", *words, "--resume", folder=tmp_path)
    assert ended.returncode == 2, ended.stdout + ended.stderr
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"lstm-conformance: {told}")
    assert made is None or len(list(made.verdicts())) == 1


@pytest.mark.slow
def test_run_with_other_versions_is_not_resumed(tmp_path: Path) -> None:
    """A verdict of another version says nothing about this one."""
    made = left(tmp_path)
    text = json.dumps(encode(Collected({}, {"python": "2.7.18"})))
    (made.path / "gw0.collected").write_text(text)
    ended = command("verify", "torch.nn.LSTMCell", "-n", 0, "--resume", folder=tmp_path)
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert "the run cannot be resumed: python was 2.7.18 and is 3." in ended.stderr
    assert len(list(made.verdicts())) == 1
    assert list(tmp_path.glob(RUNNING)) == [made.path]


@pytest.mark.slow
def test_run_of_other_code_is_not_resumed(tmp_path: Path) -> None:
    """Half of the verdicts would be on what is gone."""
    (tmp_path / "mine.py").write_text(
        "import torch\n\n\nclass Mine(torch.nn.LSTMCell):\n    pass\n"
    )
    made = left(tmp_path, lstm=["mine.py:Mine"])
    text = json.dumps(encode(Collected({}, {"sources": {"mine.py:Mine": "0123456789abcdef"}})))
    (made.path / "gw0.collected").write_text(text)
    ended = command("verify", "mine.py:Mine", "-n", 0, "--resume", folder=tmp_path)
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert "cannot be resumed: a file with a class that is verified has changed" in ended.stderr


def test_sources_are_those_of_the_classes_under_test(tmp_path: Path) -> None:
    """However their lines end; what this suite has comes with its version."""
    digests = []
    for end in ("\n", "\r\n", "\n# more\n"):
        code = f"import torch\n\n\nclass Mine(torch.nn.LSTMCell):\n    pass{end}"
        (tmp_path / "mine.py").write_bytes(code.encode())
        mine = load(f"{tmp_path}/mine.py:Mine")
        found = circumstances([mine, load("torch.nn.LSTM")])["sources"]
        assert [*found] == [mine.name]
        digests.append(found[mine.name])
    assert digests[0] == digests[1] != digests[2]
