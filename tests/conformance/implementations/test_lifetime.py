"""Processes of other LSTMs: when they are ended, and that none is left."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.support.processes import command, wait_for_end
from tests.support.processes import pytest as run_pytest
from tests.support.programs import FOLDERS, SEVERAL, SINGLE, command_of
from tests.support.reports import report


def numbers(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().splitlines()]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 9)", "os._exit(1)", "sys.exit()"])
def test_command_processes_end_with_ours(end: str, tmp_path: Path) -> None:
    """However our process ends: the program is gone, and what it started as well."""
    started = tmp_path / "started"
    text = command_of("sleeps_with_children", started)
    script = (
        "import os, sys\n"
        "from conformance import CommandImplementation\n"
        "from reference import Configuration\n"
        "from tests.support.cases import random_case\n"
        f"implementation = CommandImplementation({text!r}, answering=1000)\n"
        "import threading, time\n"
        "case = random_case(Configuration(2, 3))\n"
        "threading.Thread(target=implementation.run, args=(case,), daemon=True).start()\n"
        f"while open({str(started)!r}).read().count(chr(10)) < 2: time.sleep(0.05)\n"
        f"{end}\n"
    )
    subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": FOLDERS},
        timeout=300,
        check=False,
    )
    processes = numbers(started)
    assert len(processes) == 2
    assert wait_for_end(processes) == []


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_verify_ends_in_time_when_every_requirement_hangs(tmp_path: Path) -> None:
    """Each requirement is timed out, the others pass, and no process is left."""
    started = tmp_path / "started"
    run = command(
        *("verify", "--command", command_of("sleeps_with_children", started), "--device", "cpu"),
        *("--timeout", 2, "--max-examples", 4, "--seed", 1, "--json", "report.json"),
        folder=tmp_path,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    outcomes: Counter[str] = Counter()
    for verdict in report(tmp_path / "report.json")["verdicts"]:
        outcomes[verdict["outcome"]] += 1
        if verdict["outcome"] == "timed out":
            told = verdict["counterexample"]["message"]
            assert told in ("gave no answer within 1 s", "no verdict within 2 s")
    assert outcomes["timed out"] > 15
    assert outcomes["passed"] >= 1
    assert outcomes.keys() <= {"timed out", "passed", "not applicable"}
    assert wait_for_end(numbers(started)) == []


@pytest.mark.slow
def test_verify_ends_a_requirement_that_takes_too_long(tmp_path: Path) -> None:
    """Answers that come in time, each, but all together do not: timed out, with the case."""
    run = command(
        *("verify", "--command", command_of("takes_its_time"), "--device", "cpu", "-n", 1),
        *("--requirement", SEVERAL.name, "--requirement", SINGLE.name, "--timeout", 8),
        *("--seed", 1, "--max-examples", 60),
        folder=tmp_path,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert "1 passed, 1 timed out" in run.stdout or "1 timed out, 1 passed" in run.stdout
    told = run.stdout.partition(f"mis::behaving on cpu: {SEVERAL.name} timed out\n")[2]
    assert told.startswith("  no verdict within 8 s\n  in <LSTM ")


def test_plugin_takes_commands(tmp_path: Path) -> None:
    """Under pytest a command is an option, and its requirements are items with its name."""
    run = run_pytest(
        *("--pyargs", "conformance", "-v", "--lstm-device", "cpu", "--lstm-max-examples", 3),
        *("--lstm-command", command_of("is_right"), "--lstm-requirement", SINGLE.name),
        folder=tmp_path,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"::{SINGLE.name}[mis::behaving|cpu] PASSED" in run.stdout
