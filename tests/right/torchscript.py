"""An LSTM whose step is TorchScript."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from tests.faults.plain import PlainLSTM, States, Weights


def _step(a: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    i, f, g, o = a.chunk(4, -1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


class TorchScriptStep(PlainLSTM):
    """Computes each step by a function that TorchScript compiled."""

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        h, c = scripted(self.preactivations(x, h, w), c)
        return self.projected(h, w), c


with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    scripted = torch.jit.script(_step)
