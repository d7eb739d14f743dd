"""The devices that a test is parametrized with."""

import pytest
import torch

DEVICES = [
    "cpu",
    pytest.param(
        "cuda:0",
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is present"),
    ),
]
"""Values of a parameter `device`; CUDA is skipped where there is none."""
