"""What is inferred of networks: layers, directions, tokens, random states, functions."""

import re
from typing import Any

import pytest

from conformance import REQUIREMENTS, Budget, Crashed, Failed, Passed, check
from tests.hand_written.inferring import OF_NETWORKS, arguments, executed, inferred

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

WRONG = {
    "ReadsTheStateFromBefore": "that feeds the hidden state from before the step to the next layer",
    "FeedsTheCellState": "that feeds the cell state to the next layer",
    "SharesTheState": "The results first differ in layer 1, step 0",
    "NeverTurnsBack": "whose reverse output is left in the order of processing",
    "RunsForwardTwice": "whose reverse direction runs forward",
    "ReverseHalfFirst": "that puts the reverse half of its output first",
    "ReturnsOneHalfTwice": "no mapping fits",
    "OneCellForBoth": "no mapping fits",
    "DeepAndUnturned": "this is an LSTM, but not with bidirectional=True",
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

QUICK = {"Tutorial", "Directions", "ReadsTheStateFromBefore"}
"""The networks that are tried in the fast loop."""


def listed(names: Any) -> list[Any]:
    return [pytest.param(each, marks=() if each in QUICK else pytest.mark.slow) for each in names]


@pytest.mark.parametrize("name", listed(LAYERS))
def test_infer_finds_the_mapping_of_a_right_network(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The printed code has the right arguments, and what it defines computes the LSTM."""
    found = inferred("networks.py", name, OF_NETWORKS)
    assert found.fits, found.faults
    assert LAYERS[name].items() <= arguments(found.code).items()
    mine = executed(found.code, "networks.py", monkeypatch)
    decided = ["results_match_reference", "rows_do_not_interact", "gradients_match_backpropagation"]
    verdicts = [check(REQUIREMENTS[each], mine, budget=Budget(10, seed=3)) for each in decided]
    assert all(verdict.conformant for verdict in verdicts), verdicts
    assert isinstance(verdicts[0], Passed)


@pytest.mark.parametrize("name", listed(WRONG))
def test_infer_names_the_fault_of_a_wrong_network(name: str) -> None:
    """What is wrong is told in words, and the nearest mapping fails."""
    found = inferred("wrong_networks.py", name, OF_NETWORKS)
    assert not found.fits
    assert any(WRONG[name] in fault for fault in found.faults), found.faults
    budget = Budget(20, seed=3)
    verdict = check(REQUIREMENTS["results_match_reference"], found.implementation, budget=budget)
    assert isinstance(verdict, (Failed, Crashed)), verdict


def test_lists_of_networks_are_complete() -> None:
    """Every network of the two files is expected to be right or wrong."""
    from tests.hand_written import networks, wrong_networks

    helpers = {"Cell", "Answer", "Pair", "NumpyCell", "sigmoid"}
    for module, known in ((networks, LAYERS), (wrong_networks, WRONG)):
        assert module.__file__ is not None
        with open(module.__file__, encoding="utf-8") as file:
            defined = set(re.findall(r"^(?:class|def) (\w+)", file.read(), re.MULTILINE))
        assert defined - helpers == set(known)
