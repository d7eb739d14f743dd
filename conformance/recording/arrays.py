"""Copies of torch tensors as NumPy arrays."""

from __future__ import annotations

from typing import Any

import torch

from reference import DTYPES, Array

TENSOR: Any = torch.Tensor.__base__
"""The class whose methods are those of torch itself, whatever a subclass or a module overrides."""


def numbers(tensor: torch.Tensor) -> Array:
    """Copy `tensor` to a NumPy array of the same shape and dtype, bit for bit."""
    copy = TENSOR.clone(TENSOR.cpu(TENSOR.detach(tensor)))
    if copy.dtype == torch.bfloat16:
        # torch cannot convert bfloat16, because NumPy itself has no such type
        bits: Array = copy.contiguous().view(torch.int16).numpy()
        return bits.view(DTYPES["bfloat16"].numpy)
    array: Array = TENSOR.numpy(copy)
    return array
