"""The multi-layer LSTM stacked by hand from ``torch.nn.LSTMCell``."""

import pytest
import torch

from conformance import StackedLSTMCells, load
from conformance.checking.activations import loosen
from conformance.checking.comparison import against_reference, agree, plus
from conformance.checking.truth import truth
from reference import DTYPES, Configuration
from tests.support.cases import random_case
from tests.support.devices import DEVICES, skip_unless_torch_computes

CONFIGURATIONS = {
    "one_layer": Configuration(3, 4),
    "three_layers": Configuration(3, 4, num_layers=3),
    "no_bias": Configuration(3, 4, num_layers=2, bias=False),
    "batch_first": Configuration(3, 4, num_layers=2, batch_first=True),
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_stacked_cells_agree_with_reference_and_torch(name: str, dtype: str, device: str) -> None:
    """In every dtype and configuration it is within the bound of the truth, and two of torch."""
    skip_unless_torch_computes(dtype, device)
    case = random_case(CONFIGURATIONS[name], dtype=dtype, device=device)
    stacked, fused = load("stacked-cells"), load("torch.nn.LSTM")
    loosen(fused, case.dtype, device)
    assert 0 < against_reference(stacked, case) <= 1
    bound = plus(truth(case, stacked).bound, truth(case, fused).bound)
    agree(stacked.run(case), fused.run(case), bound)


@pytest.mark.parametrize("rows", [(), (2,), (1,), (0,)])
def test_stacked_cells_have_the_shapes_of_torch(rows: tuple[int, ...]) -> None:
    """Unbatched, batched, of one row and of none: shapes are those of ``torch.nn.LSTM``."""
    for options in ({}, {"num_layers": 2}, {"batch_first": True}):
        steps = (*rows, 5) if "batch_first" in options else (5, *rows)
        x = torch.ones(*steps, 3)
        ours, (h, c) = StackedLSTMCells(3, 4, **options)(x)
        theirs, (h_n, c_n) = torch.nn.LSTM(3, 4, **options)(x)
        assert (ours.shape, h.shape, c.shape) == (theirs.shape, h_n.shape, c_n.shape)


def test_stacked_cells_start_from_zeros() -> None:
    """Without initial states the result is exactly that of zeros."""
    model, x = StackedLSTMCells(3, 4, 2), torch.ones(5, 2, 3)
    zeros = torch.zeros(2, 2, 4)
    (given, _), (omitted, _) = model(x, (zeros, zeros)), model(x)
    assert torch.equal(given, omitted)
    (other, _) = model(x, (zeros + 1, zeros))
    assert not torch.equal(given, other)


def test_stacked_cells_do_not_change_their_arguments() -> None:
    """Input and initial states are left as they were."""
    model, x = StackedLSTMCells(3, 4, 2), torch.ones(5, 2, 3)
    h_0, c_0 = torch.ones(2, 2, 4), torch.ones(2, 2, 4)
    model(x, (h_0, c_0))
    assert all(bool((tensor == 1).all()) for tensor in (x, h_0, c_0))


def test_stacked_cells_keep_layers_apart() -> None:
    """Each cell has parameters of its own, under the name of its layer."""
    names = {name for name, _ in StackedLSTMCells(3, 4, 2).named_parameters()}
    parts = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    assert names == {f"cells.{layer}.{part}" for layer in (0, 1) for part in parts}
