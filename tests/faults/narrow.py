"""LSTMs whose gradients are wrong in dtypes of 16 bits alone."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from .plain import PlainLSTM, States, Weights
from .sums import narrow


class LosesTheHiddenStatesGradientInBfloat16(PlainLSTM):
    """Passes no gradient through h to the step before in bfloat16."""

    bug = ""
    caught_by = "gradients_in_16_bits_are_right_step_by_step"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        return super().step(x, h.detach() if x.dtype == torch.bfloat16 else h, c, w)


class LosesTheCellStatesGradientIn16Bits(PlainLSTM):
    """Passes half of the gradient through c to the second step and later ones in 16 bits."""

    bug = ""
    caught_by = "gradients_in_16_bits_are_right_step_by_step"

    def scan(self, x: Tensor, *rest: Any) -> tuple[Tensor, Tensor, Tensor]:
        self.steps_done = 0
        return super().scan(x, *rest)

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        self.steps_done += 1
        if narrow(x) and self.steps_done > 1:
            c = (c + c.detach()) / 2
        return super().step(x, h, c, w)


class AddsUpRecurrentGradientsOfTheFirstRowInBfloat16(PlainLSTM):
    """Has the gradient of weight_hh from the first row alone in bfloat16."""

    bug = ""
    caught_by = "gradients_in_16_bits_are_right_step_by_step"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if x.dtype != torch.bfloat16:
            return super().preactivations(x, h, w)
        first, others = F.linear(h[:1], w.hh), F.linear(h[1:], w.hh.detach())
        a = self.linear(x, w.ih, w.b_ih) + torch.cat([first, others])
        return a if w.b_hh is None else a + w.b_hh


class LosesTheForgetGatesGradientInBfloat16(PlainLSTM):
    """Passes no gradient through the forget gate in bfloat16."""

    bug = ""
    caught_by = "gradients_match_backpropagation"

    def cell_state(self, i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
        return super().cell_state(i, f.detach() if f.dtype == torch.bfloat16 else f, g, c)


class DoublesTheGradientOfTheOutputGateInFloat16(PlainLSTM):
    """Doubles the gradient of the output gate in float16."""

    bug = ""
    caught_by = "gradients_of_output_are_right"

    def hidden_state(self, o: Tensor, c: Tensor) -> Tensor:
        return super().hidden_state(2 * o - o.detach() if o.dtype == torch.float16 else o, c)
