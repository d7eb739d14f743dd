"""LSTMs whose gradients are wrong in dtypes of 16 bits alone."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from .plain import PlainLSTM, States, Weights
from .rounding import narrow, one_by_one


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


class RowsProduct(torch.autograd.Function):
    """A right product whose gradient by its weight is added up over rows in 16 bits."""

    @staticmethod
    def forward(context: Any, x: Tensor, weight: Tensor) -> Tensor:
        context.save_for_backward(x, weight)
        return F.linear(x, weight)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = context.saved_tensors
        return gradient @ weight, one_by_one(gradient.T, x.T)


class AccumulatesWeightGradientsIn16Bits(PlainLSTM):
    """Adds up the gradients of weight_ih row by row, rounding each sum to 16 bits."""

    bug = ""
    caught_by = "gradients_are_summed_over_rows_in_float32"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if not narrow(x):
            return super().preactivations(x, h, w)
        a: Tensor = RowsProduct.apply(x, w.ih) + self.linear(h, w.hh, w.b_hh)
        return a if w.b_ih is None else a + w.b_ih


class AccumulatesRecurrentWeightGradientsIn16Bits(PlainLSTM):
    """Adds up the gradients of weight_hh row by row, rounding each sum to 16 bits."""

    bug = ""
    caught_by = "gradients_are_summed_over_rows_in_float32"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if not narrow(x):
            return super().preactivations(x, h, w)
        a: Tensor = self.linear(x, w.ih, w.b_ih) + RowsProduct.apply(h, w.hh)
        return a if w.b_hh is None else a + w.b_hh


class AccumulatesBiasGradientsIn16Bits(PlainLSTM):
    """Adds up the gradients of the biases row by row, rounding each sum to 16 bits."""

    bug = ""
    caught_by = "gradients_are_summed_over_rows_in_float32"

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if bias is None or not narrow(x):
            return super().linear(x, weight, bias)
        ones = x.new_ones(len(x), 1)
        added: Tensor = RowsProduct.apply(ones, bias[:, None])
        return F.linear(x, weight) + added
