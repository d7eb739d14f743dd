"""An LSTM whose step is TorchScript."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from tests.faults.plain import PlainLSTM, States, Weights


def _step(a: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    # not by chunk, whose gradient in TorchScript raises in PyTorch 2.13 where one part has none, as
    # o where h is not used: "invalid gradient at index 1 - got [2, 48] but expected [...] [2, 64]"
    i, f, g, o = a.split(a.size(-1) // 4, -1)
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
