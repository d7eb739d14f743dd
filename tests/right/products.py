"""LSTMs whose products with weights are computed and summed in other orders and types."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.faults.plain import PlainLSTM, States, Weights


def biases(w: Weights) -> Tensor | None:
    """The sum of both biases."""
    return None if w.b_ih is None or w.b_hh is None else w.b_ih + w.b_hh


def plus(total: Tensor, bias: Tensor | None) -> Tensor:
    return total if bias is None else total + bias


class MultipliesInputAndStateAtOnce(PlainLSTM):
    """Multiplies (x, h) with (W_ih, W_hh) in one product, and adds the sum of the biases."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        both = torch.cat([x, h], -1) @ torch.cat([w.ih, w.hh], -1).t()
        return plus(both, biases(w))


class MultipliesBiasesWithOnes(PlainLSTM):
    """Takes the biases for two more columns of the weights, whose inputs are one."""

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if bias is None:
            return x @ weight.t()
        ones = x.new_ones(*x.shape[:-1], 1)
        return torch.cat([x, ones], -1) @ torch.cat([weight, bias[:, None]], -1).t()


class ComputesEightProducts(PlainLSTM):
    """Multiplies the weights of each gate by themselves."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        of_x = torch.cat([x @ part.t() for part in w.ih.chunk(4)], -1)
        of_h = torch.cat([h @ part.t() for part in w.hh.chunk(4)], -1)
        return plus(of_x, w.b_ih) + plus(of_h, w.b_hh)


class MultipliesFromTheLeft(PlainLSTM):
    """Multiplies weights with columns of rows: (W x^T)^T."""

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return plus((weight @ x.transpose(-1, -2)).transpose(-1, -2), bias)


class StoresWeightsTransposed(PlainLSTM):
    """Copies the weights to (features, 4H) before it multiplies them."""

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return plus(x @ weight.t().contiguous(), bias)


class SumsByEinsum(PlainLSTM):
    """Sums over features by torch.einsum, each gate on an axis of its own."""

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        gates = 4 if len(weight) % 4 == 0 else 1
        product = torch.einsum("...k,guk->...gu", x, weight.reshape(gates, -1, weight.shape[1]))
        return plus(product.flatten(-2), bias)


class MultipliesGatesInABatch(PlainLSTM):
    """Computes the four gates of h as a batch of four products."""

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        weight = w.hh.reshape(4, -1, w.hh.shape[1]).transpose(1, 2)
        product = torch.bmm(h.expand(4, *h.shape), weight)
        recurrent = product.transpose(0, 1).flatten(1)
        return self.linear(x, w.ih, w.b_ih) + plus(recurrent, w.b_hh)


class SumsFromTheLastFeature(PlainLSTM):
    """Sums over the features in reverse order."""

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return plus(x.flip(-1) @ weight.flip(-1).t(), bias)


class SumsInFloat32(PlainLSTM):
    """Multiplies and sums in float32 and wider types, and rounds each sum to the dtype."""

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        wide = torch.promote_types(x.dtype, torch.float32)
        return plus((x.to(wide) @ weight.to(wide).t()).to(x.dtype), bias)


class SumsInBlocks(PlainLSTM):
    """Sums over blocks of five features, then over the blocks, in float32 or wider types."""

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        wide = torch.promote_types(x.dtype, torch.float32)
        blocks = zip(x.to(wide).split(5, -1), weight.to(wide).split(5, -1), strict=True)
        total = torch.stack([part @ of.t() for part, of in blocks]).sum(0)
        return plus(total.to(x.dtype), bias)


class SumsAsKahan(PlainLSTM):
    """Sums over the features one by one, with Kahan's compensation, in float32 or wider types."""

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        wide = torch.promote_types(x.dtype, torch.float32)
        factors, total = x.to(wide), x.new_zeros(*x.shape[:-1], len(weight), dtype=wide)
        lost = torch.zeros_like(total)
        for feature, column in enumerate(weight.to(wide).unbind(1)):
            term = factors[..., feature, None] * column - lost
            added = total + term
            off = (added - total) - term
            total, lost = added, off.masked_fill(~off.isfinite(), 0)
        return plus(total.to(x.dtype), bias)


class KeepsFloat32InEval(PlainLSTM):
    """In 16 bits and eval mode computes each step in float32, and rounds what comes of it."""

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        if self.training or x.dtype not in (torch.float16, torch.bfloat16):
            return super().step(x, h, c, w)
        wide = Weights(*(None if each is None else each.float() for each in w))  # type: ignore[arg-type]
        h, c = super().step(x.float(), h.float(), c.float(), wide)
        return h.to(x.dtype), c.to(x.dtype)
