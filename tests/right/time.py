"""LSTMs that go through the steps in another way."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from tests.faults.plain import PlainLSTM, States, Weights

Scanned = tuple[Tensor, Tensor, Tensor]


class MultipliesAllInputsFirst(PlainLSTM):
    """Multiplies the inputs of so many steps at once with W_ih before it goes through these."""

    steps_at_once = 10**6

    def scan(
        self, x: Tensor, h: Tensor, c: Tensor, w: Weights, lengths: Tensor | None, reverse: bool
    ) -> Scanned:
        parts = x.split(self.steps_at_once)
        multiplied = torch.cat([self.linear(part, w.ih, w.b_ih) for part in parts])
        return super().scan(multiplied, h, c, w, lengths, reverse)

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return x + self.linear(h, w.hh, w.b_hh)


class MultipliesInputsInChunks(MultipliesAllInputsFirst):
    """Multiplies the inputs of three steps at once with W_ih."""

    steps_at_once = 3


class ScansHalves(PlainLSTM):
    """Goes through the first half of the steps, then through the second, each time in halves."""

    def scan(
        self, x: Tensor, h: Tensor, c: Tensor, w: Weights, lengths: Tensor | None, reverse: bool
    ) -> Scanned:
        if len(x) == 1:
            return super().scan(x, h, c, w, lengths, reverse)
        middle = len(x) // 2
        starts = (middle, 0) if reverse else (0, middle)
        outputs: dict[int, Tensor] = {}
        for start in starts:
            part = x[start:] if start else x[:middle]
            left = None if lengths is None else lengths - start
            outputs[start], h, c = self.scan(part, h, c, w, left, reverse)
        return torch.cat([outputs[0], outputs[middle]]), h, c


class KeepsNoSteps(PlainLSTM):
    """Computes each step again in the backward pass instead of keeping what it was."""

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        if not torch.is_grad_enabled():
            return super().step(x, h, c, w)
        new: Any = checkpoint(super().step, x, h, c, w, use_reentrant=False)
        return new[0], new[1]


class WritesToAnOutput(PlainLSTM):
    """Writes the output of each step to memory that it allocates first."""

    def scan(
        self, x: Tensor, h: Tensor, c: Tensor, w: Weights, lengths: Tensor | None, reverse: bool
    ) -> Scanned:
        output = h.new_zeros(len(x), *h.shape)
        for t in self.times(len(x), reverse):
            new_h, new_c = self.step(x[t], h, c, w)
            if lengths is None:
                output[t], h, c = new_h, new_h, new_c
            else:
                output[t], h, c = self.where_valid(t, lengths, new_h, new_c, h, c)
        return output, h, c


class UpdatesItsCellInPlace(PlainLSTM):
    """Updates a copy of c in place where no gradient is asked for."""

    def cell_state(self, i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
        if torch.is_grad_enabled() or torch.is_inference_mode_enabled():
            return super().cell_state(i, f, g, c)
        return c.clone().mul_(f).add_(i * g)
