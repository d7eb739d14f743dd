"""The scripts that failures leave, run on their own."""

from pathlib import Path

import pytest

from conformance.checking.expectations.applying import Expected
from conformance.checking.verdict import Crashed, TimedOut
from conformance.implementations.failures import Died, NoAnswer
from conformance.recording.noting import recording
from conformance.recording.steps import Step
from conformance.reproductions.record import Subject
from conformance.reproductions.script import Script
from conformance.running.journal import Doing, Entry
from conformance.running.unfinished import unfinished
from reference import Configuration
from tests.support.cases import random_case

from .crashes import LoopsForeverWithBothDirections, SegfaultsOnEmptyBatches
from .reproducing import LONG, found, reproduction, run, without_fault
from .zoo import FAULTS, Fault, implementation

SHOWN = (
    "SwapsInputAndForgetGates",  # a forward call
    "StartsAnewEveryFourSteps",  # a relation between two calls
    "KeepsItsStateBetweenCalls",  # the same call twice
    "DetachesStateEachStep",  # a gradient
    "ResetsGradientsAtEachCall",  # two backward passes
    "PadsStates",  # a refusal
    "SkipsStateChecksWhenPacked",
    "KeepsRefusedStates",  # what is left behind by a refusal
    "ExitsOnWrongStates",
    "RunsThroughThePadding",  # lengths
    "LeavesReverseOutputReversed",  # both directions
    "SquashesTheProjection",
    "CarriesItsStateInBfloat16",
    "ReplacesNaN",
    "SpreadsInfinity",
    "ReadsMemoryAsContiguous",
    "CellTakes3DStates",
    "ReturnsFloat32",
    "ListsWeightsBeforeBiases",  # state_dict
    "ForgetsWeightsWhenPickled",
    "DropsWeightsForGood",  # dropout
    "DropsTheSameInEachRow",
    "RepeatsOneNumber",  # initial parameters
    "GivesStatesAsGenerator",  # no result
    "ComputesThePaddedInput",  # an Implementation of its own
    "ClampsImpossibleLengths",  # a case that is impossible
)
NAMED = {fault.__name__: fault for fault in FAULTS}


def left_by(name: str, shrink_seconds: float = 2.0, seed: int = 1) -> tuple[Fault, Script]:
    """The faulty LSTM of this name, and the script that its failure leaves."""
    fault = NAMED[name]
    finding = found(fault, seed, shrink_seconds)
    assert finding is not None
    return fault, reproduction(fault, finding)


def assert_right_without(fault: Fault, script: Script) -> None:
    """The script exits with 0 on the LSTM that is right."""
    right = run(without_fault(script.text, fault))
    assert right.returncode == 0, right.stdout + right.stderr


@pytest.mark.parametrize(
    "name", [SHOWN[0], *(pytest.param(name, marks=pytest.mark.slow) for name in SHOWN[1:])]
)
def test_script_shows_the_fault_and_nothing_else(name: str) -> None:
    """It exits with 1 on the faulty LSTM, with 0 on the plain one, is short and plain."""
    fault, script = left_by(name, shrink_seconds=30.0)
    assert script.plain
    assert "hypothesis" not in script.text
    assert script.text.count("\n") <= LONG
    run_on_fault = run(script.text)
    assert run_on_fault.returncode == 1, run_on_fault.stdout + run_on_fault.stderr
    said = run_on_fault.stdout + run_on_fault.stderr
    assert "expected" in said or "Error" in said
    if not hasattr(fault, "run"):
        assert "conformance import" not in script.text
        assert_right_without(fault, script)


@pytest.mark.parametrize(
    "name",
    [
        "UnrollsFourSteps",  # steps follow from faulty ones before
        pytest.param("KeepsWithProbabilityPInFloat16", marks=pytest.mark.slow),  # counts, lengths
        pytest.param("Truncates16Bits", marks=pytest.mark.slow),  # counts of some units
    ],
)
def test_script_of_a_large_case_shows_the_fault_and_nothing_else(name: str) -> None:
    """Of a case that was not shrunk, which is what is left where the time was up.

    Of the largest cases there is no plain script; which seed draws one depends on the dtypes.
    """
    left = (left_by(name, shrink_seconds=0.0, seed=seed) for seed in range(1, 6))
    fault, script = next(each for each in left if each[1].plain)
    assert run(script.text).returncode == 1
    assert_right_without(fault, script)


@pytest.mark.parametrize(
    "name",
    [
        "DropsToANegativeNumber",  # one dropout mask
        "DoesNotScaleGradients",  # in gradients, of a module that is in eval mode by now
        "LosesInputGradientsOfRowsFrom128On",  # gradients by gates
        pytest.param("StopsAfter256Steps", marks=pytest.mark.slow),  # steps before
        pytest.param("SkipsThirdLayerOfWideNetworks", marks=pytest.mark.slow),  # lower layers
    ],
)
def test_numbers_that_follow_from_what_was_returned_are_in_no_script(name: str) -> None:
    """A right LSTM returns something else there, so that a script would call it wrong.

    Of a smaller case one call alone may be wrong by more than its bound, and needs no such numbers.
    """
    _, script = left_by(name, shrink_seconds=0.0)
    assert not script.plain


class Stopped(BaseException):
    """In place of what would not return."""


@pytest.mark.slow
@pytest.mark.parametrize("hangs", [True, False])
def test_script_of_an_end_shows_it(hangs: bool, tmp_path: Path) -> None:
    """A call that ends or holds up its process is made in a separate process, which reports it."""
    fault = LoopsForeverWithBothDirections if hangs else SegfaultsOnEmptyBatches
    case = random_case(Configuration(1, 1, bidirectional=hangs), batch_size=int(hangs))
    adapter = implementation(fault)
    steps: list[Step] = []

    def sink(step: Step) -> None:
        steps.append(step)
        if step.case is not None:
            raise Stopped

    with pytest.raises(Stopped), recording(sink):
        adapter.run(case)
    entry = Entry(Doing("the item", "x"), case, subject(tmp_path), steps)
    ended = (NoAnswer if hangs else Died)("the process died in this case")
    verdict = unfinished(entry, ended, tmp_path, 1.0, Expected())
    assert isinstance(verdict, TimedOut if hangs else Crashed)
    text = (tmp_path / verdict.reproduction / "reproduce.py").read_text()
    done = run(text.replace("timeout=60", "timeout=20"))
    assert done.returncode == 1, done.stdout
    told = "nothing within 60 s" if hangs else "got: exit status -"
    assert told in done.stderr
    right = run(without_fault(text, fault))
    assert (right.returncode, right.stdout) == (0, "the call returned, as expected\n")


def subject(folder: Path) -> Subject:
    return Subject("results_match_reference", "x", "cpu", str(folder), "the command")
