"""Conversion of NumPy arrays to torch tensors and back, bit for bit."""

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
    """Copy `array` to a tensor on `device`, with the same dtype, shape and strides.

    An axis of stride 0 and one that skips elements stay as they are, as in an expanded or sliced
    tensor; negative strides, which torch lacks, do not.
    """
    array = forwards(array)
    name = array.dtype.name
    # torch does not read the bfloat16 of ml_dtypes, but it reads the bits
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
        message = f"{what} is a {type(value).__name__}, not a tensor"
        raise NoResult(message, untrue("isinstance({it}, torch.Tensor)", message, it=value))


def to_array(tensor: Any, what: str) -> Array:
    """Copy `tensor`, called `what`, to an array; :class:`NoResult` if it is not a tensor."""
    expect_tensor(tensor, what)
    with blamed():
        array = numbers(tensor)
    read(array, tensor)
    return array
