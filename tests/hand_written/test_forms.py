"""What is inferred of the hand-written LSTMs in forms.py, right and wrong."""

import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from conformance import REQUIREMENTS, Budget, Crashed, Failed, Passed, check
from conformance.inference import infer
from tests.hand_written.forms import (
    BY_NAME,
    HELPERS,
    IN_FLOAT32,
    OF_GRADIENTS,
    QUICK,
    RIGHT,
    RIGHT_WHEN_NEW,
    WRONG,
    WRONG_BEHIND,
)
from tests.hand_written.inferring import CALLS, FOLDER, OF_NETWORKS, arguments, executed, inferred
from tests.hand_written.networks import Cell

DECIDED = (
    *("results_match_reference", "rows_do_not_interact", "gradients_match_backpropagation"),
    *("h_n_is_last_output", "h_n_is_last_valid_step", "gradients_pass_through_packed_batches"),
)


def listed(of: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    slow = pytest.mark.slow
    return [
        pytest.param(file, name, marks=() if name in QUICK else slow)
        for file, names in of.items()
        for name in names
    ]


@pytest.mark.parametrize(("file", "name"), listed(RIGHT))
def test_infer_finds_the_mapping_of_a_right_lstm(
    file: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The printed code has the right arguments, and what it defines computes the LSTM."""
    found = inferred(file, name, CALLS if name in IN_FLOAT32 else OF_NETWORKS)
    assert found.fits, found.faults
    assert RIGHT[file][name].items() <= arguments(found.code).items()
    mine = executed(found.code, file, monkeypatch)
    verdicts = [check(REQUIREMENTS[each], mine, budget=Budget(10, seed=3)) for each in DECIDED]
    assert all(verdict.conformant for verdict in verdicts), verdicts
    assert isinstance(verdicts[0], Passed)
    assert isinstance(verdicts[2], Passed) == mine.supports.gradients
    assert ("lengths" in arguments(found.code)["call"]) == mine.supports.lengths


@pytest.mark.parametrize(("file", "name"), listed(WRONG))
def test_infer_names_the_fault_of_a_wrong_lstm(file: str, name: str) -> None:
    """What is wrong is told in words, and the nearest mapping fails unless only names are wrong."""
    found = inferred(file, name, OF_NETWORKS)
    assert not found.fits
    assert any(WRONG[file][name] in fault for fault in found.faults), found.faults
    of_gradients = name in OF_GRADIENTS
    assert ("but not its gradients" in found.lines()[0]) == of_gradients
    if name not in RIGHT_WHEN_NEW:
        claim = "gradients_match_backpropagation" if of_gradients else "results_match_reference"
        verdict = check(claim, found.implementation, budget=Budget(40, seed=3))
        passes = name in BY_NAME | WRONG_BEHIND
        assert isinstance(verdict, Passed if passes else (Failed, Crashed)), verdict


@pytest.mark.parametrize("file", [*RIGHT, *WRONG])
def test_list_of_forms_is_complete(file: str) -> None:
    """Each class and function of a file is expected to be right or wrong."""
    source = (FOLDER / file).read_text()
    defined = set(re.findall(r"^(?:class|def) (\w+)", source, re.MULTILINE))
    refused = {"ThreeGates", "TiedGates"}
    expected = set(RIGHT[file] if file in RIGHT else WRONG[file])
    assert defined - HELPERS - refused == expected


def test_infer_finds_the_mapping_of_script_methods() -> None:
    """Which list the instance among their arguments."""
    found = inferred("scripted.py", "ScriptLayer")
    assert found.fits, found.faults
    assert arguments(found.code)["call"] == "input, (h_0[0], c_0[0])"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "part"),
    [("SentimentOfAnyDepth", ""), ("SentimentOfOneDirection", "bidirectional=True")],
)
def test_infer_tells_with_what_a_network_was_not_tried(name: str, part: str) -> None:
    """Its first line names the arguments; gradients of top states are verified."""
    found = inferred("public.py", name, OF_NETWORKS)
    assert found.part == part
    assert (f"not with {part}." in found.lines()[0]) == bool(part)
    assert "gradients" not in found.implementation.supports.lacking()


@pytest.mark.slow
def test_infer_tells_how_a_state_is_reset() -> None:
    """What a call goes on from is a remark if a method resets it."""
    found = inferred("further.py", "ResetsItsState", OF_NETWORKS)
    assert found.remarks[-1].startswith(
        "a call goes on from self.hidden of the call before, until init_hidden() is called"
    )


CELL = f"import torch\nfrom torch import nn\n\n\n{inspect.getsource(Cell)}"


@pytest.mark.parametrize(
    ("package", "line"),
    [("by_dot", "from .cell import Cell"), ("by_name", "from by_name.cell import Cell")],
)
def test_infer_finds_a_class_of_several_files(package: str, line: str, tmp_path: Path) -> None:
    """A file may import others of its package, relatively or from the folder above."""
    folder = tmp_path / package
    folder.mkdir()
    (folder / "cell.py").write_text(CELL)
    (folder / "model.py").write_text(f"{line}\n\n\nclass Model(Cell):\n    pass\n")
    found = infer(f"{folder / 'model.py'}:Model")
    assert found.fits, found.faults
    assert f"from {package}.model import Model" in found.code
    assert f"sys.path.insert(0, {str(tmp_path)!r})" in found.code
