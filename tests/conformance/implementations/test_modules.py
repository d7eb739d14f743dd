"""Adapters for torch modules."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from conformance import Misbehaviour, StackedLSTMCells, Support, TorchLSTM, TorchLSTMCell, load
from conformance.checking.activations import loosen
from conformance.checking.comparison import against_reference
from conformance.implementations.pytorch.answers import unpack
from conformance.implementations.pytorch.modules import set_exact_arithmetic, torch_devices
from conformance.implementations.torch_module import is_torch_module
from reference import DTYPES, Configuration
from tests.support.cases import random_case
from tests.support.devices import DEVICES, skip_unless_torch_computes

CONFIGURATIONS = {
    "one_layer": Configuration(3, 4),
    "two_layers": Configuration(3, 4, num_layers=2),
    "no_bias": Configuration(3, 4, num_layers=2, bias=False),
    "batch_first": Configuration(3, 4, batch_first=True),
    "bidirectional": Configuration(3, 4, num_layers=2, bidirectional=True),
    "projection": Configuration(3, 4, num_layers=2, bidirectional=True, proj_size=2),
    "dropout": Configuration(3, 4, num_layers=2, dropout=0.5),
}


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_torch_lstm_agrees_with_the_reference(name: str, dtype: str, device: str) -> None:
    """In every configuration and dtype, ``torch.nn.LSTM`` is within the bound."""
    skip_unless_torch_computes(dtype, device)
    case = random_case(CONFIGURATIONS[name], dtype=dtype, device=device)
    lstm = load("torch.nn.LSTM")
    loosen(lstm, case.dtype, device)
    assert 0 < against_reference(lstm, case) <= 1


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("batch_first", [False, True])
def test_torch_lstm_takes_lengths(batch_first: bool, device: str) -> None:
    """Rows of different lengths are packed, and the output is padded to the full length."""
    configuration = Configuration(3, 4, bidirectional=True, batch_first=batch_first)
    case = random_case(configuration, lengths=np.array([2, 4, 1]), device=device)
    lstm = load("torch.nn.LSTM")
    loosen(lstm, case.dtype, device)
    assert 0 < against_reference(lstm, case) <= 1


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("bias", [True, False])
def test_torch_lstm_cell_agrees_with_the_reference(bias: bool, device: str) -> None:
    """``torch.nn.LSTMCell`` in a loop over time is an LSTM of one layer."""
    case = random_case(Configuration(3, 4, bias=bias), device=device)
    assert 0 < against_reference(load("torch.nn.LSTMCell"), case) <= 1
    assert case.h_0 is not None
    assert case.c_0 is not None
    alone = replace(case, input=case.input[:, 0], h_0=case.h_0[:, 0], c_0=case.c_0[:, 0])
    assert 0 < against_reference(load("torch.nn.LSTMCell"), alone) <= 1


def test_build_gives_a_module_with_the_parameters_of_the_case() -> None:
    """The module is in eval mode, of the case's dtype, and has its very parameters."""
    case = random_case(CONFIGURATIONS["projection"], dtype="float64")
    module = TorchLSTM(nn.LSTM, "it", Support()).build(case)
    assert not module.training
    state = module.state_dict()
    assert set(state) == set(case.parameters)
    for name, array in case.parameters.items():
        assert state[name].dtype == torch.float64
        assert state[name].numpy().tolist() == array.tolist()


def test_run_tells_where_the_results_are() -> None:
    """The device of each of the three tensors is kept."""
    result = load("torch.nn.LSTM").run(random_case(Configuration(3, 4)))
    assert dict(result.devices) == {"output": "cpu", "h_n": "cpu", "c_n": "cpu"}


def test_around_is_entered_whenever_the_class_runs() -> None:
    """Constructor, conversion, loading of parameters and every call run inside `around`."""
    inside = 0
    entered = []

    @contextlib.contextmanager
    def around() -> Iterator[None]:
        nonlocal inside
        inside += 1
        entered.append(inside)
        yield
        inside -= 1

    class Watched(nn.LSTMCell):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            assert inside == 1
            super().__init__(*arguments, **options)

        def to(self, *arguments: Any) -> "Watched":
            assert inside == 1
            return super().to(*arguments)

        def load_state_dict(self, *arguments: Any, **options: Any) -> Any:
            assert inside == 1
            return super().load_state_dict(*arguments, **options)

        def forward(self, *arguments: Any) -> Any:
            assert inside == 1
            return super().forward(*arguments)

    case = random_case(Configuration(3, 4), seq_len=2)
    TorchLSTMCell(Watched, "it", Support(), around=around).run(case)
    assert len(entered) == 5
    assert inside == 0


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "the answer is a NoneType, not a tuple of two"),
        (torch.ones(2), "the answer is a Tensor, not a tuple of two"),
        ((1, 2, 3), "the answer has 3 parts, not two"),
        ((1, 2), "the second part of the answer is a int, not a tuple of two"),
        ((1, (2,)), "the second part of the answer has 1 parts, not two"),
    ],
)
def test_unpack_says_what_was_returned_instead(answer: object, told: str) -> None:
    """An answer that is not ``output, (h_n, c_n)`` is described."""
    with pytest.raises(Misbehaviour, match=told):
        unpack(answer)


def test_unpack_takes_lists() -> None:
    """Lists of two do as tuples do."""
    assert unpack([1, [2, 3]]) == (1, (2, 3))


def test_run_refuses_what_is_no_tensor() -> None:
    """A module that returns numbers in place of tensors misbehaves."""

    class Numbers(nn.LSTM):
        def forward(self, *arguments: object) -> object:
            return 1.0, (2.0, 3.0)

    with pytest.raises(Misbehaviour, match="output is a float, not a tensor"):
        TorchLSTM(Numbers, "it", Support()).run(random_case(Configuration(3, 4)))


def test_torch_devices_start_with_the_cpu() -> None:
    """The CPU and every CUDA device are listed."""
    assert torch_devices()[0] == "cpu"
    assert len(torch_devices()) == 1 + torch.cuda.device_count()


def test_set_exact_arithmetic_turns_short_products_off() -> None:
    """Neither TF32 nor bfloat16 products are allowed afterwards, and what was set is told."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    try:
        torch.set_float32_matmul_precision("medium")
        torch.backends.cudnn.allow_tf32 = True
        said = set_exact_arithmetic()
        assert torch.get_float32_matmul_precision() == "highest"
        assert not torch.backends.cudnn.allow_tf32
        assert not torch.backends.cuda.matmul.allow_tf32
        assert not torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction
        assert not torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction
        assert said["torch"] == torch.__version__
        assert said["switches"]["torch.backends.cudnn.allow_tf32"] == "False"
        assert said["torch.get_num_threads()"] == "1"
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]


def test_rename_finds_parameters_of_another_name() -> None:
    """The adapter of stacked cells loads each layer's parameters into its cell."""
    case = random_case(Configuration(3, 4, num_layers=2))
    implementation = load("stacked-cells")
    assert is_torch_module(implementation)
    module = implementation.build(case)
    assert isinstance(module, StackedLSTMCells)
    cell = module.cells[1]
    assert isinstance(cell, nn.LSTMCell)
    loaded = cell.weight_hh.detach().numpy()
    assert loaded.tolist() == case.parameters["weight_hh_l1"].tolist()
