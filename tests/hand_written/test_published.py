"""What is inferred of LSTMs as they are published: lengths, one size, objects, names that lie."""

import inspect
import re
from typing import Any

import pytest

from conformance import REQUIREMENTS, Budget, Crashed, Failed, Passed, check
from tests.hand_written import published, wrong_published
from tests.hand_written.inferring import OF_NETWORKS, arguments, executed, inferred

RIGHT: dict[str, dict[str, Any]] = {
    "DictConfig": {"weight_xh": "W.weight", "gates": "oifg"},
    "of_an_object": {"call": "namespace(W=W, U=U, b=b), input, (h_0[0], c_0[0])"},
    "HiddenLayerSize": {"returns": "linear(output)", "batched": False},
    "StepsLast": {"steps_last": True, "bias": "parameters.b{u,f,c,o}"},
    "StatesOfLayers": {
        "call": "input, [(h_0[0:1], c_0[0:1]), (h_0[1:2], c_0[1:2])]",
        "returns": "output, ((h_n[0:1], c_n[0:1]), (h_n[-1:], c_n[-1:]))",
    },
    "OneReluTwice": {"returns": "relu(h_n[-1])", "layers": ("0", "1")},
    "WithLengths": {"call": "input, lengths", "returns": "fc(h_n[0])"},
    "GathersTheLastStep": {"call": "input, lengths", "returns": "output, h_n[0]"},
    "KeepsItsConfig": {"square": True, "returns": "output", "steps_last": True},
    "OneSize": {"square": True, "embedding": "i_h", "layers": ("0", "1")},
    "Characters": {
        "returns": "fc(flat(output)), (h_n, c_n)",
        "call": "input, (h_0, c_0)",
        "layers": ("0", "1"),
    },
}
"""For each right one the telling arguments of its adapter."""

WRONG = {
    "LastOfPadded": "that takes the last step of the padded output for h_n",
    "NeverUnsorts": "that returns all results with rows sorted by length",
    "ZeroesStates": "that returns zeros for the final states of rows that end before others",
    "ViewsStates": "h_n is viewed with rows first, which mixes the rows",
    "LayersAsRows": "the states of all layers are taken for rows of one batch",
    "ExchangesGivenStates": "h0 is used as c_0",
    "ExchangesKeys": "'h' of what is returned is c_n",
    "InvertsTheForgetGate": "with the forget gate inverted, c = (1 - f) * c + i * g",
    "OneCellAbove": "cells.1.weight_ih and cells.2.weight_ih are one parameter",
    "HandsStatesUp": "that starts each layer from the final states of the one below",
    "OneArrayForAllSteps": "that returns the last hidden state for every step",
    "LateByOne": "that returns the hidden state from before each step as output",
    "SkipsTheLastStep": "the state before the last step is returned",
    "FallingSigmoid": "with 1 / (1 + exp(a)) in place of sigmoid",
    "TanhOfHalf": "with 2 sigmoid(a) - 1 in place of tanh",
    "biases_exchanged": "bf serves as input gate and bi serves as forget gate, against",
}
"""For each wrong one what is told of it."""

BY_NAME = {"ExchangesGivenStates", "ExchangesKeys", "biases_exchanged"}
"""Those that are wrong by the names of what they take and return alone."""

QUICK = {
    *("DictConfig", "of_an_object", "StepsLast", "WithLengths", "OneSize"),
    *("LastOfPadded", "ViewsStates", "SkipsTheLastStep", *BY_NAME),
}
"""Those that are tried in the fast loop."""


def listed(names: dict[str, Any]) -> list[Any]:
    slow = pytest.mark.slow
    return [pytest.param(name, marks=() if name in QUICK else slow) for name in names]


@pytest.mark.parametrize("name", listed(RIGHT))
def test_infer_finds_the_mapping_of_a_published_lstm(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The printed code has the right arguments, and what it defines computes the LSTM."""
    found = inferred("published.py", name, OF_NETWORKS)
    assert found.fits, found.faults
    assert RIGHT[name].items() <= arguments(found.code).items()
    mine = executed(found.code, "published.py", monkeypatch)
    decided = ["results_match_reference", "rows_do_not_interact", "gradients_match_backpropagation"]
    decided += ["h_n_is_last_output", "h_n_is_last_valid_step"]
    decided += ["gradients_pass_through_packed_batches"]
    verdicts = [check(REQUIREMENTS[each], mine, budget=Budget(10, seed=3)) for each in decided]
    assert all(verdict.conformant for verdict in verdicts), verdicts
    assert isinstance(verdicts[0], Passed)
    assert ("lengths" in arguments(found.code)["call"]) == mine.supports.lengths


def test_infer_finds_the_mapping_of_script_methods() -> None:
    """Which list the instance among their arguments."""
    found = inferred("scripted.py", "ScriptLayer")
    assert found.fits, found.faults
    assert arguments(found.code)["call"] == "input, (h_0[0], c_0[0])"


@pytest.mark.parametrize("name", listed(WRONG))
def test_infer_names_the_fault_of_a_published_lstm(name: str) -> None:
    """What is wrong is told in words, and the nearest mapping fails unless only names are wrong."""
    found = inferred("wrong_published.py", name, OF_NETWORKS)
    assert not found.fits
    assert any(WRONG[name] in fault for fault in found.faults), found.faults
    budget = Budget(20, seed=3)
    verdict = check(REQUIREMENTS["results_match_reference"], found.implementation, budget=budget)
    assert isinstance(verdict, Passed if name in BY_NAME else (Failed, Crashed)), verdict


def test_lists_of_published_lstms_are_complete() -> None:
    """Each is expected to be right or wrong."""
    helpers = {"sigmoid", "Params", "Plain"}
    for module, known in ((published, RIGHT), (wrong_published, WRONG)):
        source = inspect.getsource(module)
        defined = set(re.findall(r"^(?:class|def) (\w+)", source, re.MULTILINE))
        assert defined - helpers == set(known)
