"""How small an error the suite sees: the quick profile catches each of these, and passes torch."""

import pytest
import torch

from conformance import (
    PROFILES,
    REQUIREMENTS,
    Budget,
    Failed,
    Passed,
    check,
    load,
)
from conformance.implementations.pytorch.probing import adapt
from tests.support import specimens

FAULTS = {
    specimens.MissesSigmoidBy2e5: "activations_are_accurate",
    specimens.CutsProductsTo10Bits: "results_match_reference",
    specimens.ComputesFloat64InFloat32: "results_match_reference",
    specimens.MissesHiddenStateBy1e4: "results_match_reference",
}
"""By the requirement that shows it."""
RIGHT = ["torch.nn.LSTM", "torch.nn.LSTMCell", "stacked-cells"]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("cls", FAULTS, ids=lambda cls: cls.__name__)
def test_small_errors_fail(cls: type[specimens.PlainCell], seed: int) -> None:
    """Twenty cases of a requirement show the error, in float64 if it is there alone."""
    verdict = check(
        REQUIREMENTS[FAULTS[cls]],
        adapt(cls, cls.__name__),
        budget=Budget(PROFILES["quick"], seed, shrink_seconds=1.0),
    )
    assert isinstance(verdict, Failed), verdict
    found = verdict.counterexample
    assert found is not None
    assert found.allowed is not None
    assert cls is not specimens.ComputesFloat64InFloat32 or " float64 on " in found.case
    distance = abs(float(found.got) - float(found.expected))
    assert found.allowed < distance < 0.01


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", [*RIGHT, f"{specimens.__file__}:PlainCell"])
def test_right_implementations_pass(name: str, seed: int) -> None:
    """The same cases pass on PyTorch's own, and on the cell that the faulty ones are made from."""
    verdict = check(
        REQUIREMENTS["results_match_reference"],
        load(name),
        budget=Budget(PROFILES["quick"], seed),
    )
    assert isinstance(verdict, Passed), verdict
    assert verdict.largest_share is not None
    assert 0.01 < verdict.largest_share < 0.6


@pytest.mark.parametrize("bits", [0.1, 1 / 3, -7.123456])
def test_cut_to_10_bits_keeps_10_bits(bits: float) -> None:
    """The specimen's own error is that of 10 bits: not more than 2**-10, and not none."""
    x = torch.tensor([bits], dtype=torch.float32)
    error = abs((specimens.cut_to_10_bits(x) - x) / x).item()
    assert 0 < error < 2**-10
