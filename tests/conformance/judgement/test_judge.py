"""The verdict from Python: what it takes, and what it refuses."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from conformance import Case, Result, judge, load
from conformance.judgement.verdict import Right
from tests.support.devices import skip_unless_torch_computes
from tests.support.kernels import made

X = torch.randn(5, 2, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("module", "x"),
    [
        (lambda: nn.LSTM(3, 4, 2, bidirectional=True, dropout=0.5), X),
        (lambda: nn.LSTM(3, 4, batch_first=True, proj_size=2), X),
        (lambda: nn.LSTM(3, 4).half(), X[:, 0].half()),
        (lambda: nn.LSTMCell(3, 4), X[0]),
    ],
)
def test_module_is_judged_as_it_is(module: Callable[[], nn.Module], x: torch.Tensor) -> None:
    """In eval mode, which ends with the call."""
    skip_unless_torch_computes(str(x.dtype).removeprefix("torch."))
    lstm = module()
    assert isinstance(judge(lstm, x).verdict, Right)
    assert lstm.training


@pytest.mark.parametrize(
    ("given", "states", "told"),
    [
        (None, None, "tensors or arrays, not a NoneType"),
        (X.tolist(), None, "tensors or arrays, not a list"),
        (X[..., :2], None, "input must have shape"),
        (X, X, "pair of h_0 and c_0"),
        (X, (X, X), "h_0 must have shape"),
    ],
)
def test_what_is_no_input_is_refused(given: Any, states: Any, told: str) -> None:
    """The message says what is wrong with it."""
    with pytest.raises(ValueError, match=told):
        judge(nn.LSTM(3, 4), given, states)


def without_unit(result: Result) -> Result:
    return replace(result, c_n=result.c_n[..., :3])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda _: None, "results must be a Result, or a list of 2"),
        (lambda _: [], "results must be a Result"),
        (lambda result: [result] * 3, "results must be a Result"),
        (lambda result: (result.output, result.h_n), "results must be a Result"),
        (without_unit, r"c_n must be an array of shape \(2, 2, 4\), has \(2, 2, 3\)"),
        (lambda result: [result, result], r"h_n must be an array of shape \(1, 2, 4\)"),
    ],
)
def test_what_is_no_result_is_refused(change: Callable[[Result], Any], told: str) -> None:
    """Neither other shapes nor another number of layers."""
    case: Case = made((3, 4, 5, 2), num_layers=2)
    result = load("torch.nn.LSTM").run(case)
    assert np.isfinite(result.output).all()
    with pytest.raises(ValueError, match=told):
        judge(case, change(result))
