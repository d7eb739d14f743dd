"""LSTMs that take small numbers for zero."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .plain import PlainLSTM, Weights


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
