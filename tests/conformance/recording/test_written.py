"""Arrays in a file that grows line by line."""

import json

import numpy as np
import pytest

from conformance.recording.json import Damaged
from conformance.recording.written import MANY, Reader, Writer
from reference import DTYPES, Array
from strategies.tensors import PERIOD
from tests.support.cases import bits_of

SHAPE = 37, 1000


def repeating(dtype: str) -> Array:
    """A large array as cases have them, with bits of every kind."""
    distinct = np.random.default_rng(0).standard_normal(PERIOD)
    distinct[:5] = np.nan, np.inf, -np.inf, -0.0, 0.0
    array: Array = np.resize(distinct, SHAPE).astype(DTYPES[dtype].numpy)
    return array


def again(array: Array) -> Array:
    read: Array = Reader().value(Writer().line(array))
    assert (read.dtype, read.shape, read.strides) == (array.dtype, array.shape, array.strides)
    return read


@pytest.mark.parametrize("dtype", DTYPES)
def test_written_array_that_repeats_itself_is_short(dtype: str) -> None:
    """And is read bit for bit."""
    array = repeating(dtype)
    assert len(Writer().line(array)) < 4 / 3 * PERIOD * array.itemsize + 200
    assert (bits_of(again(array)) == bits_of(array)).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("at", [0, PERIOD - 1, PERIOD, -1])
def test_written_array_that_hardly_repeats_itself_is_whole(dtype: str, at: int) -> None:
    """One other number anywhere, or one of another sign, is kept."""
    array = repeating(dtype)
    array.reshape(-1)[at] = -array.reshape(-1)[at]
    assert (bits_of(again(array)) == bits_of(array)).all()
    assert array.size > MANY


def test_written_transposed_array_is_whole() -> None:
    array = repeating("float64").T
    assert (bits_of(again(array)) == bits_of(array)).all()


def test_read_array_without_the_numbers_that_it_repeats_is_damaged() -> None:
    line = json.loads(Writer().line(repeating("float32")))
    with pytest.raises(Damaged):
        Reader().value(json.dumps({**line, "base64": ""}).encode())
