"""A device that is lost is one red; what comes after it is decided in another process."""

from pathlib import Path

import pytest

from conformance import Crashed, NotApplicable, Passed
from conformance.checking.verdict import from_json
from conformance.requirements import REQUIREMENTS, errors
from tests.support import misbehaving, reports
from tests.support.processes import command
from tests.support.processes import pytest as run_pytest

MISBEHAVING = Path(misbehaving.__file__)
LOSING, RIGHT = (f"{MISBEHAVING}:{name}" for name in ("LosesItsDevice", "RightOnASecondDevice"))
LOST = "wrong_state_features_are_refused"
UNUSABLE = "left the CUDA device unusable by h_0 with one feature too few: CUDA error: device-side"
ASKED = [
    name
    for name, each in REQUIREMENTS.items()
    if each.body.__module__ == errors.__name__ or each.level == "core"
]
OPTIONS = [option for name in ASKED for option in ("--requirement", name)]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_lost_device_is_one_red(workers: int, tmp_path: Path) -> None:
    """The requirement that lost it says with which call; all others are decided, and right."""
    run = command(
        *("verify", LOSING, RIGHT, *OPTIONS, "--device", "cuda:0", "-n", workers),
        *("--max-examples", 5, "--json", "report.json"),
        folder=tmp_path,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    written = reports.report(tmp_path / "report.json")
    found = [from_json(verdict) for verdict in written["verdicts"]]
    assert len(found) == 2 * len(ASKED)
    (red,) = [each for each in found if not isinstance(each, (Passed, NotApplicable))]
    assert (red.requirement, red.implementation) == (LOST, LOSING.rpartition(":")[2])
    assert isinstance(red, Crashed)
    assert red.counterexample is not None
    assert red.counterexample.message.startswith(UNUSABLE)
    assert red.counterexample.case.startswith("<LSTM ")
    script = tmp_path / red.reproduction / "reproduce.py"
    assert UNUSABLE in script.read_text()


def test_lost_device_leaves_the_rest_of_a_process_undecided(tmp_path: Path) -> None:
    """Without workers under pytest itself, nothing that follows is held against anybody."""
    run = run_pytest(
        *("--pyargs", "conformance", "--lstm", LOSING, "--lstm", RIGHT, "--lstm-device", "cuda:0"),
        *("--lstm-max-examples", 5),
        *("--lstm-requirement", "h_n_is_last_output", "--lstm-requirement", LOST),
        *("--lstm-requirement", "device_and_cpu_agree", "-n", 0),
        "-rN",  # pytest's own summary would repeat each message, whole only where CI is set
        folder=tmp_path,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert run.stdout.count(f"an earlier requirement {UNUSABLE}") == 3
    assert "2 passed" in run.stdout
