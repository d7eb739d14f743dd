"""What is inferred of LSTMs of further forms, and of faults in a part of an LSTM."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from conformance import REQUIREMENTS, Budget, Crashed, Failed, Passed, check
from conformance.inference import infer
from tests.hand_written import further, wrong_further
from tests.hand_written.inferring import OF_NETWORKS, arguments, executed, inferred

RIGHT: dict[str, dict[str, Any]] = {
    "GatesFirst": {"weight_ih": "W.{1,0,2,3}", "bias": "b.{1,0,2,3}", "transposed": True},
    "gates_first": {
        "weight_hh": "U_{0,1,3,2}",
        "call": "input, stack(W_0, W_1, W_2, W_3), stack(U_0, U_1, U_2, U_3), "
        "stack(b_0, b_1, b_2, b_3)",
    },
    "BatchSize": {"batch_size": True, "layers": ("0", "1")},
    "OneToken": {"one_row": True, "cell": True, "call": "input, (h_0[0:1], c_0[0:1])"},
    "ColumnVectors": {"one_row": True, "columns": True, "returns": "output, h_n[0], c_n[0]"},
    "StepOfADecoder": {"cell": True, "call": "input, h_0, c_0", "returns": "_, h_n, c_n"},
    "OneStepALayer": {
        "call": "input, h_0[0:1], c_0[0:1]",
        "returns": "_, h_n[0:1], c_n[0:1]",
    },
    "YieldsSteps": {"returns": "output"},
    "DictOfSteps": {"batched": False, "returns": "output, c_all"},
    "KeywordOptions": {"call": "input, (h_0, c_0)"},
    "OneHot": {"embedding": "one_hot"},
    "ListsOfFloats": {"weight_ih": "W.{i,f,c,o}", "batched": False},
    "TuplesOfArrays": {"weight_ih": "gates.{input,forget,cell,output}.0"},
    "ResetsItsState": {"call": "input", "returns": "output"},
    "TakesAMask": {"call": "input", "square": True},
    "over_time": {"steps_last": True, "returns": "output"},
    "LearnsBothStarts": {"kept": ("h0", "c0"), "call": "input"},
    "Encoder": {"batch_first": "input", "embedding": "embedding"},
    "OneRowForEachStep": {"batch_first": "input", "returns": "flat(output), (h_n[0], c_n[0])"},
}
"""For each right one the telling arguments of its adapter."""

WRONG = {
    "UpperGatesSwapped": "(input gate and forget gate are swapped), in the layers above the lowest",
    "UpperLacksTanh": "without tanh on the cell state, in the layers above the lowest only",
    "GoesOnBackwards": "whose reverse direction starts from the final states of the forward",
    "MeanOfDirections": "the mean of the outputs of the two directions is returned",
    "DetachesCell": "that passes no gradient of c to the previous step",
    "ClampsCell": "that clips c to [-3, 3]",
    "ViewsItsGates": "that views the sums of its gates (N, 4 H) as (4, N, H), which mixes rows",
    "SqueezesItsGates": ".squeeze() drops every axis of size 1",
    "NewWeightsInEachCall": "a second call of the same instance returns other numbers",
    "OneBiasForAllGates": "b is added to the input gate, the forget gate, the candidate and the",
    "ForgetsItsCell": "that drops the cell state of the previous step",
    "ReturnsTheGivenCell": "the third returned value is c_0 as it was given, not c_n",
    "LengthsForNothing": "lengths have no effect",
    "PeeksByATable": "The results are right only while peep keeps its value from the constructor",
    "ScalesItsState": "The results are right only while scale keeps its value from the constructor",
    "HasABiasOfManyRows": "The results are right only while more keeps its value",
}
"""For each wrong one what is told of it."""

OF_GRADIENTS = {"DetachesCell"}
"""Those whose results are right."""

QUICK = {
    *("GatesFirst", "gates_first", "OneToken", "ColumnVectors", "YieldsSteps", "DictOfSteps"),
    *("OneBiasForAllGates", "DetachesCell", "ForgetsItsCell", "PeeksByATable"),
}
"""Those that are tried in the fast loop."""


def listed(names: dict[str, Any]) -> list[Any]:
    slow = pytest.mark.slow
    return [pytest.param(name, marks=() if name in QUICK else slow) for name in names]


@pytest.mark.parametrize("name", listed(RIGHT))
def test_infer_finds_the_mapping_of_a_right_lstm(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The printed code has the right arguments, and what it defines computes the LSTM."""
    found = inferred("further.py", name, OF_NETWORKS)
    assert found.fits, found.faults
    assert RIGHT[name].items() <= arguments(found.code).items()
    mine = executed(found.code, "further.py", monkeypatch)
    decided = ["results_match_reference", "h_n_is_last_output", "gradients_match_backpropagation"]
    verdicts = [check(REQUIREMENTS[each], mine, budget=Budget(10, seed=3)) for each in decided]
    assert all(verdict.conformant for verdict in verdicts), verdicts
    assert isinstance(verdicts[0], Passed)
    assert isinstance(verdicts[2], Passed) == mine.supports.gradients


@pytest.mark.parametrize("name", listed(WRONG))
def test_infer_names_the_fault_of_a_wrong_lstm(name: str) -> None:
    """What is wrong is told in words, and the nearest mapping fails."""
    found = inferred("wrong_further.py", name, OF_NETWORKS)
    assert not found.fits
    assert any(WRONG[name] in fault for fault in found.faults), found.faults
    of_gradients = name in OF_GRADIENTS
    assert ("but not its gradients" in found.lines()[0]) == of_gradients
    requirement = "gradients_match_backpropagation" if of_gradients else "results_match_reference"
    verdict = check(requirement, found.implementation, budget=Budget(40, seed=3))
    assert isinstance(verdict, (Failed, Crashed)), verdict


def test_lists_of_further_lstms_are_complete() -> None:
    """Each is expected to be right or wrong."""
    helpers = {"sigmoid", "ModelOutput", "one_step", "Layer"}
    for module, known in ((further, RIGHT), (wrong_further, WRONG)):
        source = inspect.getsource(module)
        defined = set(re.findall(r"^(?:class|def) (\w+)", source, re.MULTILINE))
        assert defined - helpers == set(known)


@pytest.mark.slow
def test_infer_tells_how_a_state_is_reset() -> None:
    """What a call goes on from is a remark if a method resets it."""
    found = inferred("further.py", "ResetsItsState", OF_NETWORKS)
    assert found.remarks[-1].startswith(
        "a call goes on from self.hidden of the call before, until init_hidden() is called"
    )


CELL = """
import torch
from torch import nn


class Cell(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.linear = nn.Linear(input_size + hidden_size, 4 * hidden_size)

    def forward(self, x, h, c):
        i, f, g, o = self.linear(torch.cat([x, h], -1)).chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c
"""


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
