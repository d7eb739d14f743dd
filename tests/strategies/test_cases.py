"""What `lstm_cases` draws: valid cases that honour the support and the options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from reference import Array, Case, trace
from strategies import Support, lstm_cases

NARROW = Support(
    dtypes=("float32",),
    devices=("cuda",),
    max_layers=1,
    bias=(True,),
    batch_first=(True,),
    bidirectional=(False,),
    projection=False,
    dropout=False,
    lengths=False,
    states=(False,),
    batched=(True,),
    empty_batch=False,
)


def arrays(case: Case) -> dict[str, Any]:
    """Every floating-point array of `case` by name."""
    states = {"h_0": case.h_0, "c_0": case.c_0} if case.h_0 is not None else {}
    return {**case.parameters, "input": case.input, **states}


@given(lstm_cases())
def test_lstm_cases_hold_finite_arrays_of_their_dtype(case: Case) -> None:
    """Every array is contiguous, finite and of the case's type, and parameters are in order."""
    assert list(case.parameters) == list(case.configuration.parameter_shapes())
    for array in arrays(case).values():
        assert array.dtype == case.dtype.numpy
        assert array.flags.c_contiguous
        assert np.isfinite(array.astype(np.float64)).all()


@given(lstm_cases())
def test_lstm_cases_are_without_dropout_and_empty_batches(case: Case) -> None:
    """Unless they are asked for, dropout is 0 and every batch has a row."""
    assert case.configuration.dropout == 0
    assert case.batch_size >= 1
    assert case.device == "cpu"


@given(lstm_cases(dtypes="float16") | lstm_cases(dtypes="float16", weights=["saturating"]))
def test_lstm_cases_do_not_overflow_in_float16(case: Case) -> None:
    """The terms of every pre-activation sum to less than a quarter of the largest number."""
    for layer in trace(case).layers:
        weight_ih, weight_hh = np.abs(layer.weights.weight_ih), np.abs(layer.weights.weight_hh)
        biases = np.abs(layer.weights.bias_ih) + np.abs(layer.weights.bias_hh)
        for step in layer.steps:
            terms = np.abs(step.x) @ weight_ih.T + np.abs(step.h_prev) @ weight_hh.T + biases
            assert terms.max() < case.dtype.largest / 4


@given(lstm_cases(NARROW))
def test_lstm_cases_stay_within_their_support(case: Case) -> None:
    """Nothing is drawn that the support leaves out."""
    configuration = case.configuration
    assert (case.dtype.name, case.device) == ("float32", "cuda")
    assert configuration.num_layers == 1
    assert configuration.bias
    assert configuration.batch_first
    assert not configuration.bidirectional
    assert configuration.proj_size == 0
    assert case.lengths is None
    assert case.h_0 is None
    assert case.batched


OPTIONS: list[tuple[dict[str, Any], Callable[[Case], bool]]] = [
    ({"dtypes": ["float16", "bfloat16"]}, lambda case: case.dtype.name.endswith("16")),
    ({"bias": False}, lambda case: not case.configuration.bias),
    ({"batch_first": True}, lambda case: case.configuration.batch_first),
    ({"bidirectional": True}, lambda case: case.configuration.bidirectional),
    ({"projection": True}, lambda case: case.configuration.proj_size > 0),
    (
        {"dropout": True},
        lambda case: 0 < case.configuration.dropout < 1 and case.configuration.num_layers > 1,
    ),
    ({"states": True}, lambda case: case.h_0 is not None and case.c_0 is not None),
    ({"states": False}, lambda case: case.h_0 is None and case.c_0 is None),
    ({"lengths": True}, lambda case: case.lengths is not None),
    ({"lengths": False}, lambda case: case.lengths is None),
    ({"batched": False}, lambda case: not case.batched),
    ({"batched": True}, lambda case: case.batched),
    ({"input_size": (2, 3)}, lambda case: 2 <= case.configuration.input_size <= 3),
    ({"hidden_size": (40, 50)}, lambda case: 40 <= case.configuration.hidden_size <= 50),
    ({"num_layers": (2, 3)}, lambda case: 2 <= case.configuration.num_layers <= 3),
    ({"num_layers": (6, 8)}, lambda case: 6 <= case.configuration.num_layers <= 8),
    ({"seq_len": (2, 5)}, lambda case: 2 <= case.seq_len <= 5),
    ({"batch_size": (2, 4)}, lambda case: case.batched and 2 <= case.batch_size <= 4),
    ({"batch_size": (0, 0)}, lambda case: case.batched and case.batch_size == 0),
    ({"batch_size": (0, 2)}, lambda case: case.batch_size <= 2),
]


@pytest.mark.parametrize(("options", "holds"), OPTIONS)
def test_lstm_cases_honour_each_option(
    options: dict[str, Any], holds: Callable[[Case], bool]
) -> None:
    """An option holds in every case drawn with it."""

    @settings(max_examples=40, database=None)
    @given(lstm_cases(**options))
    def check(case: Case) -> None:
        assert holds(case), repr(case)

    check()


@given(lstm_cases(weights=["saturating"], hidden_size=(4, 8), bias=True))
def test_lstm_cases_take_saturating_weights(case: Case) -> None:
    """With saturating weights alone, a bias is far larger than any default initialisation."""
    assert np.abs(case.parameters["bias_ih_l0"].astype(np.float64)).max() > 1


@given(lstm_cases(weights=["small", "default"]))
def test_lstm_cases_take_tame_weights(case: Case) -> None:
    """With small and default weights alone, no weight exceeds four standard deviations."""
    for array in case.parameters.values():
        assert np.abs(array.astype(np.float64)).max() <= 4 / 3**0.5 + 0.01


@given(lstm_cases(dtypes="bfloat16", num_layers=(2, 5)))
def test_lstm_cases_of_several_layers_are_short_in_bfloat16(case: Case) -> None:
    """In all layers together there are at most eight steps, and weights are tame."""
    assert case.seq_len * case.configuration.num_layers <= 8
    for array in case.parameters.values():
        assert np.abs(array.astype(np.float64)).max() <= 4 / 3**0.5 + 0.01 or sparse(array)


def sparse(array: Array) -> bool:
    """Whether few elements are other than zero."""
    return np.count_nonzero(array) <= 4


@given(lstm_cases(dtypes=["float16", "bfloat16"], gradients=True, seq_len=(3, 9)))
def test_lstm_cases_for_gradients_are_as_short_as_asked_for_in_16_bits(case: Case) -> None:
    """Limits do not go below the least that an option asks for."""
    assert case.seq_len in ((3,) if case.dtype.name == "bfloat16" else (3, 4))
    assert case.configuration.num_layers <= (1 if case.dtype.name == "bfloat16" else 4)
    assert case.batch_size <= 4


@given(lstm_cases(dtypes="bfloat16", gradients=True, dropout=True))
def test_lstm_cases_for_gradients_keep_the_layers_of_dropout(case: Case) -> None:
    """Dropout takes two layers, however few the limits allow."""
    assert case.configuration.num_layers == 2
    assert case.configuration.dropout > 0
    assert (case.seq_len, case.batch_size) == (1, 1)


def test_lstm_cases_are_drawn_afresh() -> None:
    """Nearly every case has numbers of its own: Hypothesis does not vary one case many times."""
    seen: list[bytes] = []

    @settings(max_examples=200, database=None, derandomize=True)
    @given(lstm_cases(dtypes="float64", weights=["unit"]))
    def collect(case: Case) -> None:
        seen.append(case.parameters["weight_ih_l0"][:1, :1].tobytes())

    collect()
    assert len(set(seen)) > 0.75 * len(seen)
