"""Whatever an implementation does becomes a verdict; the others get theirs."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conformance import REQUIREMENTS
from conformance.checking.verdict import (
    Crashed,
    Failed,
    NotApplicable,
    Passed,
    TimedOut,
    Undecided,
    Verdict,
    from_json,
)
from tests.support import misbehaving, reports
from tests.support.processes import COMMAND, command

MISBEHAVING = Path(misbehaving.__file__)
STATE, PRINTED = "process_state_is_left_alone", "nothing_is_printed"
ASKED = ["results_match_reference", STATE, PRINTED]
ALL = dict.fromkeys(ASKED)

WAYS: dict[str, dict[str, tuple[type[Verdict], str]]] = {
    "Aborts": dict.fromkeys(ALL, (Crashed, "the process died in this case")),
    "ExitsInC": dict.fromkeys(ALL, (Crashed, "the process died in this case")),
    "RaisesWhatNobodyCatches": dict.fromkeys(ALL, (Crashed, "misbehaving.Bang: gone")),
    "InterruptsItself": dict.fromkeys(ALL, (Crashed, "raised KeyboardInterrupt")),
    "HogsMemory": dict.fromkeys(ALL, (Crashed, "raised MemoryError")),
    "HogsMemoryInTorch": dict.fromkeys(ALL, (Crashed, "allocate")),
    "Prints": {PRINTED: (Failed, "standard output = 'shape")},
    "ChangesEverything": {STATE: (Failed, "changed by the call")},
    "RaisesOnUnderflow": {},
    "AnswersLists": dict.fromkeys(ALL, (Crashed, "h_n is a list, not a tensor")),
    "AnswersTheWrongType": dict.fromkeys(ALL, (Crashed, "the answer is a str, not a tuple")),
    "GivesLists": dict.fromkeys(ALL, (Undecided, "output is a list, not a NumPy array")),
    "GivesTensorsThatRequireGrad": dict.fromkeys(
        ALL, (Undecided, "output is a torch.Tensor, not a NumPy array")
    ),
    "GivesNothing": dict.fromkeys(ALL, (Undecided, "run() returned NoneType, not a Result")),
}
"""For each class what each requirement says of it; those that are left out pass."""


def verdicts(report: Path) -> list[Verdict]:
    return [from_json(verdict) for verdict in reports.report(report)["verdicts"]]


@pytest.mark.slow
def test_every_way_of_misbehaving_is_a_verdict_with_its_case(tmp_path: Path) -> None:
    """Each gets the verdict that fits, with the case; what is not concerned passes."""
    options = [option for name in ASKED for option in ("--requirement", name)]
    run = command(
        *("verify", *(f"{MISBEHAVING}:{name}" for name in WAYS), "torch.nn.LSTM", *options),
        *("--max-examples", 60, "--seed", 4, "--device", "cpu", "--memory", 4, "--strict"),
        *("--json", "report.json"),
        folder=tmp_path,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    found = verdicts(tmp_path / "report.json")
    assert len(found) == len(ASKED) * (len(WAYS) + 1)
    for verdict in found:
        name = verdict.implementation.rpartition(":")[2]
        kind, told = WAYS.get(name, {}).get(verdict.requirement, (Passed, ""))
        assert isinstance(verdict, kind), (verdict.implementation, verdict)
        assert told in "\n".join(verdict.lines())
        if not verdict.conformant:
            assert verdict.counterexample is not None
            assert verdict.counterexample.case.startswith("<LSTM ")


@pytest.mark.slow
def test_run_ends_within_its_time_limit_even_when_everything_hangs(tmp_path: Path) -> None:
    """Requirements that were tried are timed out with their case, the rest are undecided."""
    for limit in (12, 40, 120):
        run = command(
            *("verify", f"{MISBEHAVING}:Sleeps", "--device", "cpu", "--timeout", 2),
            *("--time-limit", limit, "--json", "report.json"),
            folder=tmp_path,
        )
        assert run.returncode == 1, run.stdout + run.stderr
        found = [each for each in verdicts(tmp_path / "report.json") if each.device == "cpu"]
        assert len(found) == len(REQUIREMENTS)
        tried = [each for each in found if isinstance(each, TimedOut)]
        if len(tried) >= 2:  # else the machine was too busy to begin so many in that time
            break
    undecided = [each for each in found if isinstance(each, Undecided)]
    assert all(each.counterexample is not None for each in tried)
    begun = [each for each in undecided if " s was reached in <LSTM " in each.reason]
    untried = [
        each for each in undecided if each.reason.endswith(f" limit of {limit} s was reached")
    ]
    assert len(begun) + len(untried) == len(undecided)
    assert len(tried) >= 2
    assert len(begun) <= 2
    assert not any(each.reproduction for each in undecided)
    assert len(untried) >= len(REQUIREMENTS) // 3
    shown = " ".join(run.stdout.split())
    assert f" s was reached: {len(untried)} requirements" in shown
    left = [each for each in found if each not in [*tried, *undecided]]
    assert all(isinstance(each, (Passed, NotApplicable, Failed, Crashed)) for each in left)


@pytest.mark.slow
def test_interrupted_run_reports_what_it_has(tmp_path: Path) -> None:
    """Ctrl-C ends the run with status 130, its verdicts so far in the table and in the report."""
    arguments = ["verify", "torch.nn.LSTM", "--device", "cpu", "--json", "report.json"]
    with subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        assert "decided" in process.stderr.readline()
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=300)
    assert process.returncode == 130, out + err
    found = verdicts(tmp_path / "report.json")
    assert len(REQUIREMENTS) // 10 <= len(found) < len(REQUIREMENTS)
    assert f"interrupted: {len(found)} of {len(REQUIREMENTS)} decided" in err
    assert "torch.nn.LSTM on cpu" in out
    assert "conformant" not in out.splitlines()[-1]


@pytest.mark.slow
def test_process_that_dies_of_an_impossible_case_leaves_a_script(tmp_path: Path) -> None:
    """A case that no script can make is replayed by it, and the run goes on."""
    asked = ["--requirement", "wrong_state_features_are_refused", "--requirement", ASKED[0]]
    run = command(
        *("verify", f"{MISBEHAVING}:DiesOfWrongShapes", *asked, "--device", "cpu"),
        *("--max-examples", 10, "--json", "report.json"),
        folder=tmp_path,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    passed, died = verdicts(tmp_path / "report.json")
    assert isinstance(passed, Passed)
    assert isinstance(died, Crashed)
    script = tmp_path / died.reproduction / "reproduce.py"
    again = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True)
    assert again.returncode == 1, again.stdout + again.stderr
    assert "died" in again.stdout
