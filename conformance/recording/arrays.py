"""The numbers that a torch tensor holds."""

from __future__ import annotations

import torch

from reference import DTYPES, Array


def numbers(tensor: torch.Tensor) -> Array:
    """A copy of what `tensor` holds, bit for bit, as a NumPy array of the same type."""
    copy = tensor.detach().cpu().clone()
    if copy.dtype == torch.bfloat16:
        bits: Array = copy.contiguous().view(torch.int16).numpy()
        return bits.view(DTYPES["bfloat16"].numpy)
    return copy.numpy()
