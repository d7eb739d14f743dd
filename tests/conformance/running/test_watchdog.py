"""What would hold up the run for ever is ended, and what would outlive it as well."""

from pathlib import Path

import pytest

from conformance.checking.verdict import Crashed, Passed, TimedOut, Verdict, from_json
from tests.support import misbehaving, reports
from tests.support.processes import alive, command, wait_for_end

MISBEHAVING = Path(misbehaving.__file__)
ONE = ["--requirement", "results_match_reference", "--device", "cpu", "--seed", 4]

LOADED_ONCE = """
import os
from pathlib import Path
from torch import nn

if Path("loaded").exists():
    os._exit(1)
Path("loaded").touch()

class Mine(nn.LSTM):
    def forward(self, x, hx=None):
        if getattr(x, "data", x).any():
            os._exit(1)
        return super().forward(x, hx)
"""
"""A module that can be imported once, with an LSTM that ends its process."""

HOLDS_UP: dict[str, tuple[type[Verdict], str]] = {
    "StopsItself": (TimedOut, "no verdict within 20 s"),
    "HoldsTheInterpreter": (TimedOut, "no verdict within 20 s"),
    "DiesBesideAChild": (Crashed, "the process died in this case"),
}
"""What cannot be ended from within its process, with the verdict and its reason."""


def verdicts(folder: Path) -> list[Verdict]:
    return [from_json(each) for each in reports.report(folder / "report.json")["verdicts"]]


@pytest.mark.slow
def test_worker_that_does_not_go_on_is_ended(tmp_path: Path) -> None:
    """With a verdict that names the case; the others get theirs."""
    names = [f"{MISBEHAVING}:{name}" for name in HOLDS_UP]
    run = command(
        *("verify", *names, "torch.nn.LSTM", *ONE, "--max-examples", 20, "--timeout", 20),
        *("--json", "report.json", "-n", 4),  # so that they wait at the same time
        folder=tmp_path,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    *found, right = verdicts(tmp_path)
    assert isinstance(right, Passed)
    for verdict, (kind, told) in zip(found, HOLDS_UP.values(), strict=True):
        assert isinstance(verdict, kind), verdict
        assert verdict.counterexample is not None
        assert verdict.counterexample.case.startswith("<LSTM ")
        assert verdict.counterexample.message == told
    assert not list(tmp_path.glob(".lstm-conformance/running-*"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["WritesIntoEveryPipe", "AnnouncesALongMessage"])
def test_noise_between_worker_and_command_loses_no_verdict(name: str, tmp_path: Path) -> None:
    """What a worker decided is on disk; the requirement in which the noise came has a verdict."""
    run = command(
        *("verify", f"{MISBEHAVING}:{name}", "torch.nn.LSTM", *ONE, "--max-examples", 10),
        *("--json", "report.json", "--requirement", "cell_matches_equations", "-n", 4),
        folder=tmp_path,
    )
    assert run.returncode in (0, 1), run.stdout + run.stderr
    found = verdicts(tmp_path)
    assert len(found) == 4
    assert all(isinstance(each, Passed) for each in found if each.implementation[:5] == "torch")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("name", ["LeavesChildren", "LeavesAProgram", "LeavesADaemon"])
def test_processes_that_are_left_are_ended(name: str, tmp_path: Path) -> None:
    """With the worker, even if they have left its session."""
    run = command(
        *("verify", f"{MISBEHAVING}:{name}", *ONE, "--max-examples", 5),
        folder=tmp_path,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    processes = [int(line) for line in (tmp_path / "left").read_text().split()]
    assert len(processes) == (20 if name == "LeavesChildren" else 1)
    assert wait_for_end(processes) == [] == alive(processes)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")
def test_processes_are_ended_though_their_keeper_was_killed(tmp_path: Path) -> None:
    """With the command, which adopts them."""
    run = command(
        *("verify", f"{MISBEHAVING}:KillsItsKeeper", *ONE, "--max-examples", 5, "-n", 1),
        *("--json", "report.json"),
        folder=tmp_path,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    (died,) = verdicts(tmp_path)
    assert isinstance(died, Crashed)
    processes = [int(line) for line in (tmp_path / "left").read_text().split()]
    assert processes
    assert wait_for_end(processes) == [] == alive(processes)


@pytest.mark.slow
def test_warning_of_an_unknown_class_stays_in_the_worker(tmp_path: Path) -> None:
    """The process that reports could not import it."""
    run = command("verify", f"{MISBEHAVING}:Warns", *ONE, "--max-examples", 5, folder=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "this is old" not in run.stdout + run.stderr


@pytest.mark.slow
def test_hang_is_cheap_once_requirements_have_timed_out(tmp_path: Path) -> None:
    """What meets it then waits for seconds only; the run says so, and the others pass."""
    names = [
        *("results_match_reference", "rows_do_not_interact", "h_n_is_last_output"),
        *("calls_are_independent", "layers_are_a_chain", "omitted_states_are_zeros"),
        *("cell_matches_equations", "shapes_are_as_documented"),
    ]
    asked = [word for name in names for word in ("--requirement", name)]
    run = command(
        *("verify", f"{MISBEHAVING}:HangsOnThreeSteps", *asked, "--device", "cpu", "--seed", 4),
        *("--max-examples", 30, "--timeout", 15, "-n", 2, "--json", "report.json"),
        folder=tmp_path,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    found = verdicts(tmp_path)
    late = [each for each in found if isinstance(each, TimedOut)]
    assert len(late) > 3
    assert all(isinstance(each, Passed) for each in found if each not in late)
    reasons = {each.counterexample.message for each in late if each.counterexample}
    assert "no verdict within 15 s" in reasons
    assert len(reasons) > 1
    assert "HangsOnThreeSteps had timed out, and half of the calls" in " ".join(run.stdout.split())


@pytest.mark.slow
def test_run_whose_processes_cannot_load_ends(tmp_path: Path) -> None:
    """It says so, and keeps the verdict that it had."""
    (tmp_path / "mine.py").write_text(LOADED_ONCE)
    run = command(
        *("verify", "mine.py:Mine", "torch.nn.LSTM", *ONE, "--max-examples", 3, "-n", 1),
        *("--json", "report.json"),
        folder=tmp_path,
    )
    assert run.returncode == 3, run.stdout + run.stderr
    assert "3 processes in a row ended while loading 'mine.py:Mine'" in run.stderr
    (died,) = verdicts(tmp_path)
    assert isinstance(died, Crashed)
