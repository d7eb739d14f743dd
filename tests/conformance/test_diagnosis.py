"""What is said of the faulty LSTMs: what explains them, where they part, and nothing false."""

import json
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from conformance import REQUIREMENTS, Budget, Case, Mismatch, Result, Support, check
from conformance.comparison import against_reference
from conformance.diagnosis import Diagnosis, diagnose
from conformance.diagnosis.parting import right
from conformance.hypotheses import HYPOTHESES
from conformance.verdict import Failed, from_json
from reference import Configuration, lstm, rounded
from tests.faults import (
    batch,
    cells,
    directions,
    equations,
    gradients,
    layers,
    layout,
    lengths,
    numerics,
    plain,
    states,
)
from tests.faults.zoo import Fault, implementation

from .cases import RoundedReference, random_case
from .kinds import (
    CASES,
    DEEP,
    FLOAT32,
    PLAIN,
    PROJECTED,
    RAGGED,
    SINGLE,
    SQUARE,
    STATELESS,
)
from .numpy_lstm import NumPyLSTM

EXPLAINED: list[tuple[Fault, Case, str]] = [
    (
        equations.ReadsGatesAsIFOG,
        SINGLE,
        "that reads the gates in the order i, f, o, g (candidate and output gate are swapped)",
    ),
    (
        equations.ReadsGatesAsIGFO,
        SINGLE,
        "that reads the gates in the order i, g, f, o (forget gate and candidate are swapped)",
    ),
    (
        equations.SwapsInputAndForgetGates,
        SINGLE,
        "that reads the gates in the order f, i, g, o (input gate and forget gate are swapped)",
    ),
    (
        equations.InterleavesGates,
        SINGLE,
        "that takes every fourth row of the parameters for a gate",
    ),
    (equations.ForgetsBiasHH, SINGLE, "without bias_hh"),
    (equations.ForgetsBiasIH, SINGLE, "without bias_ih"),
    (equations.AddsBiasTwice, SINGLE, "that adds bias_ih twice"),
    (equations.AppliesSigmoidToCandidate, SINGLE, "with sigmoid on the candidate"),
    (equations.ForgetsTanhOfCell, SINGLE, "without tanh on the cell state"),
    (equations.ForgetsTanhOfCandidate, SINGLE, "without tanh on the candidate"),
    (equations.UsesHardSigmoid, SINGLE, "with the hard sigmoid 0.2 a + 0.5 in place of sigmoid"),
    (equations.UsesReluForTanh, SINGLE, "with relu in place of tanh"),
    (equations.AddsOneToForgetGatesBias, SINGLE, "that adds 1 to the forget gate's bias"),
    (equations.AddsInputGateToCandidate, SINGLE, "that computes c = f * c + i + g"),
    (equations.NeverForgets, SINGLE, "without a forget gate, c = c + i * g"),
    (
        equations.CouplesInputAndForgetGates,
        SINGLE,
        "that forgets as much as it takes in, f = 1 - i",
    ),
    (
        equations.OutputsFromPreviousCell,
        SINGLE,
        "that computes h from the cell state of the step before",
    ),
    (equations.OutputsTheCellState, SINGLE, "whose hidden state is the cell state"),
    (equations.SquashesAfterTheOutputGate, SINGLE, "that computes h = tanh(o * c)"),
    (equations.TransposesSquareWeights, SQUARE, "whose weight_ih is transposed, gate by gate"),
    (
        equations.CutsInsteadOfProjecting,
        PROJECTED,
        "that cuts h to proj_size instead of projecting it",
    ),
    (equations.ReturnsZeros, SINGLE, "that returns zeros"),
    (states.IgnoresInitialHiddenState, SINGLE, "that ignores h_0"),
    (states.IgnoresInitialCellState, SINGLE, "that ignores c_0"),
    (states.SwapsInitialStates, SINGLE, "that takes h_0 for c_0 and c_0 for h_0"),
    (states.StartsFromOnes, STATELESS, "that starts from ones where no states are given"),
    (states.SwapsFinalStates, SINGLE, "that returns c_n for h_n and h_n for c_n"),
    (states.ReturnsZeroStates, SINGLE, "that returns zeros for h_n and c_n"),
    (
        states.ReturnsTopLayersStatesOnly,
        DEEP,
        "that returns the final states of the top layer only",
    ),
    (
        states.ReshapesStatesInsteadOfTransposing,
        DEEP,
        "that reads h_0 and c_0 as if rows came first",
    ),
    (layers.FeedsCellStateUpward, DEEP, "that feeds the cell state to the next layer"),
    (
        layers.StartsAllLayersFromTheFirstState,
        DEEP,
        "that starts every layer from the initial states of the lowest",
    ),
    (
        layers.TakesStatesDirectionMajor,
        DEEP,
        "that takes the initial states in direction-major order",
    ),
    (
        layers.ReturnsStatesDirectionMajor,
        DEEP,
        "that returns the final states in direction-major order",
    ),
    (
        layers.StartsLayersFromTheTop,
        DEEP,
        "that starts its layers from the initial states of the top layer first",
    ),
    (
        layers.RunsUpperLayersWithoutBias,
        DEEP,
        "without biases, in the layers above the lowest only",
    ),
    (layers.ReturnsStatesFromTheTop, DEEP, "that returns the final states of the top layer first"),
    (
        directions.LeavesReverseOutputReversed,
        DEEP,
        "whose reverse output is left in the order of processing",
    ),
    (directions.RunsBothDirectionsForward, DEEP, "whose reverse direction runs forward"),
    (
        directions.SharesWeightsBetweenDirections,
        DEEP,
        "that uses the forward weights in both directions",
    ),
    (
        directions.ReturnsForwardStatesTwice,
        DEEP,
        "that returns the forward direction's final states for both",
    ),
    (directions.PutsReverseHalfFirst, DEEP, "that puts the reverse half of its output first"),
    (
        directions.ExchangesTheDirectionsStates,
        DEEP,
        "that starts each direction from the other's initial states",
    ),
    (directions.ForgetsReverseBias, DEEP, "without biases, in the reverse direction only"),
    (
        layout.ReshapesInsteadOfTransposing,
        STATELESS,
        "that makes batch-first input time-major by a reshape instead of a transpose",
    ),
    (
        layout.ReshapesOutputInsteadOfTransposing,
        STATELESS,
        "that makes its output batch-first by a reshape instead of a transpose",
    ),
    (
        layout.IgnoresBatchFirst,
        STATELESS,
        "that takes batch-first input for time-major, batch and time swapped",
    ),
    (layout.LeavesOutputTimeMajor, STATELESS, "that returns batch-first output time-major"),
    (layout.ReturnsStatesRowsFirst, STATELESS, "that returns h_n and c_n with rows first"),
    (
        lengths.RunsThroughThePadding,
        RAGGED,
        "whose states run through the padding, of which it reads zeros",
    ),
    (
        lengths.StartsReverseInThePadding,
        RAGGED,
        "whose reverse direction starts in the padding, of which it reads zeros",
    ),
    (
        lengths.KeepsStatesInOrderOfLength,
        RAGGED,
        "that returns the final states in the order of lengths",
    ),
    (
        lengths.TakesStatesInOrderOfLength,
        RAGGED,
        "that takes the initial states to be in the order of lengths",
    ),
    (lengths.ForgetsInitialStatesOfPackedRows, RAGGED, "that ignores h_0 and c_0"),
    (
        lengths.ComputesThePaddedInput,
        RAGGED,
        "that ignores lengths and afterwards zeroes the output beyond them",
    ),
    (
        batch.StartsAllRowsFromTheFirst,
        PLAIN,
        "that starts all rows from the first row's initial states",
    ),
    (batch.ComputesOneRowRight, PLAIN, "without weight_hh"),
    (
        numerics.MultipliesInTF32,
        FLOAT32,
        "that cuts the factors of its products to the 10 bits of TF32",
    ),
    (
        cells.CellReadsGatesAsIFOG,
        SINGLE,
        "that reads the gates in the order i, f, o, g (candidate and output gate are swapped)",
    ),
    (cells.CellForgetsBiasHH, SINGLE, "without bias_hh"),
    (cells.CellForgetsTanhOfCell, SINGLE, "without tanh on the cell state"),
    (cells.CellUsesHardSigmoid, SINGLE, "with the hard sigmoid 0.2 a + 0.5 in place of sigmoid"),
    (cells.CellReturnsCellStateFirst, SINGLE, "whose cell returns c for h and h for c"),
    (
        cells.CellMultipliesInTF32,
        FLOAT32,
        "that cuts the factors of its products to the 10 bits of TF32",
    ),
]
"""Faults that a hypothesis explains, a case in which they show, and what is said."""

UNEXPLAINED: list[tuple[Fault, Case, str, str]] = [
    (
        equations.GivesAllGatesTheOutputGatesBias,
        SINGLE,
        "in layer 0, step 0, row 0, feature 0: output[0, 0, 0]",
        "and h is o * tanh(c) of that c.",
    ),
    (
        equations.MixesNeighbouringUnits,
        SINGLE,
        "in layer 0, step 0, row 0, feature 0: output[0, 0, 0]",
        "In this step c is wrong: f is right and i * g is ",
    ),
    (
        equations.PeepsAtTheCell,
        SINGLE,
        "in layer 0, step 0, row 0, feature 0: output[0, 0, 0]",
        "c is wrong: it is not f * c_0 + i * g",
    ),
    (
        equations.SquashesTheProjection,
        PROJECTED,
        "in layer 0, step 0, row 0, feature 0: output[0, 0, 0]",
        "c is right and h is not: the output gate, tanh(c) or the projection.",
    ),
    (
        states.ZonesOutTheStateOnly,
        PLAIN,
        "The output is right; the results first part in h_n of layer 0, row 0, feature 0: h_n[0, ",
        "",
    ),
    (
        states.StopsBeforeTheLastStep,
        PLAIN,
        "in layer 0, step 3, row 0, feature 0: output[3, 0, 0]",
        "That step as an LSTM of its own, from its true input and states, is right.",
    ),
    (
        layers.SkipsTheTopLayer,
        DEEP,
        "in layer 1, forward direction, step 0, row 0, feature 0: output[0, 0, 0]",
        "Without the top layer, the layer below by itself is right.",
    ),
    (
        layers.FeedsFirstStepUpward,
        DEEP,
        "in layer 1, reverse direction, step 2, the first that it processes, row 0, feature 0: "
        "output[2, 0, 3]",
        "That step as an LSTM of its own, from its true input and states, is right.",
    ),
    (
        directions.ReadsReverseStateAtTheLastStep,
        DEEP,
        "in h_n of layer 0, reverse direction, row 0, feature 0: h_n[1, 0, 0]",
        "That step as an LSTM of its own, from its true input and states, is right.",
    ),
    (
        directions.AveragesTheDirections,
        DEEP,
        "in layer 1, forward direction, step 0",
        "The lowest layer by itself parts, in layer 0, forward direction, step 0",
    ),
    (
        lengths.RepeatsLastOutputInThePadding,
        RAGGED,
        "step 3, the first that it processes, row 0, feature 0, beyond the row's length of 2: "
        "output[3, 0, 3]",
        "Row 0 by itself is right.",
    ),
    (
        batch.TreatsTheSecondHalfOfABatchAsZeros,
        PLAIN,
        "in layer 0, step 0, row 2, feature 0: output[0, 2, 0]",
        "Row 2 by itself is right.",
    ),
    (
        batch.LeaksFromTheRowBefore,
        PLAIN,
        "in layer 0, step 0, row 0, feature 0: output[0, 0, 0]",
        "In that step as an LSTM of its own, from its true input and states, c is wrong",
    ),
    (
        numerics.ApproximatesTanh,
        SINGLE,
        "in layer 0, step 0, row 0, feature 0: output[0, 0, 0]",
        "In this step c is wrong: f is right and i * g is ",
    ),
    (
        numerics.AddsEpsilon,
        SINGLE,
        "in layer 0, step 0, row 0, feature 0: output[0, 0, 0]",
        "In this step c is right and h is not: o = 0.739059 instead of 0.738059 or tanh(c) = ",
    ),
]
"""Faults outside the list: a case, where they part first, and something that is said of it."""


def diagnosis(fault: Fault, case: Case) -> Diagnosis:
    return diagnose(implementation(fault), case, against_reference)


def equal(says: str) -> tuple[str]:
    return (f"The results equal those of an LSTM {says}, here and in 3 further cases.",)


def test_diagnosis_of_a_right_lstm_is_empty() -> None:
    """Nothing is said of the plain LSTM in any kind of case."""
    for case in CASES:
        assert diagnosis(plain.PlainLSTM, case) == Diagnosis()


@pytest.mark.parametrize(("fault", "case", "says"), EXPLAINED)
def test_diagnosis_names_the_fault_alone(fault: Fault, case: Case, says: str) -> None:
    """The hypothesis that is the fault explains the results, and no other is given."""
    assert diagnosis(fault, case).explanations == equal(says), fault.__name__


@pytest.mark.parametrize(("fault", "case", "where", "more"), UNEXPLAINED)
def test_diagnosis_claims_nothing_of_other_faults(
    fault: Fault, case: Case, where: str, more: str
) -> None:
    """A fault outside the list gets no explanation, and where it parts first is right."""
    found = diagnosis(fault, case)
    assert found.explanations == ()
    assert where in found.parted[0]
    assert more in " ".join(found.parted)


@pytest.mark.parametrize(
    ("fault", "case", "says"),
    [
        (
            numerics.ComputesFloat64InFloat32,
            PLAIN,
            "The errors are no larger than rounding to float32 inside can make them, here and in 3 "
            "further cases, and vanish where it loses nothing.",
        ),
        (
            numerics.ComputesInFloat16,
            PLAIN,
            "The errors are no larger than rounding to float16 inside can make them, here and in 3 "
            "further cases, and vanish where it loses nothing.",
        ),
        (
            numerics.ReturnsFloat32,
            PLAIN,
            "Every number returned is a number of float32, here and in 3 further cases.",
        ),
    ],
)
def test_diagnosis_tells_a_lower_precision(fault: Fault, case: Case, says: str) -> None:
    """What is consistent with a coarser arithmetic is said to be that, and no more."""
    assert diagnosis(fault, case).explanations == (says,)


def test_diagnosis_tells_which_gate_is_wrong() -> None:
    """Where one gate of a step is wrong the others are said to be right."""
    step = "In this step c is wrong: f is 0.584061 instead of 0.34062 and i * g is right, and h is "
    assert diagnosis(equations.AddsOneToForgetGatesBias, SINGLE).parted[1].startswith(step)
    step = (
        "In this step c is wrong: f is right and i * g is 0.261053 instead of -0.460893, as with "
    )
    found = diagnosis(equations.AppliesSigmoidToCandidate, SINGLE).parted[1]
    assert found.startswith(f"{step}g = 0.3358 instead of -0.592861, and h is o * tanh(c)")
    step = "In this step c is right and h is not: o = "
    assert diagnosis(equations.ForgetsTanhOfCell, SINGLE).parted[1].startswith(step)


GRADIENTS: list[tuple[Fault, str, str]] = [
    (
        gradients.DetachesStateEachStep,
        "gradients_match_backpropagation",
        "that stops after one step",
    ),
    (
        gradients.DetachesCellStateEachStep,
        "gradients_match_backpropagation",
        "that does not pass c on to the step before",
    ),
    (
        gradients.DetachesInitialStates,
        "gradients_match_backpropagation",
        "that gives h_0 and c_0 no gradient",
    ),
    (gradients.DetachesBetweenLayers, "gradients_of_output_are_right", "that stops between layers"),
    (
        gradients.DropsGradientOfFinalCell,
        "gradients_of_c_n_are_right",
        "that drops the gradient of c_n",
    ),
    (
        gradients.DropsGradientOfFinalHiddenState,
        "gradients_of_h_n_are_right",
        "that drops the gradient of h_n",
    ),
    (
        gradients.DoublesBiasGradient,
        "gradients_match_backpropagation",
        "that gives bias_ih twice the gradient",
    ),
    (
        gradients.FreezesItsBiases,
        "gradients_match_backpropagation",
        "that gives bias_ih and bias_hh no gradient",
    ),
    (
        gradients.ForgetsSigmoidPrime,
        "gradients_match_backpropagation",
        "that takes sigmoid for its own derivative",
    ),
    (
        gradients.GivesTheReverseInputNoGradient,
        "gradients_match_backpropagation",
        "whose reverse direction passes nothing to its input",
    ),
]


def gradients_diagnosed(fault: Fault, requirement: str, case: Case) -> Diagnosis:
    body = REQUIREMENTS[requirement].body
    with pytest.raises(Mismatch) as raised:
        body(implementation(fault), case)
    return diagnose(implementation(fault), case, body, raised.value.what)


@pytest.mark.parametrize(("fault", "requirement", "says"), GRADIENTS)
def test_diagnosis_explains_gradients(fault: Fault, requirement: str, says: str) -> None:
    """What is wrong with back-propagation is told by it alone, the results being right."""
    found = gradients_diagnosed(fault, requirement, DEEP)
    assert found.parted[0].startswith(
        "The results are right. Of a loss on output, h_n and c_n the "
    )
    also = "here and in 2 further cases"
    assert found.explanations == (f"The gradients equal those of back-propagation {says}, {also}.",)


def test_diagnosis_lists_wrong_gradients() -> None:
    """Wrong gradients are listed, and without a simple explanation none is given."""
    fault = gradients.GivesBiasesTheForgetGatesDelta
    found = gradients_diagnosed(fault, "gradients_match_backpropagation", PLAIN)
    assert found.parted == (
        "The results are right. Of a loss on output, h_n and c_n the gradient of bias_ih_l0 is "
        "wrong, and all others are right.",
    )
    assert found.explanations == ()


def test_diagnosis_tells_that_one_backward_pass_is_right() -> None:
    """What is wrong with a second backward pass only is said to be right with one."""
    fault = gradients.ClobbersItsSavedTensors
    found = gradients_diagnosed(fault, "backward_twice_accumulates", PLAIN)
    assert found == Diagnosis(
        ("The results are right, and so are the gradients of a single backward pass.",)
    )


def test_diagnosis_tells_that_a_single_call_is_right() -> None:
    """What is wrong with a second call only is said to be right when called once."""
    body = REQUIREMENTS["same_call_gives_same_bits"].body
    found = diagnose(implementation(states.KeepsItsStateBetweenCalls), STATELESS, body, "output")
    assert found.lines() == (
        "Made anew and called once with this case, it gives the true results.",
    )


def test_diagnosis_is_about_the_run_that_is_wrong() -> None:
    """Where the case itself is right, the derived one that is wrong is named."""
    body = REQUIREMENTS["batch_first_only_swaps_axes"].body
    case = random_case(Configuration(2, 3), dtype="float64")
    found = diagnose(implementation(layout.ReshapesInsteadOfTransposing), case, body, "output")
    assert found.parted[0] == (
        "What follows is about a case derived from this one, <LSTM 2->3 batch_first seq_len=4 "
        "batch_size=3 float64 on cpu> with other input."
    )
    assert "by a reshape instead of a transpose" in found.explanations[0]


class FailsWithMoreRows(NumPyLSTM):
    """Is wrong with one row, as without bias_hh, and raises with more."""

    def bias(self, name: str, bias: Any) -> Any:
        return bias * (name == "bias_ih")

    def run(self, case: Case) -> Result:
        if case.batch_size > 1:
            raise RuntimeError("too many rows")
        return super().run(case)


def test_diagnosis_claims_nothing_that_it_could_not_confirm() -> None:
    """An implementation that raises in the larger cases is not explained by the smallest alone."""
    found = diagnose(FailsWithMoreRows(), SINGLE, against_reference)
    assert found.explanations == ()
    assert "results first part in layer 0, step 0" in found.parted[0]


def test_diagnosis_refutes_what_explains_the_smallest_case_only() -> None:
    """What explains a counterexample of zeros, but no larger case, is not claimed."""

    def change(_: Case, result: Result) -> Result:
        return Result(result.c_n / 2, result.c_n / 2, result.c_n)

    c_0 = np.ones((1, 1, 3))
    zeros = {name: 0 * array for name, array in SINGLE.parameters.items()}
    case = replace(SINGLE, parameters=zeros, h_0=0 * c_0, c_0=c_0)
    faulty = RoundedReference(change)
    fitting = [each.compute(case) for each in HYPOTHESES]
    assert any(known is not None and right(faulty.run(case), known) for known in fitting)
    assert diagnose(faulty, case, against_reference).explanations == ()


def test_diagnosis_says_what_goes_wrong_with_it() -> None:
    """Neither an answer that is no result nor a fault of the suite ends the run."""

    def change(case: Case, result: Result) -> Any:
        return result.output if case.seq_len > 3 else replace(result, h_n=result.h_n + 1)

    found = diagnose(RoundedReference(change), SINGLE, against_reference)
    assert "The output is right; the results first part in h_n of layer 0" in found.parted[0]

    def broken(_implementation: Any, _case: Case) -> None:
        raise ZeroDivisionError("oh")

    found = diagnose(RoundedReference(), SINGLE, broken, "output")
    assert found == Diagnosis(("It could not be diagnosed further: ZeroDivisionError: oh.",))


def test_diagnosis_keeps_to_its_time() -> None:
    """A slow implementation is given up, with what has been found until then."""

    class Slow(FailsWithMoreRows):
        def run(self, case: Case) -> Result:
            time.sleep(0.1)
            return super().run(case)

    started = time.perf_counter()
    found = diagnose(Slow(), SINGLE, against_reference, seconds=0.05)
    assert found.lines()[-1] == "The diagnosis was given up after 0.05 s."
    assert time.perf_counter() - started < 5


def test_diagnosis_tells_each_case_before_it_is_run() -> None:
    """`before` sees every case that the implementation is run on, in the same order."""
    reference = RoundedReference(lambda _, result: replace(result, c_n=result.c_n + 1))
    told: list[Case] = []
    diagnose(reference, SINGLE, against_reference, before=told.append)
    assert told == reference.seen
    assert len(told) > 3


class Sixteen(NumPyLSTM):
    """Forgets bias_hh, in bfloat16 only."""

    supports = Support(dtypes=("bfloat16",), gradients=False)

    def run(self, case: Case) -> Result:
        parameters = {
            name: array * (not name.startswith("bias_hh"))
            for name, array in case.parameters.items()
        }
        return rounded(lstm(replace(case, parameters=parameters)), case.dtype)


def test_diagnosis_works_in_sixteen_bits() -> None:
    """A coarse dtype hides no simple fault and makes up none."""
    case = random_case(Configuration(2, 3, num_layers=2), dtype="bfloat16")
    assert diagnose(Sixteen(), case, against_reference).explanations == equal("without bias_hh")


@pytest.mark.parametrize(
    ("fault", "requirement", "says"),
    [
        (equations.ForgetsBiasHH, "results_match_reference", "without bias_hh"),
        (
            equations.SwapsInputAndForgetGates,
            "cell_matches_equations",
            "that reads the gates in the order f, i, g, o (input gate and forget gate are swapped)",
        ),
        (
            layers.TakesStatesDirectionMajor,
            "results_match_reference",
            "that takes the initial states in direction-major order",
        ),
    ],
)
def test_check_adds_the_diagnosis_to_the_counterexample(
    fault: Fault, requirement: str, says: str
) -> None:
    """The shrunk counterexample carries it, shows it last, and keeps it as JSON."""
    verdict = check(REQUIREMENTS[requirement], implementation(fault), budget=Budget(40, 1, 5.0))
    assert isinstance(verdict, Failed), verdict
    assert verdict.counterexample is not None
    assert verdict.counterexample.diagnosis[-1:] == equal(says)
    assert verdict.lines()[-1:] == list(equal(says))
    assert from_json(json.loads(json.dumps(verdict.to_json()))) == verdict


def test_check_without_time_to_shrink_gives_no_diagnosis() -> None:
    """Where nothing is to be shrunk, nothing is diagnosed."""
    faulty = implementation(equations.ForgetsBiasHH)
    verdict = check(REQUIREMENTS["results_match_reference"], faulty, budget=Budget(40, 1, 0.0))
    assert isinstance(verdict, Failed), verdict
    assert verdict.counterexample is not None
    assert verdict.counterexample.diagnosis == ()
