"""The devices that a test is parametrized with, and the dtypes in which PyTorch computes there."""

import pytest
import torch

from reference import DTYPES

DEVICES = [
    "cpu",
    pytest.param(
        "cuda:0",
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is present"),
    ),
]
"""Values of a parameter `device`; CUDA is skipped where there is none."""


def _computes(dtype: str) -> bool:
    kind = getattr(torch, dtype)
    try:
        torch.nn.LSTMCell(1, 1, dtype=kind)(torch.ones(1, 1, dtype=kind))
    except RuntimeError:
        return False
    return True


CPU_DTYPES = tuple(filter(_computes, DTYPES))
"""The dtypes in which PyTorch computes on the CPU: version 2.0 has no float16 there."""


def skip_unless_torch_computes(dtype: str, device: str = "cpu") -> None:
    """Skip a test of a `dtype` in which this version of PyTorch does not compute."""
    if device == "cpu" and dtype not in CPU_DTYPES:
        pytest.skip(f"PyTorch {torch.__version__} does not compute in {dtype} on the CPU")
