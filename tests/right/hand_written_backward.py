"""An LSTM whose backward pass is written by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from tests.faults.plain import PlainLSTM, States, Weights


class Step(Function):
    """One step from pre-activations (N, 4H) and c (N, H), with its derivative."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, c: Tensor) -> States:
        i, f, g, o = a.chunk(4, -1)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        new = f * c + i * g
        ctx.save_for_backward(i, f, g, o, c, new.tanh())
        return o * new.tanh(), new

    @staticmethod
    def backward(ctx: Any, dh: Tensor, dc: Tensor) -> States:
        i, f, g, o, c, t = ctx.saved_tensors
        dc = dc + dh * o * (1 - t * t)
        da_i, da_f = dc * g * i * (1 - i), dc * c * f * (1 - f)
        da_g, da_o = dc * i * (1 - g * g), dh * t * o * (1 - o)
        return torch.cat([da_i, da_f, da_g, da_o], -1), dc * f


class HandWrittenBackward(PlainLSTM):
    """Computes each step by a function with a backward of its own."""

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        h, c = Step.apply(self.preactivations(x, h, w), c)
        return self.projected(h, w), c
