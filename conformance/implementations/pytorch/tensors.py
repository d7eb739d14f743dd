"""Conversion of NumPy arrays to torch tensors and back, bit for bit."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch

from conformance.implementations.failures import NoResult, blamed
from conformance.recording.arrays import TENSOR, numbers
from conformance.recording.ending import untrue
from conformance.recording.noting import note, read
from conformance.recording.operands import Literal
from conformance.recording.strides import forwards, steps, storage
from conformance.recording.text import kind_of, place_of
from reference import DTYPES, Array, Case

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
    if device != "cpu":  # without waiting: the numbers leave pageable memory before `to` returns
        tensor = tensor.to(device, non_blocking=True)
    note("{tensor} = {array}", new=("tensor",), array=Literal(array, device)).gave(tensor)
    return tensor


def inputs(case: Case) -> dict[str, torch.Tensor]:
    """Convert the input and the initial states of `case` to tensors, by name."""
    return {name: to_tensor(array, case.device) for name, array in case.arguments().items()}


def plain(value: Any, what: str) -> torch.Tensor:
    """Return `value`, called `what`, as a plain tensor; one that is plain already as it is.

    A subclass that overrides what functions do with it loses that. Raises :class:`NoResult` for
    anything else, and for a subclass that has no numbers of its own but makes them; those of torch
    itself stand for tensors while a module is exported.
    """
    kind = type(value)
    if kind in (torch.Tensor, torch.nn.Parameter):
        return cast(torch.Tensor, value)
    if not issubclass(kind, torch.Tensor):
        message = f"{what} is a {kind_of(value)}, not a tensor"
        raise NoResult(message, untrue("isinstance({it}, torch.Tensor)", message, it=value))
    if kind.__torch_dispatch__ is not torch.Tensor.__torch_dispatch__:
        if kind.__module__.startswith("torch."):
            return cast(torch.Tensor, value)
        raise NoResult(f"{what} is a {place_of(kind)}, which is not a plain tensor")
    with torch._C.DisableTorchFunctionSubclass():
        return cast(torch.Tensor, TENSOR.as_subclass(value, torch.Tensor))


def to_array(tensor: Any, what: str) -> Array:
    """Copy `tensor`, called `what`, to an array; :class:`NoResult` if it is not a tensor."""
    with blamed():
        array = numbers(plain(tensor, what))
    read(array, tensor)
    return array
