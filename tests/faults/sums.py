"""LSTMs that add up products of 16 bits one by one, rounding every partial sum."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from .plain import PlainLSTM, Weights


def narrow(x: Tensor) -> bool:
    return x.dtype in (torch.float16, torch.bfloat16)


def one_by_one(x: Tensor, weight: Tensor) -> Tensor:
    """The product of (..., K) and (M, K) with every partial sum rounded to the dtype."""
    total = x.new_zeros(*x.shape[:-1], len(weight))
    for term in range(x.shape[-1]):
        total = total + x[..., term, None] * weight[:, term]
    return total


class AccumulatesRecurrentProductsIn16Bits(PlainLSTM):
    """Adds up the products with recurrent weights one by one, rounding each sum to 16 bits."""

    bug = ""
    caught_by = "long_sums_are_accumulated_in_float32"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if not narrow(x):
            return super().preactivations(x, h, w)
        a = self.linear(x, w.ih, w.b_ih) + one_by_one(h, w.hh)
        return a if w.b_hh is None else a + w.b_hh


class AccumulatesUpperInputsIn16Bits(PlainLSTM):
    """Adds up the products with the output of a lower layer in 16 bits."""

    bug = ""
    caught_by = "long_sums_are_accumulated_in_float32"
    upper = False

    def layer(self, x: Tensor, h_0: Tensor, c_0: Tensor, layer: int, lengths: Any) -> Any:
        self.upper = layer > 0
        return super().layer(x, h_0, c_0, layer, lengths)

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if not (self.upper and narrow(x)):
            return super().preactivations(x, h, w)
        a = one_by_one(x, w.ih) + self.linear(h, w.hh, w.b_hh)
        return a if w.b_ih is None else a + w.b_ih


class AccumulatesProjectionsIn16Bits(PlainLSTM):
    """Adds up the products of a projection in 16 bits."""

    bug = ""
    caught_by = "long_sums_are_accumulated_in_float32"

    def projected(self, h: Tensor, w: Weights) -> Tensor:
        if w.hr is None or not narrow(h):
            return super().projected(h, w)
        return one_by_one(h, w.hr)


class AccumulatesTheReverseDirectionIn16Bits(PlainLSTM):
    """Adds up the products of the reverse direction in 16 bits."""

    bug = ""
    caught_by = "long_sums_are_accumulated_in_float32"
    reverse = False

    def scan(self, x: Tensor, h: Tensor, c: Tensor, w: Weights, lengths: Any, reverse: bool) -> Any:
        self.reverse = reverse
        return super().scan(x, h, c, w, lengths, reverse)

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if not (self.reverse and narrow(x)):
            return super().linear(x, weight, bias)
        a = one_by_one(x, weight)
        return a if bias is None else a + bias


class AccumulatesFloat16InBfloat16(PlainLSTM):
    """Rounds sums of four float16 products with recurrent weights to bfloat16."""

    bug = ""
    caught_by = "long_sums_are_accumulated_in_float32"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if x.dtype != torch.float16:
            return super().preactivations(x, h, w)
        total = x.new_zeros(len(x), len(w.hh)).float()
        for at in range(0, h.shape[1], 4):
            part = F.linear(h[:, at : at + 4].float(), w.hh[:, at : at + 4].float())
            total = (total + part).bfloat16().float()
        a = self.linear(x, w.ih, w.b_ih) + total.half()
        return a if w.b_hh is None else a + w.b_hh


class Product(torch.autograd.Function):
    """A right product, one of whose gradients is added up in 16 bits: `by_weight`, or that by x."""

    @staticmethod
    def forward(context: Any, x: Tensor, weight: Tensor, by_weight: bool) -> Tensor:
        context.save_for_backward(x, weight)
        context.by_weight = by_weight
        return F.linear(x, weight)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        x, weight = context.saved_tensors
        if context.by_weight:
            return gradient @ weight, one_by_one(gradient.T, x.T), None
        return one_by_one(gradient, weight.T), gradient.T @ x, None


class AccumulatesInputGradientsIn16Bits(PlainLSTM):
    """Adds up the gradients of the input one by one, rounding each sum to 16 bits."""

    bug = ""
    caught_by = "sums_of_gradients_are_accumulated_in_float32"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if not narrow(x):
            return super().preactivations(x, h, w)
        a: Tensor = Product.apply(x, w.ih, False) + self.linear(h, w.hh, w.b_hh)
        return a if w.b_ih is None else a + w.b_ih


class AccumulatesStateGradientsIn16Bits(PlainLSTM):
    """Adds up the gradients of the hidden state one by one, rounding each sum to 16 bits."""

    bug = ""
    caught_by = "sums_of_gradients_are_accumulated_in_float32"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if not narrow(x):
            return super().preactivations(x, h, w)
        a: Tensor = self.linear(x, w.ih, w.b_ih) + Product.apply(h, w.hh, False)
        return a if w.b_hh is None else a + w.b_hh


class AccumulatesWeightGradientsIn16Bits(PlainLSTM):
    """Adds up the gradients of weight_ih row by row, rounding each sum to 16 bits."""

    bug = ""
    caught_by = "gradients_are_summed_over_rows_in_float32"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if not narrow(x):
            return super().preactivations(x, h, w)
        a: Tensor = Product.apply(x, w.ih, True) + self.linear(h, w.hh, w.b_hh)
        return a if w.b_ih is None else a + w.b_ih


class AccumulatesRecurrentWeightGradientsIn16Bits(PlainLSTM):
    """Adds up the gradients of weight_hh row by row, rounding each sum to 16 bits."""

    bug = ""
    caught_by = "gradients_are_summed_over_rows_in_float32"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if not narrow(x):
            return super().preactivations(x, h, w)
        a: Tensor = self.linear(x, w.ih, w.b_ih) + Product.apply(h, w.hh, True)
        return a if w.b_hh is None else a + w.b_hh


class AccumulatesBiasGradientsIn16Bits(PlainLSTM):
    """Adds up the gradients of the biases row by row, rounding each sum to 16 bits."""

    bug = ""
    caught_by = "gradients_are_summed_over_rows_in_float32"

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if bias is None or not narrow(x):
            return super().linear(x, weight, bias)
        ones = x.new_ones(len(x), 1)
        added: Tensor = Product.apply(ones, bias[:, None], True)
        return F.linear(x, weight) + added
