"""LSTMs that round to one side."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from .plain import PlainLSTM, States, Weights
from .sums import narrow

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


class TruncatedProduct(torch.autograd.Function):
    """A right product, whose gradient by the weight is rounded toward zero."""

    @staticmethod
    def forward(context: Any, x: Tensor, weight: Tensor) -> Tensor:
        context.save_for_backward(x, weight)
        return F.linear(x, weight)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = context.saved_tensors
        wide = torch.float64 if x.dtype == torch.float32 else torch.float32
        return gradient @ weight, truncated(gradient.to(wide).T @ x.to(wide), x.dtype)


class TruncatesWeightGradients(PlainLSTM):
    """Rounds the gradients by weights toward zero in float32 and in 16 bits."""

    bug = ""
    caught_by = "gradients_are_rounded_to_nearest"

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if x.dtype == torch.float64 or x.dim() != 2:
            return super().linear(x, weight, bias)
        product: Tensor = TruncatedProduct.apply(x, weight)
        return product if bias is None else product + bias


class TruncatesRecurrentGradientsIn16Bits(TruncatesWeightGradients):
    """Rounds the gradients by weight_hh toward zero in float16 and bfloat16."""

    bug = ""
    caught_by = "gradients_are_rounded_to_nearest"

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        recurrent = any(weight is each for n, each in self.named_parameters() if "_hh" in n)
        if narrow(x) and recurrent:
            return super().linear(x, weight, bias)
        return F.linear(x, weight, bias)
