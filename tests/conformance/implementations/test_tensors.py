"""NumPy arrays to torch tensors and back."""

from collections.abc import Callable

import ml_dtypes
import numpy as np
import pytest
import torch

from conformance import Misbehaviour
from conformance.implementations.pytorch.tensors import TORCH_DTYPES, to_array, to_tensor
from reference import DTYPES, Array
from tests.support.cases import bits_of
from tests.support.devices import DEVICES


def every_pattern(name: str) -> Array:
    """Of 16-bit types every bit pattern, of others a sample, the edges and special values."""
    dtype = DTYPES[name].numpy
    bits = np.dtype(f"u{dtype.itemsize}")
    if dtype.itemsize == 2:
        return np.arange(2**16, dtype=bits).view(dtype)
    edges = np.array([0, 1, np.iinfo(bits).max], bits).view(dtype)
    sample = np.random.default_rng(0).integers(0, np.iinfo(bits).max, 10_000, bits).view(dtype)
    return np.concatenate([edges, sample, np.array([np.inf, -np.inf, np.nan, -0.0], dtype)])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", DTYPES)
def test_tensors_carry_every_bit(name: str, device: str) -> None:
    """There and back, every bit of every number is kept, NaN payloads and -0 included."""
    array = every_pattern(name)
    tensor = to_tensor(array, device)
    assert tensor.dtype == TORCH_DTYPES[name]
    assert str(tensor.device) == device
    back = to_array(tensor, "it")
    assert back.dtype == array.dtype
    assert np.array_equal(bits_of(back), bits_of(array))


@pytest.mark.parametrize("name", DTYPES)
def test_tensors_mean_the_same_numbers(name: str) -> None:
    """Torch reads each number as NumPy does."""
    array = np.array([0.0, 1.0, -1.5, 0.333, 1e-3, 100.0]).astype(DTYPES[name].numpy)
    assert to_tensor(array).double().tolist() == array.astype(np.float64).tolist()


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "dense": lambda array: array,
    "expanded": lambda array: np.broadcast_to(array[:, :1], array.shape),
    "sliced": lambda array: array[:, ::2],
    "cut": lambda array: array[1:, 1:, :2],
    "transposed": lambda array: array.transpose(2, 0, 1),
    "transposed_and_sliced": lambda array: array.swapaxes(0, 1)[::3, :, ::2],
    "of_one_number": lambda array: array[:1, :1, :1],
    "empty": lambda array: array[:, :0],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", DTYPES)
def test_tensors_keep_strides(name: str, layout: str) -> None:
    """A tensor has the shape, the numbers and the strides of its array."""
    dense = np.arange(1, 61).reshape(3, 5, 4).astype(DTYPES[name].numpy)
    array = LAYOUTS[layout](dense)
    tensor = to_tensor(array)
    assert tuple(tensor.shape) == array.shape
    assert tensor.double().tolist() == array.astype(np.float64).tolist()
    if array.size > 1:
        assert tensor.stride() == tuple(step // array.itemsize for step in array.strides)
    back = to_array(tensor, "it")
    assert np.array_equal(bits_of(back), bits_of(array))


@pytest.mark.parametrize("name", DTYPES)
def test_tensors_of_reversed_arrays_are_dense(name: str) -> None:
    """An array that runs backwards in memory, as no tensor can, is copied."""
    dense = np.arange(1, 61).reshape(3, 5, 4).astype(DTYPES[name].numpy)
    for array in (dense[::-1], dense[:, ::-2], dense[..., ::-1].swapaxes(0, 1)):
        tensor = to_tensor(array)
        assert tensor.is_contiguous()
        assert np.array_equal(bits_of(to_array(tensor, "it")), bits_of(array))


def test_tensors_do_not_share_memory_with_their_array() -> None:
    """Writing to a tensor leaves the array as it was, whatever its layout."""
    dense = np.ones((3, 5, 4), np.float32)
    for layout in LAYOUTS.values():
        to_tensor(layout(dense)).fill_(7)
    assert (dense == 1).all()


def test_to_array_takes_tensors_with_gradients() -> None:
    """A tensor that is part of a graph becomes an array all the same."""
    tensor = torch.ones(2, requires_grad=True) * 2
    assert to_array(tensor, "it").tolist() == [2, 2]


def test_to_array_refuses_what_is_no_tensor() -> None:
    """What was returned in place of a tensor is named."""
    with pytest.raises(Misbehaviour, match="h_n is a list, not a tensor"):
        to_array([1.0], "h_n")


def test_bfloat16_arrays_are_those_of_ml_dtypes() -> None:
    """A bfloat16 tensor becomes an array that NumPy can compute with."""
    array = to_array(torch.tensor([1.5], dtype=torch.bfloat16), "it")
    assert array.dtype == ml_dtypes.bfloat16
    assert float(array[0]) == 1.5
