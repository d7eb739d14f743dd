"""Right LSTMs are not refused, in whatever way they compute."""

import pytest

from conformance import Budget, NotApplicable, Passed, check
from conformance.checking.requirement import Requirement
from conformance.implementations.pytorch.modules import set_exact_arithmetic
from conformance.implementations.pytorch.probing import adapt
from conformance.requirements import REQUIREMENTS, calls, repeated, training, weights

from .cached_weights import CachesTransposedWeights, KeepsZerosBySize
from .hand_written_backward import HandWrittenBackward
from .in_order_of_length import ComputesRunningRowsOnly
from .thread_scratch import ReusesScratchSpace
from .torchscript import TorchScriptStep
from .view_of_output import ReturnsAView

RIGHT = (
    HandWrittenBackward,
    TorchScriptStep,
    ReturnsAView,
    CachesTransposedWeights,
    KeepsZerosBySize,
    ComputesRunningRowsOnly,
    ReusesScratchSpace,
)
ASKED = [
    each
    for each in REQUIREMENTS.values()
    if each.body.__module__ in {family.__name__ for family in (calls, repeated, training, weights)}
]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("requirement", ASKED, ids=lambda each: each.name)
@pytest.mark.parametrize("cls", RIGHT, ids=lambda cls: cls.__name__)
def test_right_lstm_passes(cls: type, requirement: Requirement) -> None:
    """It meets each requirement on ways of calling and training in the quick profile."""
    set_exact_arithmetic()
    verdict = check(requirement, adapt(cls, cls.__name__), "cpu", Budget(20, 0))
    assert isinstance(verdict, (Passed, NotApplicable)), verdict.lines()
