"""What is inferred of networks: layers, directions, tokens, random states, functions."""

import inspect
import re
from typing import Any

import pytest

from conformance import REQUIREMENTS, Budget, Crashed, Failed, Passed, check
from tests.hand_written.inferring import CALLS, OF_NETWORKS, arguments, executed, inferred

LAYERS: dict[str, dict[str, Any]] = {
    "ByKeyword": {"weight_xh": "cell.linear.weight"},
    "BufferOfFloat32": {"weight_xh": "cell.linear.weight"},
    "ThreeBiases": {"bias": ("b_{i,f,c,o}", "W_{i,f,c,o}.bias", "V_{i,f,c,o}.bias")},
    "StatesSideBySide": {"call": "input, cat(h_0, c_0)", "returns": "h_n, cat(h_n, c_n)"},
    "CellStateFirst": {"call": "input, cat(c_0, h_0)", "returns": "h_n, cat(c_n, h_n)"},
    "TwoCells": {"weight_ih": "cell*.weight_ih", "layers": ("1", "2"), "returns": "h_n[-1]"},
    "Tutorial": {
        "weight_ih": "cells.*.weight_ih",
        "layers": ("0", "1"),
        "draws": "h_0[0], c_0[0], h_0[1], c_0[1]",
        "embedding": "embedding",
        "returns": "h_n[-1]",
    },
    "WithAHead": {
        "layers": ("lower", "upper"),
        "embedding": "embed",
        "returns": "fc(h_n[-1])",
    },
    "Directions": {"layers": ("forward", "backward"), "bidirectional": True},
    "DeepDirections": {
        "layers": ("0.fw", "0.bw", "1.fw", "1.bw"),
        "bidirectional": True,
        "returns": "output, (h_n, c_n)",
    },
    "ListsOfParameters": {"weight_ih": "Wx.*", "layers": ("0", "1"), "call": "input, (h_0, c_0)"},
    "ReturnsADataclass": {
        "returns": "{'hidden_states': output, 'last_hidden': h_n[0], 'last_cell': c_n[0]}"
    },
    "PairsOfStates": {
        "layers": ("first", "second"),
        "call": "input, [(h_0[0], c_0[0]), (h_0[1], c_0[1])]",
        "returns": "output, ((h_n[0], c_n[0]), (h_n[-1], c_n[-1]))",
    },
    "DrawsItsStates": {"draws": "h_0, c_0"},
    "NumpyStack": {"weight_ih": "cells.*.weights.0", "layers": ("0", "1")},
    "from_h_0_alone": {"call": "input, h_0[0], Wx, Wh, b"},
    "step_of_columns": {"cell": True, "weight_hx": "W{i,f,c,o}"},
    "over_time_in_columns": {"columns": True, "steps_last": True, "returns": "output, _, c_all"},
    "of_one_list": {"returns": "flat(output), (h_n[0], c_n[0])", "tensors": True},
}
"""For each network of networks.py the telling arguments of its adapter."""

SCRATCH: dict[str, dict[str, Any]] = {
    "ScratchOfABook": {"weight_ih": "W_x{i,f,c,o}", "call": "input, (h_0[0], c_0[0])"},
    "OfAConfig": {"weight_ih": "x2h.weight", "bias": ("x2h.bias", "h2h.bias")},
    "TextModel": {
        "layers": ("1", "2", "3"),
        "embedding": "embedding",
        "draws": "h_0[0], h_0[1], h_0[2], c_0[0], c_0[1], c_0[2]",
        "returns": "linear(h_n[-1])",
    },
    "KeepsADataclass": {"gates": "figo", "returns": "output, {'h': h_n[0], 'c': c_n[0]}"},
    "CandidateFirst": {"weight_ih": "p.W", "gates": "ogif", "call": "input, h_0[0], c_0[0]"},
    "StepOfCharacters": {"weight_xh": "i2{i,f,c,o}.weight", "returns": "_, h_n, c_n"},
    "KeywordOnly": {"call": "input=input, hx=(h_0[0], c_0[0])"},
    "keyword_only": {"call": "x=input, h=h_0[0], c=c_0[0], W=W, U=U, b=b"},
    "batched": {
        "weight_xh": "WLSTM",
        "bias": "WLSTM[0]",
        "gates": "ifog",
        "call": "input, WLSTM, c_0[0], h_0[0]",
    },
    "OnesLast": {"weight_hx": "W", "bias": "W[-1]", "gates": "fiog"},
    "UnitsFirst": {"interleaved": True, "weight_ih": "wx.weight", "bias": "wx.bias"},
}
"""For each right one of scratch.py the telling arguments of its adapter."""

PUBLIC: dict[str, dict[str, Any]] = {
    "StateDict": {"call": "input, {'h': h_0[0], 'c': c_0[0]}"},
    "BasicLSTMCell": {"gates": "igfo", "forget_bias": 1.0, "call": "input, (c_0, h_0)"},
    "Einsum": {"weight_ih": "Wx", "weight_hh": "Wh", "bias": "b"},
    "BiEncoder": {"bidirectional": True, "returns": "output, cat(h_n[0], h_n[-1])"},
    "LSTMTagger": {"batched": False, "returns": "hidden2tag(output)"},
    "TimeSeries": {"call": "input", "returns": "linear(h_n[-1])"},
    "DrawsHiddenStatesFirst": {"draws": "h_0[0], h_0[1], c_0[0], c_0[1]"},
    "EncoderAndDecoder": {"weight_ih": "*.weight_ih", "layers": ("enc", "dec")},
    "EverythingInTheConstructor": {
        "layers": ("0", "0_reverse", "1", "1_reverse"),
        "embedding": "embedding",
    },
    "TenClasses": {"embedding": "embedding", "returns": "classifier.1(h_n[0])"},
    "HeadOfTheSameSize": {"returns": "fc(output)"},
    "SentimentOfBothDirections": {
        "layers": ("0", "0_reverse", "1", "1_reverse"),
        "bidirectional": True,
        "embedding": "embedding",
        "returns": "fc(cat(h_n[2], h_n[-1]))",
    },
    "SentimentOfAnyDepth": {
        "layers": ("0", "0_reverse", "1", "1_reverse"),
        "bidirectional": True,
        "returns": "fc(cat(h_n[2], h_n[-1]))",
    },
    "SentimentOfOneDirection": {"layers": ("0", "1"), "returns": "fc(cat(h_n[0], h_n[-1]))"},
    "TopStates": {"call": "input, (h_0, c_0)", "returns": "stack(h_n[2], h_n[-1]), c_n"},
    "RandomStatesAndTenOutputs": {"layers": ("1", "2"), "returns": "linear(h_n[-1])"},
    "GatesOfLinears": {
        "weight_ih": "cells.*.W_{i,f,c,o}.weight",
        "layers": ("0", "1"),
        "returns": "fc(h_n[-1])",
    },
}
"""The same for public.py."""

WRONG = {
    "ReadsTheStateFromBefore": "that feeds the hidden state from before the step to the next layer",
    "FeedsTheCellState": "that feeds the cell state to the next layer",
    "SharesTheState": "The results first differ in layer 1, step 0",
    "NeverTurnsBack": "whose reverse output is left in the order of processing",
    "RunsForwardTwice": "whose reverse direction runs forward",
    "ReverseHalfFirst": "that puts the reverse half of its output first",
    "ReturnsOneHalfTwice": "no mapping fits",
    "OneCellForBoth": "no mapping fits",
    "DeepAndUnturned": "whose reverse output is left in the order of processing",
    "ForgetsTheForgetGate": "without a forget gate, c = c + i * g",
    "LacksTanhInAllLayers": "without tanh on the cell state",
    "NumpyStackOfInputs": "this is an LSTM, but not with num_layers=2",
    "columns_without_forget_gate": "without a forget gate, c = c + i * g",
    "columns_with_sigmoid_on_c": "with sigmoid on the candidate",
    "forgets_c_over_time": "drops the cell state of the previous step",
    "list_with_gates_swapped": "W_xf serves as input gate and as forget gate",
    "AddsTheForgetBiasTwice": "linear.bias is added twice",
    "PeeksThroughWeights": "this looks like a peephole LSTM, whose gates see c by p_i, p_f",
}
"""For each network of wrong_networks.py what is told of it."""

WRONG_PUBLIC = {
    "OutputOfOldCell": "that computes h from the cell state of the previous step",
    "DropsInEval": "a second call of the same instance returns other numbers",
    "KeepsItsState": "a second call of the same instance returns other numbers",
    "ReverseStateFirst": "the last two states of h_n are returned in exchanged order",
    "ForwardStateTwice": "one of the last two states of h_n is returned twice",
    "StatesOfTheLowerLayer": "the first two states of h_n are returned in place of the last two",
    "LastStepAbove": "which is not a final state of the reverse direction",
    "ForgetsBatchFirst": "it takes the first axis of the input for time",
    "LastOfBothDirections": "which is not a final state of the reverse direction",
    "ViewsTheBatch": "makes batch-first input time-major by a reshape instead of a transpose",
    "TanhOnOneGate": "this is an LSTM with tanh on the output gate",
    "OneLinearForTwoGates": "U_i.weight serves as input gate and as forget gate",
    "GoesOnWithTheStateBelow": "The results first differ in layer 1, step 0",
}
"""The same for wrong_public.py."""

WRONG_SCRATCH = {
    "batched_without_tanh": "without tanh on the candidate",
    "Normalized": "this looks like an LSTM with normalization, by layernorm_i, layernorm_h and",
    "Peepholes": "this looks like a peephole LSTM, whose gates see c by w_ci, w_cf, w_co",
    "SumOfDirections": "the outputs of the two directions are added up, not put side by side",
    "Residual": "this is an LSTM, but not with num_layers=2",
    "ForgetsTheSigmoid": "without sigmoid on the forget gate",
}
"""The same for wrong_scratch.py."""

RIGHT_WHEN_NEW = {"KeepsItsState"}
"""Networks that are right in the first call of each instance."""

IN_FLOAT32 = {"Tutorial", "TextModel", "RandomStatesAndTenOutputs"}
"""Networks that make states in float32: few calls show that float64 leads nowhere."""

QUICK = {
    "Tutorial",
    "batched",
    "KeywordOnly",
    "UnitsFirst",
    "Directions",
    "ReadsTheStateFromBefore",
}
"""The networks that are tried in the fast loop."""


def listed(**by_file: Any) -> list[Any]:
    return [
        pytest.param(f"{file}.py", each, marks=() if each in QUICK else pytest.mark.slow)
        for file, names in by_file.items()
        for each in names
    ]


@pytest.mark.parametrize(("file", "name"), listed(networks=LAYERS, public=PUBLIC, scratch=SCRATCH))
def test_infer_finds_the_mapping_of_a_right_network(
    file: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The printed code has the right arguments, and what it defines computes the LSTM."""
    found = inferred(file, name, CALLS if name in IN_FLOAT32 else OF_NETWORKS)
    assert found.fits, found.faults
    assert (LAYERS | PUBLIC | SCRATCH)[name].items() <= arguments(found.code).items()
    mine = executed(found.code, file, monkeypatch)
    decided = ["results_match_reference", "rows_do_not_interact", "gradients_match_backpropagation"]
    verdicts = [check(REQUIREMENTS[each], mine, budget=Budget(10, seed=3)) for each in decided]
    assert all(verdict.conformant for verdict in verdicts), verdicts
    assert isinstance(verdicts[0], Passed)


@pytest.mark.parametrize(
    ("file", "name"),
    listed(wrong_networks=WRONG, wrong_public=WRONG_PUBLIC, wrong_scratch=WRONG_SCRATCH),
)
def test_infer_names_the_fault_of_a_wrong_network(file: str, name: str) -> None:
    """What is wrong is told in words, and the nearest mapping fails, if a new instance does."""
    found = inferred(file, name, OF_NETWORKS)
    assert not found.fits
    assert any((WRONG | WRONG_PUBLIC | WRONG_SCRATCH)[name] in fault for fault in found.faults), (
        found.faults
    )
    if name in RIGHT_WHEN_NEW:
        return
    budget = Budget(20, seed=3)
    verdict = check(REQUIREMENTS["results_match_reference"], found.implementation, budget=budget)
    assert isinstance(verdict, (Failed, Crashed)), verdict


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


def test_lists_of_networks_are_complete() -> None:
    """Every network of the six files is expected to be right or wrong."""
    from tests.hand_written import (
        networks,
        public,
        scratch,
        wrong_networks,
        wrong_public,
        wrong_scratch,
    )

    helpers = {"Cell", "Answer", "Pair", "NumpyCell", "sigmoid", "LSTMConfig", "State"}
    refused = {"ThreeGates"}  # test_inference.py
    for modules, known in (
        ((networks, public, scratch), LAYERS | PUBLIC | SCRATCH),
        ((wrong_networks, wrong_public, wrong_scratch), WRONG | WRONG_PUBLIC | WRONG_SCRATCH),
    ):
        defined = {
            name
            for module in modules
            for name in re.findall(r"^(?:class|def) (\w+)", inspect.getsource(module), re.MULTILINE)
        }
        assert defined - helpers - refused == set(known)
