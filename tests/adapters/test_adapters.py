"""Each shipped implementation verified as a user does it, where its framework is installed."""

import json
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

from conformance.implementations.shipped import SHIPPED
from tests.adapters.findings import FINDINGS, Finding
from tests.support.processes import command, run

PLAIN = ("torch.nn.LSTM", "torch.nn.LSTMCell", "stacked-cells")
"""Those that most other tests are about."""

FEW = ["cell_matches_equations", "results_match_reference", "shapes_are_as_documented"]
"""What each implementation must pass in the dtypes in which it is right."""

EXAMINED = "2.13."
"""The version of PyTorch that the findings about it are of."""

WRONG = {
    "onnx-reference": {"results_match_reference"},
    "torch.ao.nn.quantizable.LSTM": set(FEW),
    "torch.ao.nn.quantizable.LSTM-forward": set(),
    "paddle-without-bias": set(FEW),
}
"""But for these: what does not hold in float32 either, and is in the findings."""


def installed(names: tuple[str, ...]) -> bool:
    return all(find_spec(name) for name in names)


def needs_framework(name: str) -> None:
    shipped = SHIPPED[name]
    if not installed(shipped.needs):
        pytest.skip(f"{name} needs {' and '.join(shipped.needs)}")
    if not shipped.needs and not torch.__version__.startswith(EXAMINED):
        pytest.skip(f"PyTorch's other ways to run an LSTM were examined in {EXAMINED}")


def verdicts(name: str, requirements: list[str], folder: Path, *options: object) -> dict[str, Any]:
    """Outcomes by requirement of ``lstm-conformance verify``."""
    only = [word for requirement in requirements for word in ("--requirement", requirement)]
    report = folder / "report.json"
    done = command(
        *("verify", name, *only, *options, "--strict", "--device", "cpu"),
        *("-n", 1, "--json", report),
        folder=folder,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = json.loads(report.read_text())["verdicts"]
    return {verdict["requirement"]: verdict["outcome"] for verdict in found}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SHIPPED if name not in PLAIN])
def test_implementation_computes_the_lstm_in_float32(name: str, tmp_path: Path) -> None:
    """In float32 each passes what is at the heart of it, but for what the findings say."""
    needs_framework(name)
    if name == "torch.compile" and not any(map(shutil.which, ("c++", "g++", "clang++", "cl"))):
        pytest.skip("torch.compile needs a C++ compiler")
    cases = 1 if name == "torch.compile" else 3
    options = "--max-examples", cases, "--dtype", "float32", "--seed", 1
    found = verdicts(name, FEW, tmp_path, *options)
    wrong = {requirement for requirement, outcome in found.items() if outcome != "passed"}
    new = sorted(wrong - WRONG.get(name, set()))
    assert not new, f"{', '.join(new)}: if {name} is wrong, and not its adapter, add them to WRONG"
    assert len(found) == len(FEW)


@pytest.mark.slow
@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: finding.title)
def test_finding_is_shown_by_its_script(finding: Finding, tmp_path: Path) -> None:
    """Each finding can be seen without this project, where its framework is installed."""
    needs_framework(finding.implementations[0])
    done = run([sys.executable, "-W", "ignore", "-c", finding.reproduction], tmp_path)
    if finding.shows:
        assert finding.shows in done.stdout, done.stdout + done.stderr
    else:
        assert done.returncode < 0, done.stdout + done.stderr
