"""NumPy arrays to torch tensors and back, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from conformance.implementations.failures import NoResult, blamed
from conformance.recording.arrays import numbers
from conformance.recording.ending import untrue
from conformance.recording.operands import Literal
from conformance.recording.strides import forwards, steps, storage
from conformance.recording.tape import note, read
from reference import DTYPES, Array

TORCH_DTYPES = {name: getattr(torch, name) for name in DTYPES}


def to_tensor(array: Array, device: str = "cpu") -> torch.Tensor:
    """A copy of `array` on `device`, with the array's own strides.

    A broadcast axis (stride 0) and one that skips elements stay so, as in an expanded or sliced
    tensor; one that runs backwards does not. bfloat16 goes through its bits, since torch does not
    read ml_dtypes.
    """
    array = forwards(array)
    name = array.dtype.name
    bits = array.view(np.int16) if name == "bfloat16" else array
    if bits.flags.c_contiguous:
        tensor = torch.from_numpy(bits.copy())
    else:
        memory = torch.from_numpy(storage(bits, bits.strides))
        tensor = memory.as_strided(bits.shape, steps(bits))
    if name == "bfloat16":
        tensor = tensor.view(torch.bfloat16)
    tensor = tensor.to(device) if device != "cpu" else tensor
    note("{tensor} = {array}", new=("tensor",), array=Literal(array, device)).gave(tensor)
    return tensor


def expect_tensor(value: Any, what: str) -> None:
    """Raise :class:`NoResult` if `value`, called `what`, is not a tensor."""
    if not isinstance(value, torch.Tensor):
        told = f"{what} is a {type(value).__name__}, not a tensor"
        raise NoResult(told, untrue("isinstance({it}, torch.Tensor)", told, it=value))


def to_array(tensor: Any, what: str) -> Array:
    """`tensor` as a NumPy array of the same type; :class:`NoResult` if it is not a tensor."""
    expect_tensor(tensor, what)
    with blamed():
        array = numbers(tensor)
    read(array, tensor)
    return array
