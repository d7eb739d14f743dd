"""LSTMs that lose more than rounding loses: in sums of 16 bits, and near zero, and to one side."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from .plain import PlainLSTM, States, Weights


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


BITS = {2: torch.int16, 4: torch.int32, 8: torch.int64}


def moved(x: Tensor, units: Tensor | int) -> Tensor:
    """Numbers that are so many units further away from zero, with the gradient of x."""
    bits = x.detach().contiguous().view(BITS[x.element_size()])
    there = (bits + torch.as_tensor(units, dtype=bits.dtype)).view(x.dtype)
    return x + torch.where(x == 0, 0, there - x.detach())


def truncated(x: Tensor, dtype: torch.dtype) -> Tensor:
    """Numbers of a wider type rounded toward zero."""
    nearest = x.to(dtype)
    return moved(nearest, -(nearest.abs().to(x.dtype) > x.abs()).to(BITS[nearest.element_size()]))


def rounded_up(x: Tensor, dtype: torch.dtype) -> Tensor:
    """Numbers of a wider type rounded up."""
    nearest = x.to(dtype)
    below = (nearest.to(x.dtype) < x).to(BITS[nearest.element_size()])
    return moved(nearest, torch.where(x > 0, below, -below))


class ComputesWide(PlainLSTM):
    """A right LSTM that computes each step of `narrowed` dtypes in the next wider type."""

    narrowed: tuple[torch.dtype, ...] = (torch.float16, torch.bfloat16)

    def stored(self, x: Tensor, dtype: torch.dtype, name: str) -> Tensor:
        return x.to(dtype)

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        if x.dtype not in self.narrowed:
            return super().step(x, h, c, w)
        wide = torch.float64 if x.dtype == torch.float32 else torch.float32
        ih, hh, *others = (None if each is None else each.to(wide) for each in w)
        assert ih is not None
        assert hh is not None
        wider = Weights(ih, hh, *others)
        new_h, new_c = super().step(x.to(wide), h.to(wide), c.to(wide), wider)
        return self.stored(new_h, x.dtype, "h"), self.stored(new_c, x.dtype, "c")


class Truncates16Bits(ComputesWide):
    """Rounds float16 and bfloat16 states toward zero."""

    bug = ""
    caught_by = "results_are_rounded_to_nearest"

    def stored(self, x: Tensor, dtype: torch.dtype, name: str) -> Tensor:
        return truncated(x, dtype)


class TruncatesCellStatesInBfloat16(ComputesWide):
    """Rounds c toward zero in bfloat16."""

    bug = ""
    caught_by = "results_are_rounded_to_nearest"
    narrowed = (torch.bfloat16,)

    def stored(self, x: Tensor, dtype: torch.dtype, name: str) -> Tensor:
        return truncated(x, dtype) if name == "c" else x.to(dtype)


class TruncatesHiddenStatesInFloat16(ComputesWide):
    """Rounds h toward zero in float16."""

    bug = ""
    caught_by = "results_are_rounded_to_nearest"
    narrowed = (torch.float16,)

    def stored(self, x: Tensor, dtype: torch.dtype, name: str) -> Tensor:
        return truncated(x, dtype) if name == "h" else x.to(dtype)


class RoundsUpIn16Bits(ComputesWide):
    """Rounds float16 and bfloat16 states up."""

    bug = ""
    caught_by = "results_are_rounded_to_nearest"

    def stored(self, x: Tensor, dtype: torch.dtype, name: str) -> Tensor:
        return rounded_up(x, dtype)


class RoundsAwayFromZeroIn16Bits(ComputesWide):
    """Rounds float16 and bfloat16 states away from zero."""

    bug = ""
    caught_by = "results_are_rounded_to_nearest"

    def stored(self, x: Tensor, dtype: torch.dtype, name: str) -> Tensor:
        return -torch.where(x > 0, -rounded_up(x, dtype), rounded_up(-x, dtype))


class TruncatesFloat32(ComputesWide):
    """Rounds float32 states, which it computes in float64, toward zero."""

    bug = ""
    caught_by = "results_are_rounded_to_nearest"
    narrowed = (torch.float32,)

    def stored(self, x: Tensor, dtype: torch.dtype, name: str) -> Tensor:
        return truncated(x, dtype)


class TruncatesTheReverseDirection(ComputesWide):
    """Rounds 16-bit states of the reverse direction toward zero."""

    bug = ""
    caught_by = "results_are_rounded_to_nearest"
    reverse = False

    def scan(self, x: Tensor, h: Tensor, c: Tensor, w: Weights, lengths: Any, reverse: bool) -> Any:
        self.reverse = reverse
        return super().scan(x, h, c, w, lengths, reverse)

    def stored(self, x: Tensor, dtype: torch.dtype, name: str) -> Tensor:
        return truncated(x, dtype) if self.reverse else x.to(dtype)


class TruncatesItsGatesIn16Bits(PlainLSTM):
    """Rounds float16 and bfloat16 gates toward zero."""

    bug = ""
    caught_by = "results_are_rounded_to_nearest"

    def gates(self, a: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        if not narrow(a):
            return super().gates(a)
        i, f, g, o = (truncated(gate, a.dtype) for gate in super().gates(a.float()))
        return i, f, g, o


class DriftsUpwards(PlainLSTM):
    """Makes c one unit larger at each step."""

    bug = ""
    caught_by = "results_are_rounded_to_nearest"

    def cell_state(self, i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
        new = super().cell_state(i, f, g, c)
        return moved(new, new.detach().sign().to(BITS[new.element_size()]))


class DriftsAwayFromZeroInReverse(PlainLSTM):
    """Makes c of the reverse direction one unit larger in absolute value at each step."""

    bug = ""
    caught_by = "results_are_rounded_to_nearest"
    reverse = False

    def scan(self, x: Tensor, h: Tensor, c: Tensor, w: Weights, lengths: Any, reverse: bool) -> Any:
        self.reverse = reverse
        return super().scan(x, h, c, w, lengths, reverse)

    def cell_state(self, i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
        return moved(super().cell_state(i, f, g, c), int(self.reverse))


class DriftsTowardZeroIn16Bits(PlainLSTM):
    """Makes c one unit smaller in absolute value at each step in float16 and bfloat16."""

    bug = ""
    caught_by = "results_are_rounded_to_nearest"

    def cell_state(self, i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
        new = super().cell_state(i, f, g, c)
        return moved(new, -1) if narrow(new) else new


class DriftsInItsHiddenState(PlainLSTM):
    """Makes h one unit smaller in absolute value in float16 and bfloat16."""

    bug = ""
    caught_by = "results_are_rounded_to_nearest"

    def hidden_state(self, o: Tensor, c: Tensor) -> Tensor:
        h = super().hidden_state(o, c)
        return moved(h, -1) if narrow(h) else h
