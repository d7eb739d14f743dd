"""LSTMs that add up products of 16 bits one by one, rounding every partial sum."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from strategies import Support

from .plain import PlainLSTM


def narrow(x: Tensor) -> bool:
    return x.dtype in (torch.float16, torch.bfloat16)


def one_by_one(x: Tensor, weight: Tensor) -> Tensor:
    """The product of (..., K) and (M, K) with every partial sum rounded to the dtype."""
    total = x.new_zeros(*x.shape[:-1], len(weight))
    for term in range(x.shape[-1]):
        total = total + x[..., term, None] * weight[:, term]
    return total


class Product(torch.autograd.Function):
    """A right product with one wrong gradient: `by_weight`, or that by x.

    `multiply` makes that gradient, from factors (..., K) and (M, K).
    """

    @staticmethod
    def forward(
        context: Any,
        x: Tensor,
        weight: Tensor,
        by_weight: bool,
        multiply: Callable[[Tensor, Tensor], Tensor] = one_by_one,
    ) -> Tensor:
        context.save_for_backward(x, weight)
        context.by_weight, context.multiply = by_weight, multiply
        return F.linear(x, weight)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        x, weight = context.saved_tensors
        if context.by_weight:
            return gradient @ weight, context.multiply(gradient.T, x.T), None, None
        return context.multiply(gradient, weight.T), gradient.T @ x, None, None


class Accumulating(PlainLSTM):
    """What the faults derive from: in 16 bits, products with some weights are made otherwise."""

    concerned = ""
    """A pattern that finds the names of these weights."""

    def product(self, x: Tensor, weight: Tensor) -> Tensor:
        return one_by_one(x, weight)

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        names = [name for name, each in self.named_parameters() if each is weight]
        if not (narrow(x) and names and re.search(self.concerned, names[0])):
            return super().linear(x, weight, bias)
        a = self.product(x, weight)
        return a if bias is None else a + bias


class AccumulatesRecurrentProductsIn16Bits(Accumulating):
    """Adds up the products with recurrent weights one by one, rounding each sum to 16 bits."""

    bug = ""
    caught_by = "long_sums_are_accumulated_in_float32"
    concerned = "weight_hh"


class AccumulatesUpperInputsIn16Bits(Accumulating):
    """Adds up the products with the output of a lower layer in 16 bits."""

    bug = ""
    caught_by = "long_sums_are_accumulated_in_float32"
    concerned = "weight_ih_l[^0]"


class AccumulatesProjectionsIn16Bits(Accumulating):
    """Adds up the products of a projection in 16 bits."""

    bug = ""
    caught_by = "long_sums_are_accumulated_in_float32"
    concerned = "weight_hr"


class AccumulatesTheReverseDirectionIn16Bits(Accumulating):
    """Adds up the products of the reverse direction in 16 bits."""

    bug = ""
    caught_by = "long_sums_are_accumulated_in_float32"
    concerned = "_reverse"


class AccumulatesFloat16InBfloat16(Accumulating):
    """Rounds sums of four float16 products with recurrent weights to bfloat16."""

    bug = ""
    caught_by = "long_sums_are_accumulated_in_float32"
    concerned = "weight_hh"

    def product(self, x: Tensor, weight: Tensor) -> Tensor:
        if x.dtype != torch.float16:
            return F.linear(x, weight)
        total = x.new_zeros(len(x), len(weight)).float()
        for at in range(0, x.shape[1], 4):
            part = F.linear(x[:, at : at + 4].float(), weight[:, at : at + 4].float())
            total = (total + part).bfloat16().float()
        return total.half()


class AccumulatingGradients(Accumulating):
    """What faults derive from whose gradient by the other factor of a product is added up so."""

    by_weight = False

    def product(self, x: Tensor, weight: Tensor) -> Tensor:
        made: Tensor = Product.apply(x, weight, self.by_weight)
        return made


class AccumulatesInputGradientsIn16Bits(AccumulatingGradients):
    """Adds up the gradients of the input one by one, rounding each sum to 16 bits."""

    bug = ""
    caught_by = "sums_of_gradients_are_accumulated_in_float32"
    concerned = "weight_ih_l0"


class AccumulatesGradientsOfUpperInputsIn16Bits(AccumulatingGradients):
    """Adds up the gradients of the output of a lower layer in 16 bits."""

    bug = ""
    caught_by = "sums_of_gradients_are_accumulated_in_float32"
    concerned = "weight_ih_l[^0]"


class AccumulatesStateGradientsIn16Bits(AccumulatingGradients):
    """Adds up the gradients of the hidden state one by one, rounding each sum to 16 bits."""

    bug = ""
    caught_by = "sums_of_gradients_are_accumulated_in_float32"
    concerned = "weight_hh"


class AccumulatesGradientsOfWhatIsProjectedIn16Bits(AccumulatingGradients):
    """Adds up the gradients of the hidden state before a projection in 16 bits."""

    bug = ""
    caught_by = "sums_of_gradients_are_accumulated_in_float32"
    concerned = "weight_hr"


class AccumulatesWeightGradientsIn16Bits(AccumulatingGradients):
    """Adds up the gradients of weight_ih of the lowest layer row by row in 16 bits."""

    bug = ""
    caught_by = "gradients_are_summed_over_rows_in_float32"
    concerned = "weight_ih_l0"
    by_weight = True


class AccumulatesUpperWeightGradientsIn16Bits(AccumulatingGradients):
    """Adds up the gradients of weight_ih of upper layers row by row in 16 bits."""

    bug = ""
    caught_by = "gradients_are_summed_over_rows_in_float32"
    concerned = "weight_ih_l[^0]"
    by_weight = True


class AccumulatesRecurrentWeightGradientsIn16Bits(AccumulatingGradients):
    """Adds up the gradients of weight_hh row by row, rounding each sum to 16 bits."""

    bug = ""
    caught_by = "gradients_are_summed_over_rows_in_float32"
    concerned = "weight_hh"
    by_weight = True


class AccumulatesGradientsOfProjectionsIn16Bits(AccumulatingGradients):
    """Adds up the gradients of weight_hr row by row, rounding each sum to 16 bits."""

    bug = ""
    caught_by = "gradients_are_summed_over_rows_in_float32"
    concerned = "weight_hr"
    by_weight = True


class AccumulatesBiasGradientsIn16Bits(PlainLSTM):
    """Adds up the gradients of the biases row by row, rounding each sum to 16 bits."""

    bug = ""
    caught_by = "gradients_are_summed_over_rows_in_float32"

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if bias is None or not narrow(x):
            return super().linear(x, weight, bias)
        added: Tensor = Product.apply(x.new_ones(len(x), 1), bias[:, None], True)
        return F.linear(x, weight) + added


class AccumulatesWeightGradientsBehindCIn16Bits(AccumulatesWeightGradientsIn16Bits):
    """Adds up the gradients of weight_ih row by row in 16 bits, and returns c_n alone."""

    bug = ""
    caught_by = "gradients_are_summed_over_rows_in_float32"
    supports = Support(results=("c_n",))


class AccumulatesWeightGradientsBehindItsOutputIn16Bits(AccumulatesWeightGradientsIn16Bits):
    """Adds up the gradients of weight_ih row by row in 16 bits, and returns its output alone."""

    bug = ""
    caught_by = "gradients_are_summed_over_rows_in_float32"
    supports = Support(results=("output",))
