"""A run that is ended at any moment, or whose disk is full, loses no verdict."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import processes
from tests.support.processes import COMMAND, MAIN, SPECIMENS, command
from tests.support.reports import report

INTERRUPTING = f"{SPECIMENS.with_name('interrupting.py')}:Interrupts"
"""An LSTM that cannot be imported here: it interrupts what imports it."""
RUNNING = ".lstm-conformance/running-*"
MOMENTS = ["collection", "verdict", "shrinking", "diagnosis", "report"]
SIGNALS = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}
ASKED = ["cell_matches_equations", "results_match_reference", "dtypes_follow_input"]
VERIFY = [
    *("verify", "torch.nn.LSTM", INTERRUPTING, "--device", "cpu", "--max-examples", "10"),
    *("--seed", "1", *(word for name in ASKED for word in ("--requirement", name))),
]


@pytest.fixture(autouse=True)
def _hangup_ends() -> Iterator[None]:
    """Tests may run where SIGHUP is ignored, as under nohup; what they start inherits that."""
    hangup = getattr(signal, "SIGHUP", None)  # POSIX only
    before = hangup and signal.signal(hangup, signal.SIG_DFL)
    yield
    if hangup:
        signal.signal(hangup, before)


def decided(verdicts: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {(each["requirement"], each["implementation"], each["outcome"]) for each in verdicts}


def run(moment: str, what: str, folder: Path) -> tuple[int, str, str]:
    """Verify while `what` happens at a moment; returns the exit status and what was printed."""
    target = folder / "report.json"
    if moment == "report":
        os.mkfifo(target)  # opened by the command, which waits for a reader
    arguments = [*COMMAND, *VERIFY, "--json", target.name]
    with subprocess.Popen(
        arguments,
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        (folder / "new").write_text(f"{moment} {what} {process.pid}")
        (folder / "new").rename(folder / "happens")
        assert process.stdout is not None
        lines: list[str] = []
        if moment == "report":
            while not lines or "conformant" not in lines[-1].split()[-1:]:
                lines.append(process.stdout.readline())
                assert lines[-1], process.communicate()[1]
            process.send_signal(getattr(signal, what))
            read: list[str] = []
            if what != "SIGKILL":
                reader = threading.Thread(target=lambda: read.append(target.read_text()))
                reader.start()
        out, err = process.communicate(timeout=900)
    if moment == "report":
        target.unlink()
        if what != "SIGKILL":
            reader.join()
            target.write_text(read[0])
    return process.returncode, "".join(lines) + out, err


def before(folder: Path) -> set[tuple[str, str, str]]:
    """What was decided before it happened."""
    path = folder / "before"
    return decided([json.loads(line) for line in path.read_text().splitlines()])


def rows(table: str) -> Iterator[str]:
    """The requirements in a table."""
    yield from (line.split("│")[1].strip() for line in table.splitlines() if "│" in line)


@pytest.mark.slow
@pytest.mark.parametrize("what", SIGNALS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_signal_loses_no_verdict(moment: str, what: str, tmp_path: Path) -> None:
    """What was decided before it is in the report and in the table."""
    status, out, err = run(moment, what, tmp_path)
    written = report(tmp_path / "report.json")
    found = decided(written["verdicts"])
    if moment == "report":  # then everything is decided, and the signal ends nothing
        assert (status, written["complete"], len(found)) == (1, True, 2 * len(ASKED)), out + err
        return
    assert status == SIGNALS[what], out + err
    assert not written["complete"]
    assert not written["conformant"]
    assert before(tmp_path) <= found
    assert len(found) == len(list(rows(out)))
    assert f"interrupted: {len(found)} of " in err
    assert len(list(tmp_path.glob(RUNNING))) == bool(found)


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_run_leaves_its_verdicts(moment: str, tmp_path: Path) -> None:
    """On disk, from where `report` prints and writes them; the next run removes the folder."""
    status, _, err = run(moment, "SIGKILL", tmp_path)
    assert status == -signal.SIGKILL, err
    (left,) = tmp_path.glob(RUNNING)
    told = command("report", left, "--json", "report.json", folder=tmp_path)
    written = report(tmp_path / "report.json")
    found = decided(written["verdicts"])
    assert len(found) == len(list(rows(told.stdout)))
    if moment == "report":
        assert (told.returncode, written["complete"], len(found)) == (1, True, 2 * len(ASKED))
    else:
        assert (told.returncode, written["complete"]) == (130, False)
        assert before(tmp_path) <= found
    if moment in ("shrinking", "diagnosis"):
        again = command("replay", left, "--trust", folder=tmp_path)
        assert again.returncode in (0, 1), again.stderr
        assert "reproduction: " in again.stdout
    (tmp_path / "report.json").unlink()
    assert command(*VERIFY[:2], *VERIFY[3:7], *VERIFY[9:], folder=tmp_path).returncode == 0
    assert not left.exists()


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS[:-1])
def test_full_disk_loses_no_verdict(moment: str, tmp_path: Path) -> None:
    """The table has all of them, one line tells why there is no report, the older one stays."""
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("needs prlimit, by which any write to a file fails")
    (tmp_path / "report.json").write_text("older")
    status, out, err = run(moment, "full", tmp_path)
    assert status == 3, out + err
    assert (tmp_path / "report.json").read_text() == "older"
    assert "lstm-conformance: report.json cannot be written: File too large" in err
    if out or moment != "collection":
        assert len(list(rows(out))) == 2 * len(ASKED)
    else:  # it was noticed before anything was verified
        assert len(err.splitlines()) == 1
    assert [path.name for path in tmp_path.glob(".*.new")] == []


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_run_on_a_full_disk_is_told_in_a_line(workers: int, tmp_path: Path) -> None:
    """With status 3, before anything is verified, and nothing is left."""
    pytest.importorskip("resource")
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
    begin = [sys.executable, "-c", f"{limited}; {MAIN}"]
    told = processes.run([*begin, "verify", "torch.nn.LSTM", "-n", workers], tmp_path)
    assert (told.returncode, told.stdout) == (3, ""), told.stderr
    line = f"lstm-conformance: the run itself broke: nothing can be written to {tmp_path}: "
    assert [each.startswith(line) for each in told.stderr.splitlines()] == [True]
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_report_on_a_full_disk_is_told_in_a_line(tmp_path: Path) -> None:
    """Below the table, with status 3; `report` writes it later."""
    few = ["torch.nn.LSTM", "--requirement", ASKED[0], "--device", "cpu", "--max-examples", 2]
    told = command("verify", *few, "-n", 0, "--json", "/dev/full", folder=tmp_path)
    assert told.returncode == 3, told.stdout + told.stderr
    assert list(rows(told.stdout)) == [ASKED[0]]
    (left,) = tmp_path.glob(RUNNING)
    assert told.stderr.splitlines()[-1].startswith(
        "lstm-conformance: /dev/full cannot be written: No space left on device; "
        f"`lstm-conformance report {left.relative_to(tmp_path)} --json FILE` writes it later"
    )
    later = command("report", left, "--json", "report.json", folder=tmp_path)
    assert later.returncode == 0, later.stdout + later.stderr
    assert report(tmp_path / "report.json")["conformant"]


@pytest.mark.slow
def test_second_interrupt_changes_nothing(tmp_path: Path) -> None:
    """The table and the report are there after many of them."""
    (tmp_path / "happens").write_text("never SIGINT 0")
    with subprocess.Popen(
        [*COMMAND, *VERIFY, "--json", "report.json", "--profile", "thorough"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        assert "decided" in process.stderr.readline()
        for _ in range(5):
            os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=900)
    assert process.returncode == 130, out + err
    assert len(report(tmp_path / "report.json")["verdicts"]) == len(list(rows(out))) > 0
