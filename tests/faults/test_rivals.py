"""Other ways of testing an LSTM, on a few of the faults that they are compared on."""

import pytest
import torch

from . import rivals
from .board import fingerprint
from .comparisons import onnx_node_settings, random_normal_inputs
from .equations import ReturnsZeros, SwapsInputAndForgetGates
from .layout import ReversesUnbatchedTimeWithBatchFirst
from .plain import PlainLSTM
from .states import IgnoresInitialCellState

pytestmark = pytest.mark.filterwarnings("default")


@pytest.mark.parametrize("right", [PlainLSTM, torch.nn.LSTM])
@pytest.mark.parametrize("test", [random_normal_inputs, onnx_node_settings])
def test_right_lstm_passes_other_tests(right: type, test: rivals.Test) -> None:
    """What is not faulty is not caught."""
    test(right)


def test_random_normal_inputs_catch_wrong_equations() -> None:
    """Swapped gates and ignored states show on random numbers."""
    assert rivals.fails(random_normal_inputs, SwapsInputAndForgetGates)
    assert rivals.fails(random_normal_inputs, IgnoresInitialCellState)


def test_onnx_settings_catch_zeros_only() -> None:
    """With equal weights gates cannot be told apart, and no state is given."""
    assert rivals.fails(onnx_node_settings, ReturnsZeros)
    assert not rivals.fails(onnx_node_settings, SwapsInputAndForgetGates)
    assert not rivals.fails(onnx_node_settings, IgnoresInitialCellState)


@pytest.mark.slow
def test_comparison_counts_on_the_same_faults(capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints a number for each way, and is content if the suite misses nothing.

    PyTorch's samples compare a module with itself on a batch of one: they cannot see zeros.
    """
    pytest.importorskip("expecttest")
    faults = ReturnsZeros, SwapsInputAndForgetGates, ReversesUnbatchedTimeWithBatchFirst
    assert rivals.main([*(fault.__name__ for fault in faults), "--workers", "1"]) == 0
    printed = capsys.readouterr().out
    assert "3 of 3 caught by this suite" in printed
    assert "1 of 3 caught by ModuleInfo samples" in printed
    assert "2 of 3 caught by random normal inputs" in printed
    assert "1 of 3 caught by ONNX node settings" in printed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["NoSuchFault"], "no fault in results or gradients is named NoSuchFault"),
        (["ReturnsZeros", "--write"], "--write needs all faults"),
    ],
)
def test_comparison_refuses_what_makes_no_sense(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name that is misspelled, and a page of some faults only, are wrong usage."""
    with pytest.raises(SystemExit, match="2"):
        rivals.main(words)
    assert said in capsys.readouterr().err


def test_suite_that_misses_a_fault_is_a_problem() -> None:
    """So is a right LSTM that fails one of the other tests."""
    found = {"PlainLSTM": {"ONNX node settings": True}, "ReturnsZeros": {rivals.SUITE: False}}
    assert rivals.found_problems(found) == [
        "PlainLSTM is right and fails ONNX node settings",
        "ReturnsZeros is not caught by this suite",
    ]


def test_published_comparison_is_of_these_faults() -> None:
    """RIVALS.md was written with the faults as they are now."""
    written = f"`{fingerprint(rivals.EVERYTHING, {})}`" in rivals.RIVALS.read_text(encoding="utf-8")
    assert written, "faults have changed: python tests/faults/rivals.py --write writes it anew"
