"""The classic tutorial's small model: two LSTM cells stacked by hand on embedded letters."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from conformance import StackedLSTMCells, load
from conformance.checking.activations import judging_anew, loosen
from conformance.checking.comparison import agree, plus
from conformance.checking.truth import truth
from conformance.implementations.failures import Mismatch
from conformance.implementations.pytorch.tensors import TORCH_DTYPES, to_array, to_tensor
from reference import Case, Configuration, Result, forward_bound, trace
from tests.support.devices import DEVICES

VOCABULARY, EMBEDDING, HIDDEN, BATCH, LAYERS = 4, 2, 3, 2, 2
CONFIGURATION = Configuration(EMBEDDING, HIDDEN, LAYERS)


@pytest.fixture(params=["float32", "float64"])
def case(request: pytest.FixtureRequest) -> Case:
    """Letters embedded, sequence first; parameters uniform, states initialised with Xavier."""
    dtype = TORCH_DTYPES[request.param]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        letters = torch.randint(VOCABULARY, (5, BATCH))
        embedded = nn.Embedding(VOCABULARY, EMBEDDING, dtype=dtype)(letters)
        states = torch.empty(2, LAYERS, BATCH, HIDDEN, dtype=dtype)
        for state in states:
            nn.init.xavier_uniform_(state)
        parameters = nn.LSTM(EMBEDDING, HIDDEN, LAYERS, dtype=dtype).state_dict()
    return Case(
        CONFIGURATION,
        {name: to_array(tensor, name) for name, tensor in parameters.items()},
        to_array(embedded, "input"),
        to_array(states[0], "h_0"),
        to_array(states[1], "c_0"),
    )


def stacked_by_hand(case: Case) -> Result:
    """Two cells, a loop over time, and in it a loop over layers."""
    model = StackedLSTMCells(EMBEDDING, HIDDEN, LAYERS).to(
        case.device, TORCH_DTYPES[case.dtype.name]
    )
    for layer, cell in enumerate(model.cells):
        for name, parameter in cell.named_parameters():
            parameter.data.copy_(to_tensor(case.parameters[f"{name}_l{layer}"]))
    return run(model, case)


def of_torch(case: Case) -> Result:
    """``torch.nn.LSTM`` of two layers with the same parameters."""
    model = nn.LSTM(EMBEDDING, HIDDEN, LAYERS, device=case.device)
    model.to(TORCH_DTYPES[case.dtype.name])
    model.load_state_dict({name: to_tensor(array) for name, array in case.parameters.items()})
    return run(model, case)


def run(model: nn.Module, case: Case) -> Result:
    assert case.h_0 is not None
    assert case.c_0 is not None
    output, (h_n, c_n) = model(
        to_tensor(case.input, case.device),
        (to_tensor(case.h_0, case.device), to_tensor(case.c_0, case.device)),
    )
    return Result(to_array(output, "output"), to_array(h_n, "h_n"), to_array(c_n, "c_n"))


@pytest.mark.parametrize("device", DEVICES)
def test_stacked_cells_agree_with_the_reference(case: Case, device: str) -> None:
    """Output and final states of every layer lie within the rounding-error bound."""
    true = trace(case)
    share = agree(stacked_by_hand(replace(case, device=device)), true.result, forward_bound(true))
    assert 0 < share <= 1


@pytest.mark.parametrize("device", DEVICES)
def test_stacked_cells_agree_with_torch(case: Case, device: str) -> None:
    """Output and final states of every layer are those of ``torch.nn.LSTM``, within two bounds."""
    here, torch_lstm = replace(case, device=device), load("torch.nn.LSTM")
    with judging_anew():
        loosen(torch_lstm, case.dtype, device)
        bound = plus(forward_bound(trace(case)), truth(here, torch_lstm).bound)
    agree(stacked_by_hand(here), of_torch(here), bound)


def test_stacked_cells_keep_the_hidden_state_of_every_layer(case: Case) -> None:
    """h_n has one state a layer, which differ, and its last is the last output of the top layer."""
    result = stacked_by_hand(case)
    assert result.h_n.shape == result.c_n.shape == (LAYERS, BATCH, HIDDEN)
    assert result.output.shape == (5, BATCH, HIDDEN)
    assert np.array_equal(result.h_n[-1], result.output[-1])
    assert not np.isclose(result.h_n[0], result.h_n[1]).any()


def test_stacked_cells_differ_from_cells_in_another_order(case: Case) -> None:
    """The comparison with the reference notices the two layers' recurrent weights exchanged."""
    swapped = dict(case.parameters)
    swapped["weight_hh_l0"], swapped["weight_hh_l1"] = (
        case.parameters["weight_hh_l1"],
        case.parameters["weight_hh_l0"],
    )
    true = trace(case)
    with pytest.raises(Mismatch, match="but should be"):
        agree(stacked_by_hand(replace(case, parameters=swapped)), true.result, forward_bound(true))
