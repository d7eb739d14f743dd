"""Copies of torch tensors as NumPy arrays."""

from __future__ import annotations

import torch

from reference import DTYPES, Array


def numbers(tensor: torch.Tensor) -> Array:
    """Copy `tensor` to a NumPy array of the same shape and dtype, bit for bit."""
    copy = tensor.detach().cpu().clone()
    if copy.dtype == torch.bfloat16:
        # torch cannot convert bfloat16, because NumPy itself has no such type
        bits: Array = copy.contiguous().view(torch.int16).numpy()
        return bits.view(DTYPES["bfloat16"].numpy)
    return copy.numpy()
