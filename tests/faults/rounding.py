"""LSTMs that lose more than rounding loses: in sums of 16 bits, and near zero, and to one side."""

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
    """A right product whose gradient by its first factor is added up in 16 bits."""

    @staticmethod
    def forward(context: Any, x: Tensor, weight: Tensor) -> Tensor:
        context.save_for_backward(x, weight)
        return F.linear(x, weight)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = context.saved_tensors
        return one_by_one(gradient, weight.T), gradient.T @ x


class AccumulatesInputGradientsIn16Bits(PlainLSTM):
    """Adds up the gradients of the input one by one, rounding each sum to 16 bits."""

    bug = ""
    caught_by = "sums_of_gradients_are_accumulated_in_float32"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if not narrow(x):
            return super().preactivations(x, h, w)
        a: Tensor = Product.apply(x, w.ih) + self.linear(h, w.hh, w.b_hh)
        return a if w.b_ih is None else a + w.b_ih


class AccumulatesStateGradientsIn16Bits(PlainLSTM):
    """Adds up the gradients of the hidden state one by one, rounding each sum to 16 bits."""

    bug = ""
    caught_by = "sums_of_gradients_are_accumulated_in_float32"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if not narrow(x):
            return super().preactivations(x, h, w)
        a: Tensor = self.linear(x, w.ih, w.b_ih) + Product.apply(h, w.hh)
        return a if w.b_hh is None else a + w.b_hh


def flushed(x: Tensor, below: float | None = None) -> Tensor:
    """Zeros in place of numbers that are smaller than `below`, by default the subnormal ones."""
    smallest = torch.finfo(x.dtype).tiny if below is None else below
    return x.masked_fill(x.abs() < smallest, 0)


class FlushesSubnormalInputs(PlainLSTM):
    """Takes subnormal numbers in the input for zero."""

    bug = ""
    caught_by = "tiny_numbers_are_kept"

    def network(self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Any) -> Any:
        return super().network(flushed(x), h_0, c_0, lengths)


class FlushesSubnormalWeights(PlainLSTM):
    """Takes subnormal numbers in the weights for zero."""

    bug = ""
    caught_by = "tiny_numbers_are_kept"

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return super().linear(x, flushed(weight), bias)


class FlushesSubnormalProjections(PlainLSTM):
    """Takes what is subnormal after a projection for zero."""

    bug = ""
    caught_by = "tiny_numbers_are_kept"

    def projected(self, h: Tensor, w: Weights) -> Tensor:
        return h if w.hr is None else flushed(super().projected(h, w))


class FlushesSubnormalCellStates(PlainLSTM):
    """Takes what is subnormal in c for zero."""

    bug = ""
    caught_by = "tiny_numbers_are_kept"

    def cell_state(self, i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
        return flushed(super().cell_state(i, f, g, c))


class FlushesSubnormalHiddenStates(PlainLSTM):
    """Takes what is subnormal in h for zero."""

    bug = ""
    caught_by = "tiny_numbers_are_kept"

    def hidden_state(self, o: Tensor, c: Tensor) -> Tensor:
        return flushed(super().hidden_state(o, c))


class FlushesSubnormalInitialStates(PlainLSTM):
    """Takes subnormal numbers in h_0 for zero."""

    bug = ""
    caught_by = "tiny_numbers_are_kept"

    def network(self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Any) -> Any:
        return super().network(x, flushed(h_0), c_0, lengths)


class FlushesCellStatesFarBelowOne(PlainLSTM):
    """Takes c for zero where it is below 1e-30, as a threshold for all dtypes."""

    bug = "EQ-epsilon-rate"
    caught_by = "tiny_numbers_are_kept"

    def cell_state(self, i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
        return flushed(super().cell_state(i, f, g, c), 1e-30)


class AnswersTinyInputWithZeros(PlainLSTM):
    """Skips the products of an input that is tiny everywhere."""

    bug = ""
    caught_by = "tiny_numbers_are_kept"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        small = bool(x.abs().amax() < 4 * torch.finfo(x.dtype).tiny) if x.numel() else False
        return super().preactivations(x * 0 if small else x, h, w)
