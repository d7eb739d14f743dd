"""``torch.nn.LSTM`` computed by PyTorch's own kernels on CUDA devices, without cuDNN."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn


class LSTMWithoutCuDNN(nn.LSTM):
    """``torch.nn.LSTM`` with ``torch.backends.cudnn.enabled = False`` during each call.

    On the CPU it is ``torch.nn.LSTM``.
    """

    def forward(self, input: Any, hx: Any = None) -> Any:
        """What ``torch.nn.LSTM`` returns."""
        with _without_cudnn():
            return super().forward(input, hx)

    def flatten_parameters(self) -> None:
        """Leave the parameters where they are: only cuDNN wants them in one piece of memory."""


@contextlib.contextmanager
def _without_cudnn() -> Iterator[None]:
    cudnn: Any = torch.backends.cudnn
    before = cudnn.enabled
    cudnn.enabled = False
    try:
        yield
    finally:
        cudnn.enabled = before
