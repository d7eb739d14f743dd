"""LSTMs that deceive or spoil their process, side by side in whole runs of the command."""

from pathlib import Path

import pytest

from conformance.checking.verdict import (
    Crashed,
    Failed,
    NotApplicable,
    Passed,
    Undecided,
    from_json,
)
from tests.support import deceiving, reports
from tests.support.processes import command

PLACE = Path(deceiving.__file__)
NAMES = {
    "AlwaysRaises": Undecided,
    "EqualToAll": Failed,
    "ReplacesNumpyAbs": Crashed,
    "ReplacesModules": Crashed,
    "RemovesModules": Crashed,
    "LimitsItsFiles": Crashed,
    "LimitsTheSizeOfFiles": Crashed,
    "SaysWhatNobodyCanWrite": Undecided,
}


@pytest.mark.slow
def test_deceivers_are_red_beside_a_right_lstm(tmp_path: Path) -> None:
    """Each comes to its verdict, and PyTorch's own LSTM passes."""
    run = command(
        *("verify", *(f"{PLACE}:{name}" for name in NAMES), "torch.nn.LSTM", "--device", "cpu"),
        *("--requirement", "results_match_reference"),
        *("--max-examples", 5, "--json", "report.json", "-n", 1),
        folder=tmp_path,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    report = reports.report(tmp_path / "report.json")
    found = [from_json(verdict) for verdict in report["verdicts"]]
    kinds = {verdict.implementation: type(verdict) for verdict in found}
    assert kinds.pop("torch.nn.LSTM") is Passed
    assert kinds.pop(r"caf\udce9 \x1b[31m") is Undecided
    assert kinds == {name: NAMES[name] for name in kinds}
    assert len(kinds) == len(NAMES) - 1
    assert all(each.isprintable() or each == "\n" for each in run.stdout)


@pytest.mark.slow
def test_run_that_decides_nothing_is_not_conformant(tmp_path: Path) -> None:
    """It ends with status 3, and the report lists what nothing was checked of."""
    run = command(
        *("verify", "torch.nn.LSTM", "--requirement", "device_and_cpu_agree", "--device", "cpu"),
        *("--json", "report.json", "-n", 0),
        folder=tmp_path,
    )
    assert run.returncode == 3, run.stdout + run.stderr
    assert run.stdout.rstrip().endswith("nothing was checked of torch.nn.LSTM")
    report = reports.report(tmp_path / "report.json")
    assert (report["conformant"], report["unchecked"]) == (False, ["torch.nn.LSTM"])
    assert isinstance(from_json(report["verdicts"][0]), NotApplicable)
