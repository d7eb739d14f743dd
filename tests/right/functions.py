"""LSTMs that compute sigmoid and tanh, or all of a step, in another way."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.faults.plain import PlainLSTM, States, Weights


def wide(a: Tensor) -> Tensor:
    """`a` in float32, or in float64 if it has more than 16 bits."""
    return a.float() if a.dtype in (torch.float16, torch.bfloat16) else a.double()


class ComputesTanhBySigmoid(PlainLSTM):
    """Computes tanh(a) as 2 sigmoid(2 a) - 1, in a wider type."""

    def tanh(self, a: Tensor) -> Tensor:
        return (2 * torch.sigmoid(2 * wide(a)) - 1).to(a.dtype)


class ComputesSigmoidByTanh(PlainLSTM):
    """Computes sigmoid(a) as (1 + tanh(a / 2)) / 2."""

    def sigmoid(self, a: Tensor) -> Tensor:
        return (1 + torch.tanh(a / 2)) / 2


class ComputesSigmoidByExp(PlainLSTM):
    """Computes sigmoid by exp(-|a|), which does not overflow."""

    def sigmoid(self, a: Tensor) -> Tensor:
        small = torch.exp(torch.where(a < 0, a, -a))  # abs has no slope at 0
        return torch.where(a < 0, small, torch.ones_like(a)) / (1 + small)


class ComputesStepsInFloat64(PlainLSTM):
    """Computes each step in float64, and rounds h and c to the dtype."""

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        widened = Weights._make(None if each is None else each.double() for each in w)
        new = super().step(x.double(), h.double(), c.double(), widened)
        return new[0].to(x.dtype), new[1].to(x.dtype)


class CallsTorchsCell(PlainLSTM):
    """Computes each step by torch.lstm_cell, and projects h afterwards."""

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        if w.hr is not None:
            return super().step(x, h, c, w)
        return torch.lstm_cell(x, (h, c), w.ih, w.hh, w.b_ih, w.b_hh)
