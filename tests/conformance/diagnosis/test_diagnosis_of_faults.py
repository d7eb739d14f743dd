"""What explains each faulty LSTM, where its results part, and nothing false."""

import pytest
from hypothesis import Phase, given, seed, settings

from conformance import Case
from conformance.checking.comparison import against_reference
from conformance.checking.counterexample import Diagnosis
from strategies import lstm_cases
from tests.faults import (
    batch,
    cells,
    directions,
    equations,
    layers,
    layout,
    lengths,
    numerics,
    states,
)
from tests.faults.zoo import Fault, implementation
from tests.support.devices import skip_unless_torch_computes
from tests.support.findings import diagnosed
from tests.support.kinds import (
    DEEP,
    FLOAT32,
    PLAIN,
    PROJECTED,
    RAGGED,
    SINGLE,
    SQUARE,
    STATELESS,
)

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
        "that reads every fourth row of the parameters as one gate",
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
        "with coupled gates, f = 1 - i",
    ),
    (
        equations.OutputsFromPreviousCell,
        SINGLE,
        "that computes h from the cell state of the previous step",
    ),
    (equations.OutputsTheCellState, SINGLE, "whose hidden state is the cell state"),
    (equations.SquashesAfterTheOutputGate, SINGLE, "that computes h = tanh(o * c)"),
    (equations.TransposesSquareWeights, SQUARE, "whose weight_ih is transposed, gate by gate"),
    (
        equations.CutsInsteadOfProjecting,
        PROJECTED,
        "that cuts h to proj_size instead of projecting h",
    ),
    (equations.ReturnsZeros, SINGLE, "that returns zeros"),
    (states.IgnoresInitialHiddenState, SINGLE, "that ignores h_0"),
    (states.IgnoresInitialCellState, SINGLE, "that ignores c_0"),
    (states.SwapsInitialStates, SINGLE, "that swaps h_0 and c_0"),
    (states.StartsFromOnes, STATELESS, "that starts from ones where no states are given"),
    (states.SwapsFinalStates, SINGLE, "that swaps h_n and c_n"),
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
        "that starts every layer from the initial states of the lowest layer",
    ),
    (
        layers.TakesStatesDirectionMajor,
        DEEP,
        "that reads the initial states in direction-major order",
    ),
    (
        layers.ReturnsStatesDirectionMajor,
        DEEP,
        "that returns the final states in direction-major order",
    ),
    (
        layers.StartsLayersFromTheTop,
        DEEP,
        "that reads the initial states with the top layer first",
    ),
    (
        layers.RunsUpperLayersWithoutBias,
        DEEP,
        "without biases, in the layers above the lowest only",
    ),
    (
        layers.ReturnsStatesFromTheTop,
        DEEP,
        "that returns the final states with the top layer first",
    ),
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
        "that reads batch-first input as time-major, with batch and time swapped",
    ),
    (layout.LeavesOutputTimeMajor, STATELESS, "that returns batch-first output time-major"),
    (layout.ReturnsStatesRowsFirst, STATELESS, "that returns h_n and c_n with rows first"),
    (
        lengths.RunsThroughThePadding,
        RAGGED,
        "whose states keep changing in the padding, which it reads as zeros",
    ),
    (
        lengths.StartsReverseInThePadding,
        RAGGED,
        "whose reverse direction starts in the padding, which it reads as zeros",
    ),
    (
        lengths.KeepsStatesInOrderOfLength,
        RAGGED,
        "that returns the final states with rows sorted by length",
    ),
    (
        lengths.TakesStatesInOrderOfLength,
        RAGGED,
        "that reads the initial states as if rows were sorted by length",
    ),
    (lengths.ForgetsInitialStatesOfPackedRows, RAGGED, "that ignores h_0 and c_0"),
    (
        lengths.ComputesThePaddedInput,
        RAGGED,
        "that ignores lengths and afterwards zeroes the output beyond the lengths",
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
        "that truncates the factors of its products to the 10 bits of TF32",
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
        "that truncates the factors of its products to the 10 bits of TF32",
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
        "c is wrong: c is not f * c_0 + i * g",
    ),
    (
        equations.SquashesTheProjection,
        PROJECTED,
        "in layer 0, step 0, row 0, feature 0: output[0, 0, 0]",
        "c is right and h is wrong, so the output gate, tanh(c) or the projection is wrong.",
    ),
    (
        states.ZonesOutTheStateOnly,
        PLAIN,
        "The output is right; the results first differ in h_n of layer 0, row 0, feature 0: h_n[0",
        "",
    ),
    (
        states.StopsBeforeTheLastStep,
        PLAIN,
        "in layer 0, step 3, row 0, feature 0: output[3, 0, 0]",
        "That step as a separate LSTM, from its true input and states, is right.",
    ),
    (
        layers.SkipsTheTopLayer,
        DEEP,
        "in layer 1, forward direction, step 0, row 0, feature 0: output[0, 0, 0]",
        "Without the top layer, the layer below is right.",
    ),
    (
        layers.FeedsFirstStepUpward,
        DEEP,
        "in layer 1, reverse direction, step 2, the first that it processes, row 0, feature 0: "
        "output[2, 0, 3]",
        "That step as a separate LSTM, from its true input and states, is right.",
    ),
    (
        directions.ReadsReverseStateAtTheLastStep,
        DEEP,
        "in h_n of layer 0, reverse direction, row 0, feature 0: h_n[1, 0, 0]",
        "That step as a separate LSTM, from its true input and states, is right.",
    ),
    (
        directions.AveragesTheDirections,
        DEEP,
        "in layer 1, forward direction, step 0",
        "With the lowest layer alone, results first differ in layer 0, forward direction, step 0",
    ),
    (
        lengths.RepeatsLastOutputInThePadding,
        RAGGED,
        "step 3, the first that it processes, row 0, feature 0, beyond the row's length of 2: "
        "output[3, 0, 3]",
        "In a batch of its own, row 0 is right.",
    ),
    (
        batch.TreatsTheSecondHalfOfABatchAsZeros,
        PLAIN,
        "in layer 0, step 0, row 2, feature 0: output[0, 2, 0]",
        "In a batch of its own, row 2 is right.",
    ),
    (
        batch.LeaksFromTheRowBefore,
        PLAIN,
        "in layer 0, step 0, row 0, feature 0: output[0, 0, 0]",
        "In that step as a separate LSTM, from its true input and states, c is wrong",
    ),
]
"""Faults outside the list: a case, where they part first, and something that is said of it."""


def diagnosis(fault: Fault, case: Case) -> Diagnosis:
    return diagnosed(implementation(fault), case, against_reference)


def equal(says: str) -> tuple[str]:
    return (f"The results equal those of an LSTM {says}, here and in 3 further cases.",)


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
    assert where in found.parted
    assert more in " ".join(found.lines())


@pytest.mark.parametrize(
    ("fault", "case", "says"),
    [
        (
            numerics.ComputesFloat64InFloat32,
            PLAIN,
            "The errors are no larger than rounding to float32 inside can make them, here and in 3 "
            "further cases, and vanish where such rounding loses nothing.",
        ),
        (
            numerics.ComputesInFloat16,
            PLAIN,
            "The errors are no larger than rounding to float16 inside can make them, here and in 3 "
            "further cases, and vanish where such rounding loses nothing.",
        ),
        (
            numerics.ReturnsFloat32,
            PLAIN,
            "Every number returned can be stored exactly in float32, here and in 3 further cases.",
        ),
    ],
)
def test_diagnosis_tells_a_lower_precision(fault: Fault, case: Case, says: str) -> None:
    """What is consistent with a coarser arithmetic is said to be that, and no more."""
    if fault is numerics.ComputesInFloat16:
        skip_unless_torch_computes("float16")
    assert diagnosis(fault, case).explanations == (says,)


@pytest.mark.parametrize(
    ("fault", "off"),
    [
        (numerics.ApproximatesTanh, "tanh off by 1.8e+11"),
        (numerics.AddsEpsilon, "sigmoid off by 9.01e+12"),
    ],
)
def test_diagnosis_tells_what_inaccurate_activations_can_do(fault: Fault, off: str) -> None:
    """Errors that one activation can make are said to be no larger than these, and no more."""
    can = f"The errors are no larger than {off} units can make them"
    assert diagnosis(fault, SINGLE).explanations == (f"{can}, here and in 3 further cases.",)


def test_diagnosis_tells_which_gate_is_wrong() -> None:
    """Where one gate of a step is wrong the others are said to be right."""
    step = "In this step c is wrong: f is 0.584061 instead of 0.34062 and i * g is right, and h is "
    assert diagnosis(equations.AddsOneToForgetGatesBias, SINGLE).details[0].startswith(step)
    step = (
        "In this step c is wrong: f is right and i * g is 0.261053 instead of -0.460893, as with "
    )
    found = diagnosis(equations.AppliesSigmoidToCandidate, SINGLE).details[0]
    assert found.startswith(f"{step}g = 0.3358 instead of -0.592861, and h is o * tanh(c)")
    step = "In this step c is right and h is wrong: o = "
    assert diagnosis(equations.ForgetsTanhOfCell, SINGLE).details[0].startswith(step)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [equations.MixesNeighbouringUnits, batch.LeaksFromTheRowBefore])
def test_diagnosis_claims_nothing_of_other_faults_in_any_case(fault: Fault) -> None:
    """In cases as they are drawn, in every dtype, a fault outside the list is not taken for one."""
    faulty = implementation(fault)
    wrong = []

    @seed(0)
    @settings(max_examples=40, database=None, phases=[Phase.generate])
    @given(
        lstm_cases(
            input_size=(1, 5),
            hidden_size=(1, 5),
            num_layers=(1, 2),
            seq_len=(1, 6),
            weights=["unit"],
        )
    )
    def nothing_is_claimed(case: Case) -> None:
        found = diagnosed(faulty, case, against_reference)
        assert found.explanations == ()
        wrong.append(bool(found.parted))

    nothing_is_claimed()
    assert sum(wrong) > 5
