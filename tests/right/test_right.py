"""Right LSTMs are not refused, in whatever way they compute."""

import pytest

from conformance import REQUIREMENTS, Budget, check
from conformance.checking.requirement import Requirement
from conformance.implementations.pytorch.modules import set_exact_arithmetic
from conformance.requirements import calls, repeated, training, weights

from . import false_alarms
from .everyone import RIGHT, implementation

FAMILIES = {family.__name__ for family in (calls, repeated, training, weights)}
KEEPING = ("cached_weights", "thread_scratch", "view_of_output", "in_order_of_length", "time")
"""Modules of LSTMs that keep or share memory, and so depend on how they are called."""
CALLED = [each for each in REQUIREMENTS.values() if each.body.__module__ in FAMILIES]
FEW = 2


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("requirement", CALLED, ids=lambda each: each.name)
@pytest.mark.parametrize(
    "name", [name for name, cls in RIGHT.items() if cls.__module__.rpartition(".")[2] in KEEPING]
)
def test_right_lstm_that_keeps_memory_passes(name: str, requirement: Requirement) -> None:
    """It meets each requirement on ways of calling and training in the quick profile."""
    set_exact_arithmetic()
    verdict = check(requirement, implementation(name), "cpu", Budget(20, 0))
    assert verdict.conformant, verdict.lines()


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", RIGHT)
def test_right_lstm_passes(name: str) -> None:
    """It meets every must in the first few cases of the quick profile."""
    set_exact_arithmetic()
    right = implementation(name)
    for requirement in REQUIREMENTS.values():
        if not (requirement.costly or requirement.should):
            verdict = check(requirement, right, "cpu", Budget(FEW, 0))
            assert verdict.conformant, verdict.lines()


def test_there_is_one_of_each_way_to_compute() -> None:
    """There are at least 33 of them, and each says how it computes."""
    assert len(RIGHT) >= 33
    assert len({cls.__doc__ for cls in RIGHT.values()}) == len(RIGHT)


def test_false_alarms_are_of_the_requirement_that_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One right LSTM is verified by one requirement, and passes."""
    name = next(iter(RIGHT))
    only = "--requirement=cell_matches_equations", "--cases=1", "--workers=1"
    assert false_alarms.main([name, *only]) == 0
    assert f"{name}, seed 0: 1 requirements\n0 false alarms" in capsys.readouterr().out


def test_false_alarms_refuse_a_name_that_is_misspelled(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a requirement, and of a right LSTM."""
    with pytest.raises(SystemExit, match="2"):
        false_alarms.main(["NoSuchLSTM", "--requirement", "no_such_claim"])
    assert "there is no NoSuchLSTM and no no_such_claim" in capsys.readouterr().err
