"""Arrays as Python text."""

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from conformance.implementations.pytorch.tensors import to_array, to_tensor
from conformance.recording.operands import Literal
from conformance.recording.steps import Comparison
from conformance.recording.written import Reader, Writer
from conformance.reproductions.endings import compare
from conformance.reproductions.literals import FEW, SMALL, number, written
from reference import DTYPES, Array
from tests.support.cases import bits_of

SCOPE = {"np": np, "torch": torch, "ml_dtypes": ml_dtypes, "nan": np.nan, "inf": np.inf}


def read(literal: Literal) -> Any:
    """What Python makes of the text."""
    told = written(literal)
    scope: dict[str, Any] = dict(SCOPE)
    for line in (*told.imports, *told.helpers):
        exec(line, scope)
    return eval(told.text, scope)


def awkward(dtype: str) -> Array:
    """Numbers at the ends of a dtype, and between them."""
    kind = DTYPES[dtype]
    values = [0.0, -0.0, 1 / 3, -1e-3, kind.subnormal, kind.largest, -kind.largest]
    values += [np.nan, np.inf, -np.inf, 1 + 2 * kind.unit_roundoff, 65536.0 % kind.largest]
    return np.array(values).astype(kind.numpy).reshape(2, 3, 2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("tensor", [True, False])
def test_written_numbers_come_back_bit_for_bit(dtype: str, tensor: bool) -> None:
    """Every number of every dtype, signed zeros, NaN and infinities among them."""
    array = awkward(dtype)
    again = read(Literal(array, tensor=tensor))
    again = to_array(again, "it") if tensor else again
    assert (again.dtype, again.shape) == (array.dtype, array.shape)
    assert (np.isnan(again) == np.isnan(array)).all()
    assert (bits_of(again)[~np.isnan(array)] == bits_of(array)[~np.isnan(array)]).all()


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
def test_number_is_read_back_as_itself(dtype: str, data: st.DataObject) -> None:
    """Whatever bits a finite number has, its text gives them."""
    kind = DTYPES[dtype].numpy
    pattern = data.draw(st.integers(0, 2 ** (8 * kind.itemsize) - 1))
    value = np.array([pattern], f"u{kind.itemsize}").view(kind)[0]
    text = number(value)
    again = kind.type(eval(text, dict(SCOPE)))
    with np.errstate(invalid="ignore"):  # some processors report that a NaN is a signaling one
        assert np.isnan(value) == np.isnan(again)
        assert np.isnan(value) or (again == value and np.signbit(again) == np.signbit(value))


@pytest.mark.parametrize("tensor", [True, False])
@pytest.mark.parametrize("nonzero", [0, FEW, FEW + 1])
@pytest.mark.parametrize("dtype", DTYPES)
def test_written_large_arrays_are_compact(dtype: str, nonzero: int, tensor: bool) -> None:
    """Zeros, a few numbers among zeros and many numbers come back, and take no line each."""
    array = np.zeros((3, SMALL), DTYPES[dtype].numpy)
    array.ravel()[:nonzero] = np.arange(1, nonzero + 1)
    literal = Literal(array, tensor=tensor)
    again = read(literal)
    again = to_array(again, "it") if tensor else again
    assert (bits_of(again) == bits_of(array)).all()
    assert written(literal).text.count("\n") <= 10


@pytest.mark.parametrize("tensor", [True, False])
@pytest.mark.parametrize(
    "layout",
    [
        lambda a: a[:, ::2],
        lambda a: a.T,
        lambda a: np.broadcast_to(a[:, :1], (4, 6)),
        lambda a: a[1:, 1::3],
    ],
    ids=["sliced", "transposed", "expanded", "offset"],
)
def test_written_strides_come_back(layout: Callable[[Array], Array], tensor: bool) -> None:
    """A strided array is one again, with the same strides and numbers."""
    array = layout(np.arange(24.0).reshape(4, 6))
    again = read(Literal(array, tensor=tensor))
    strides = tuple(stride // 8 for stride in array.strides)
    assert (again.stride() if tensor else tuple(s // 8 for s in again.strides)) == strides
    assert (np.asarray(again) == array).all()
    assert to_tensor(array).stride() == strides


@pytest.mark.parametrize("tensor", [True, False])
def test_written_reversed_numbers_come_back(tensor: bool) -> None:
    """An array that runs backwards in memory is written densely, and is so in the journal."""
    array = np.arange(24.0).reshape(4, 6)[::-1]
    literal = Literal(array, tensor=tensor)
    assert (np.asarray(read(literal)) == array).all()
    assert (Reader().value(Writer().line(literal)).array == array).all()


def test_expected_numbers_are_plain_lists() -> None:
    """Whatever the strides of what is expected."""
    expected = Literal(np.arange(6.0, dtype=np.float32).reshape(2, 3).T, tensor=False)
    ended = compare("output", Comparison(None, expected, Literal(np.ones(()))), [])
    assert written(ended.operands["expected"]).text.startswith("np.array([[0.0, 3.0], ")


def test_written_lines_are_short() -> None:
    """No line of numbers is longer than a screen is wide."""
    array = np.random.default_rng(1).standard_normal((4, 4, 8))
    text = written(Literal(array)).text
    assert max(map(len, text.split("\n"))) <= 110
