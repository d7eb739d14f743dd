"""Finding out how hand-written LSTMs are stored and called, and what is wrong with faulty ones."""

from typing import Any

import numpy as np
import pytest
from torch import nn

from conformance import (
    REQUIREMENTS,
    Budget,
    Crashed,
    Failed,
    HandWritten,
    Passed,
    UsageError,
    check,
)
from conformance.inference import infer
from tests.hand_written import faulty, layouts
from tests.hand_written.inferring import FOLDER, OF_NETWORKS, arguments, executed, inferred

RIGHT: dict[str, dict[str, Any]] = {
    "OneKernel": {
        "weight_ih": "W",
        "weight_hh": "U",
        "bias": "bias",
        "transposed": True,
        "call": "input, (h_0[0], c_0[0])",
        "returns": "output, (h_n[0], c_n[0])",
        "batch_first": True,
    },
    "ParameterPerGate": {
        "weight_ih": "W_{i,f,c,o}",
        "weight_hh": "U_{i,f,c,o}",
        "bias": "b_{i,f,c,o}",
        "transposed": True,
        "call": "input, (h_0[0], c_0[0])",
        "returns": "output, (h_n[0], c_n[0])",
        "batch_first": True,
    },
    "EightLinears": {
        "weight_ih": "x2{i,f,g,o}.weight",
        "weight_hh": "h2{i,f,g,o}.weight",
        "bias": ("x2{i,f,g,o}.bias", "h2{i,f,g,o}.bias"),
        "call": "input, (h_0, c_0)",
        "returns": "output, (h_n, c_n)",
    },
    "OverBoth": {
        "weight_xh": "{input,forget,candidate,output}.weight",
        "bias": "{input,forget,candidate,output}.bias",
        "call": "input",
        "returns": "output",
    },
    "HiddenFirst": {
        "factory": "lambda input_size, hidden_size: HiddenFirst(hidden_size, input_size)",
        "weight_hx": "gates.weight",
        "bias": "gates.bias",
        "gates": "fiog",
        "call": "input, h_0[0], c_0[0]",
        "returns": "output, (c_n[0], h_n[0])",
        "batch_first": True,
    },
    "Cell": {
        "weight_ih": "ih.weight",
        "weight_hh": "hh.weight",
        "bias": ("ih.bias", "hh.bias"),
        "call": "input, (h_0, c_0)",
        "states_optional": False,
        "returns": "h_n, c_n",
        "cell": True,
    },
    "CarryCell": {
        "factory": "lambda input_size, hidden_size: CarryCell(hidden_size, input_size)",
        "weight_ih": "kernel",
        "weight_hh": "recurrent_kernel",
        "bias": "bias",
        "transposed": True,
        "call": "(c_0, h_0), input",
        "states_optional": False,
        "returns": "(c_n, h_n), h_n",
        "cell": True,
    },
    "Classifier": {
        "factory": "lambda input_size, hidden_size: Classifier(input_size, hidden_size, 7)",
        "weight_ih": "w",
        "weight_hh": "u",
        "bias": "b",
        "gates": "ifog",
        "call": "input",
        "returns": "fc(h_n[0])",
        "batch_first": True,
    },
    "LastStateOnly": {
        "weight_ih": "Wx",
        "weight_hh": "Wh",
        "bias": "b",
        "gates": "igfo",
        "transposed": True,
        "forget_bias": 1.0,
        "call": "input",
        "returns": "h_n[0]",
        "batch_first": True,
    },
    "NoBias": {
        "weight_ih": "weight_x",
        "weight_hh": "weight_h",
        "gates": "ofig",
        "call": "input",
        "returns": "output, c_n[0]",
    },
    "MixedOrientation": {
        "weight_ih": "project.weight",
        "weight_hh": "recurrent",
        "bias": "project.bias",
        "gates": "fgio",
        "transposed": "weight_hh",
        "call": "input, h_0[0], c_0[0]",
        "states_optional": False,
        "returns": "{'logits': _, 'hidden': output, 'cells': c_all}",
        "batch_first": True,
    },
    "Wrapped": {
        "weight_ih": "cell.weight_ih",
        "weight_hh": "cell.weight_hh",
        "bias": ("cell.bias_ih", "cell.bias_hh"),
        "call": "input, (h_0[0], c_0[0])",
        "returns": "output, (h_n[0], c_n[0])",
    },
    "LearnsItsStart": {
        "weight_xh": "kernel",
        "bias": "bias",
        "transposed": True,
        "kept": "h_start",
        "call": "input",
        "returns": "output",
        "batch_first": True,
    },
    "PlainTensors": {
        "weight_ih": "w_ih",
        "weight_hh": "w_hh",
        "bias": "b",
        "gates": "gifo",
        "call": "input, (h_0[0], c_0[0])",
        "method": "run",
        "returns": "output, (h_n[0], c_n[0])",
    },
    "SeveralLayers": {
        "factory": "lambda input_size, hidden_size: "
        "SeveralLayers(input_size, hidden_size, num_layers=2)",
        "weight_xh": "layers.*.{write,keep,new,read}.0.weight",
        "bias": "layers.*.{write,keep,new,read}.0.bias",
        "layers": ("0", "1"),
        "call": "input",
        "returns": "output, h_n, c_n",
        "batch_first": True,
    },
    "StartsInFloat32": {
        "weight_ih": "W_x{i,f,c,o}",
        "weight_hh": "W_h{i,f,c,o}",
        "bias": "b_{i,f,c,o}",
        "transposed": True,
        "call": "input, (h_0[0], c_0[0])",
        "returns": "output, (h_n[0], c_n[0])",
    },
    "NumpyColumns": {
        "weight_hx": "W{i,f,c,o}",
        "bias": "b{i,f,c,o}",
        "call": "input",
        "method": "forward",
        "returns": "output, h_n[0], c_n[0]",
        "columns": True,
    },
    "NumpyLSTM": {
        "weight_hx": "params.W{i,f,c,o}",
        "bias": "params.b{i,f,c,o}",
        "call": "input",
        "method": "forward",
        "returns": "output",
        "batched": False,
    },
    "step_forward": {
        "weight_ih": "Wx",
        "weight_hh": "Wh",
        "bias": "b",
        "gates": "ifog",
        "transposed": True,
        "call": "input, h_0, c_0, Wx, Wh, b",
        "states_optional": False,
        "returns": "h_n, c_n, _",
        "cell": True,
    },
    "lstm": {
        "weight_ih": "W",
        "weight_hh": "U",
        "bias": "b",
        "gates": "ifog",
        "transposed": True,
        "call": "input, h_0[0], c_0[0], W, U, b",
        "states_optional": False,
        "returns": "output, h_n[0], c_n[0]",
        "batch_first": True,
    },
    "lstm_over_time": {
        "weight_ih": "W",
        "weight_hh": "U",
        "bias": "b",
        "transposed": True,
        "call": "input, h_0[0], c_0[0], W, U, b",
        "states_optional": False,
        "returns": "output, h_n[0], c_n[0]",
    },
}
"""For each class of right.py the arguments of its adapter."""

FAULTY = {
    "ExchangesSigmoidAndTanh": "with sigmoid on the candidate",
    "LacksTanhOfCell": "without tanh on the cell state",
    "UsesOutputGateForInput": "the fourth quarter of W and U serves as input gate and as output",
    "CouplesGates": "with coupled gates, i = 1 - f",
    "AddsBiasTwice": "b is added twice",
    "CutsProductsDifferently": "order i, f, g, o, but U is used in the order i, f, o, g",
    "ResetsHidden": "that starts every step from the initial h",
    "IgnoresStates": "that ignores h_0 and c_0",
    "StartsAtRandom": "initial states that are not given are not zeros",
    "MixesRowsAndSteps": "makes its output batch-first by a reshape instead of a transpose",
    "ReshapesInput": "makes batch-first input time-major by a reshape instead of a transpose",
    "RunsBackwards": "that processes the steps from the last to the first",
    "ReturnsLastRow": "the last row of the output is returned instead of the last step",
    "UsesForgetWeightsTwice": "U_f.weight serves as input gate and as forget gate",
    "AddsBiasToCell": "b has an effect that a bias does not have",
    "ForgetsBiasHH": "b_hh has no effect",
    "LacksBothTanhs": "without any tanh",
    "LacksTanhAndForgetGate": "without tanh on the cell state and without a forget gate",
    "SqueezesUnits": "output.shape = (2, 1), but should be (2, 1, 1)",
    "ReversesOutput": "that returns its output from the last step to the first",
    "ReturnsHiddenTwice": "h_n is returned twice, and c_n is not returned",
    "ReturnsCellTwice": "c_n is returned twice, and h_n is not returned",
    "StepsWithoutCell": "h_n is returned twice, and c_n is not returned",
    "lstm_without_output": "the first returned value has the shape of output, but other numbers",
    "lstm_with_output_reversed": "that returns its output from the last step to the first",
    "PeeksAtCell": "no mapping fits; with the nearest: output[0, 0, 0] = ",
}
"""For each class of faulty.py what is told of it."""

DECIDED = [
    "results_match_reference",
    "shapes_are_as_documented",
    "h_n_is_last_output",
    "omitted_states_are_zeros",
    "splitting_time_changes_nothing",
    "rows_do_not_interact",
    "nan_stays_in_its_row",
    "infinity_stays_in_its_row",
    "every_parameter_influences_result",
    "gradients_match_backpropagation",
]
"""Requirements by which the adapters are tried, of every kind that hand-written LSTMs are asked."""


@pytest.mark.parametrize("name", RIGHT)
def test_infer_finds_the_mapping_of_a_right_lstm(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The printed code has the right arguments, at most ten lines, and verifies the class."""
    found = inferred("right.py", name)
    assert found.fits, found.faults
    assert arguments(found.code) == RIGHT[name]
    lines = found.code.splitlines()
    assert len(lines) <= 10
    assert max(map(len, lines)) <= 100
    mine = executed(found.code, "right.py", monkeypatch)
    applicable = 0
    for requirement in DECIDED:
        verdict = check(REQUIREMENTS[requirement], mine, budget=Budget(10, seed=3))
        assert verdict.conformant, verdict
        applicable += isinstance(verdict, Passed)
    assert applicable >= 4


@pytest.mark.parametrize("name", FAULTY)
def test_infer_names_the_fault_of_a_faulty_lstm(name: str) -> None:
    """What is wrong is told in words, below a mapping that is the nearest."""
    found = inferred("faulty.py", name)
    assert not found.fits
    assert any(FAULTY[name] in fault for fault in found.faults), found.faults
    assert f"Wrong: {found.faults[0]}." in "\n".join(found.lines())


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", sorted(FAULTY.keys() - {"ForgetsBiasHH", "StartsAtRandom", "UsesForgetWeightsTwice"})
)
def test_nearest_mapping_of_a_faulty_lstm_does_not_pass(name: str) -> None:
    """What is faulty by more than its parameters fails under the mapping that is printed."""
    mine = inferred("faulty.py", name).implementation
    verdict = check(REQUIREMENTS["results_match_reference"], mine, budget=Budget(20, seed=3))
    assert isinstance(verdict, (Failed, Crashed)), verdict


@pytest.mark.parametrize(
    ("file", "name", "side", "what"),
    [
        ("faulty.py", "TurnsOutput", "input", "the output"),
        pytest.param("further.py", "Encoder", "input", "the output", marks=pytest.mark.slow),
        ("further.py", "OneRowForEachStep", "input", "the output"),
        ("layouts.py", "ScoresOfTheLastStep", "input", "what fc takes"),
        ("faulty.py", "TurnsInput", "output", "the output"),
        ("layouts.py", "ScoresOfRows", "output", "what fc takes"),
    ],
)
def test_infer_says_first_that_the_output_has_other_axes_than_the_input(
    file: str, name: str, side: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batch-first input and time-major output are a layout, if that is said, and so is the other.

    Where a head follows, the output is what the head takes.
    """
    found = inferred(file, name, OF_NETWORKS)
    assert found.fits, found.faults
    axes = [f"batch-first, (N, T, ...), and {what}", f"time-major, (T, N, ...), and {what}"]
    after = {"input": " time-major, (T, N, ...)", "output": " batch-first, (N, T, ...)"}
    where = f"the input is {axes[side == 'output']}{after[side]}"
    assert found.lines()[0].endswith(
        f"computes the LSTM, where {where}. Save these lines as mine.py and run"
    )
    assert f"# Note: {where}." in found.mapping()
    assert arguments(found.code)["batch_first"] == side
    mine = executed(found.code, file, monkeypatch)
    for requirement in DECIDED:
        verdict = check(REQUIREMENTS[requirement], mine, budget=Budget(10, seed=3))
        assert verdict.conformant, verdict


def test_declared_axes_are_those_of_the_output_alone() -> None:
    """What takes steps first and returns rows first is right where that is declared."""
    arguments: Any = {"weight_ih": "W", "weight_hh": "U", "bias": "b", "transposed": True}
    arguments |= {"call": "input, (h_0[0], c_0[0])", "returns": "output, (h_n[0], c_n[0])"}
    for batch_first, right in (("output", True), ("input", False), (True, False), (False, False)):
        mine = HandWritten(faulty.TurnsInput, **arguments, batch_first=batch_first)
        verdict = check("results_match_reference", mine, budget=Budget(10, seed=3))
        assert isinstance(verdict, Passed) == right, (batch_first, verdict)
    with pytest.raises(UsageError, match="batch_first must be a bool or one of"):
        HandWritten(faulty.TurnsInput, **arguments, batch_first="h_n")


@pytest.mark.parametrize(
    ("name", "side", "returns"),
    [
        ("Tagger", "input", "output"),
        pytest.param("WordsInOneAxis", "input", "flat(output)", marks=pytest.mark.slow),
        ("ScoresOfRows", "output", "output"),
        pytest.param("RowsInOneAxis", "output", "flat(output)", marks=pytest.mark.slow),
    ],
)
def test_declared_axes_go_with_a_head(name: str, side: str, returns: str) -> None:
    """The axes of the output are those of what the head takes; any other declaration is wrong."""
    cls = getattr(layouts, name)
    by_hand = {"weight_ih": "ih.weight", "weight_hh": "hh.weight", "bias": "ih.bias"}
    tagger: dict[str, Any] = {which: f"lstm.{which}_l0" for which in ("weight_ih", "weight_hh")}
    tagger |= {"bias": ("lstm.bias_ih_l0", "lstm.bias_hh_l0"), "embedding": "embedding"}
    arguments: Any = tagger if name == "Tagger" else by_hand
    arguments |= {"call": "input", "head": "fc", "returns": returns}

    def made(input_size: int, hidden_size: int) -> Any:
        return (
            cls(9, input_size, hidden_size, 7)
            if arguments is tagger
            else cls(input_size, hidden_size, 7)
        )

    for batch_first in ("input", "output", True, False):
        mine = HandWritten(made, **arguments, batch_first=batch_first)
        claims = ("results_match_reference", "gradients_match_backpropagation")
        verdicts = [check(claim, mine, budget=Budget(10, seed=3)) for claim in claims]
        assert {isinstance(each, Passed) for each in verdicts} == {batch_first == side}, verdicts


def test_lists_of_classes_are_complete() -> None:
    """Every class and function of the two files is expected to be one or the other."""
    for file, listed in (("right.py", RIGHT), ("faulty.py", FAULTY)):
        defined = [
            line.split()[1].partition("(")[0].rstrip(":")
            for line in (FOLDER / file).read_text().splitlines()
            if line.startswith(("class ", "def "))
        ]
        assert set(defined) - {"uniform", "Kernels", "TurnsOutput", "TurnsInput"} == set(listed)


def test_infer_tells_of_other_mappings_that_fit() -> None:
    """Biases that can change places, and calls that are as good, are remarks."""
    remarks = inferred("right.py", "EightLinears").remarks
    first, second = RIGHT["EightLinears"]["bias"]
    assert remarks == (
        f"{first} and {second} can be exchanged: only their sum matters",
        "call='input, (h_0[0], c_0[0])' fits as well",
    )
    assert inferred("right.py", "LearnsItsStart").remarks == (
        "h_start is the initial h and keeps the value from the constructor",
    )


@pytest.mark.parametrize(
    ("name", "remarks"),
    [
        ("step_forward", ("the third returned value is not verified",)),
        (
            "MixedOrientation",
            (
                "the returned value 'logits' is not verified",
                "no mapping uses head.weight and head.bias",
            ),
        ),
        ("lstm_over_time", ()),
    ],
)
def test_infer_tells_what_is_not_verified(name: str, remarks: tuple[str, ...]) -> None:
    """What comes back and is nothing that an LSTM returns is a remark, and only that."""
    assert inferred("right.py", name).remarks == remarks


def test_infer_says_which_part_of_a_nested_answer_is_not_verified() -> None:
    """Places in tuples and mappings within what comes back are told in words."""
    remarks = inferred(__file__, "ReturnsMuch").remarks
    assert remarks[1:] == (
        "the second of 'states' of the first returned value and the second returned value are not "
        "verified",
    )


class ReturnsMuch(nn.Module):
    """Right, with means in several places."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size)

    def forward(self, x):
        output, (h, c) = self.lstm(x)
        return {"output": output, "states": (h, c.mean(2), c)}, [h.mean(), None]


def test_infer_diagnoses_what_nothing_explains() -> None:
    """Where the nearest mapping goes wrong, and with which quantity, is told as for any LSTM."""
    faults = inferred("faulty.py", "PeeksAtCell").faults
    assert faults[1].startswith("The results first differ in layer 0, step 0, row 0, feature 0")
    assert faults[2].startswith("In this step c is wrong: ")


class KeepsItsState(nn.Module):
    """One step, with the state inside."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.cell = nn.LSTMCell(input_size, hidden_size)
        self.state = None

    def forward(self, x):
        self.state = self.cell(x, self.state)
        return self.state[0]


def test_infer_finds_the_steps_of_an_lstm_that_keeps_its_state() -> None:
    """Calls of one step each, one after the other, are those of one sequence."""
    found = inferred(__file__, "KeepsItsState")
    assert found.fits, found.faults
    assert arguments(found.code)["call"] == "input"
    assert (arguments(found.code)["cell"], arguments(found.code)["returns"]) == (True, "h_n")


class CannotBeMade(nn.Module):
    """Raises."""

    def __init__(self, input_size, hidden_size):
        raise ValueError("no")


class TakesSettings(nn.LSTM):
    """Has its sizes in one argument, whose parts are not read by name."""

    def __init__(self, settings):
        super().__init__(**settings)


class NeedsActivation(nn.LSTM):
    """Needs a function."""

    def __init__(self, input_size, hidden_size, activation):
        super().__init__(input_size, hidden_size)
        activation(self)


class ThreeGates(nn.Module):
    """Has no forget gate."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W = nn.Linear(input_size + hidden_size, 3 * hidden_size)


class TakesKeywords(nn.LSTM):
    """Is called in a way of its own."""

    def forward(self, *, sequence, mask, step, training):
        return super().forward(sequence)


class UpperHasTwoDirections(nn.Module):
    """Has two layers, of which only the upper one is bidirectional."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm1 = nn.LSTM(input_size, hidden_size)
        self.lstm2 = nn.LSTM(hidden_size, hidden_size, bidirectional=True)
        self.fc = nn.Linear(2 * hidden_size, 3)

    def forward(self, x):
        return self.fc(self.lstm2(self.lstm1(x)[0])[0])


class ReturnsOneStateOfDeepDirections(nn.Module):
    """Shows only the last forward state of the upper of two layers with two directions."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, num_layers=2, bidirectional=True)

    def forward(self, x):
        _, (h, _) = self.lstm(x)
        return h[-2]


class AfterAFunction(nn.Module):
    """A Linear takes what a function made of the last state."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size)
        self.fc = nn.Linear(hidden_size, 3)

    def forward(self, x):
        return self.fc(self.lstm(x)[1][0][-1].relu())


class Pools(nn.Module):
    """A Linear takes what all steps have in common."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, bidirectional=True)
        self.fc = nn.Linear(2 * hidden_size, 3)

    def forward(self, x):
        return self.fc(self.lstm(x)[0].mean(0))


class PoolsTheLargest(Pools):
    def forward(self, x):
        return self.fc(self.lstm(x)[0].max(0).values)


class CannotBeCalled:
    """Has the parameters and does nothing with them."""

    def __init__(self, input_size, hidden_size):
        self.W = np.zeros((4 * hidden_size, input_size))
        self.U = np.zeros((4 * hidden_size, hidden_size))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("no_such_file.py:LSTM", "there is no file 'no_such_file.py'"),
        (f"{FOLDER / 'right.py'}:Missing", "there is no class or function 'Missing'"),
        (f"{FOLDER / 'right.py'}:lstms", r"in .*right.py; it has .*; did you mean 'lstm'\?"),
        (f"{FOLDER / 'right.py'}", "give .*right.py:Class; it has CarryCell, Cell, "),
        (
            f"{__file__}:TakesSettings",
            r"the constructor takes \(settings\), of which infer cannot supply settings; infer a",
        ),
        (
            f"{__file__}:NeedsActivation",
            "of which infer cannot supply activation; infer ",
        ),
        (f"{__file__}:ThreeGates", "those of a GRU, or of an LSTM without a forget gate, or with"),
        (
            f"{FOLDER / 'wrong_scratch.py'}:ThreeGates",
            "an LSTM without a forget gate, or with coupled gates",
        ),
        (f"{FOLDER / 'wrong_web.py'}:TiedGates", "x2h.weight and h2h.weight are one parameter"),
        (
            f"{__file__}:TakesKeywords",
            r"a call takes \(\*, sequence, mask, step, training\), but infer",
        ),
        (
            f"{__file__}:UpperHasTwoDirections",
            "lstm2 is a further layer of another form, .* verify each as a separate class",
        ),
        (
            f"{__file__}:ReturnsOneStateOfDeepDirections",
            "too little of an LSTM of 2 layers and two directions: output is needed, or of h_n ",
        ),
        (f"{__file__}:AfterAFunction", "fc takes what a function relu made of a result"),
        (f"{__file__}:Pools", "fc takes the mean of the output over all steps, from which no"),
        (f"{__file__}:PoolsTheLargest", "fc takes the maximum of the output over all steps"),
        (f"{__file__}:CannotBeCalled", "an instance has nothing that can be called"),
        (
            f"{FOLDER / 'right.py'}:uniform",
            r"takes .*, and these names are not those of an LSTM; describe the call yourself",
        ),
        (
            f"{FOLDER / 'refused.py'}:PeepsThroughLinears",
            "weights by input, h and c together are those of a peephole LSTM",
        ),
        (f"{FOLDER / 'refused.py'}:Convolves", "are those of a convolutional LSTM"),
        (
            f"{FOLDER / 'refused.py'}:TakesAnEmbedding",
            "called with numbers for hidden_size and embedding, raised .*; infer a subclass",
        ),
        (f"{FOLDER / 'refused.py'}:NeedsAMask", "cannot supply mask; infer a subclass whose call"),
        (f"{FOLDER / 'refused.py'}:NeedsATarget", "cannot supply trg; infer a subclass whose call"),
        ("torch.nn.Linear", r"no parameters have the shapes .* weight \(\d, \d\), bias \(\d,\)"),
        ("torch.nn.Identity", "there are none"),
        (f"{__file__}:CannotBeMade", "the constructor raised ValueError: no"),
    ],
)
def test_infer_refuses_what_it_cannot_try(name: str, told: str) -> None:
    """One line says what stands in the way."""
    with pytest.raises(UsageError, match=told) as caught:
        infer(name)
    assert "\n" not in str(caught.value)
