"""Faulty LSTMs that no requirement catches yet, each with the one that is missing.

They are no part of the zoo until there is a requirement for them to name.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from .plain import PlainLSTM, States


class IgnoresTheDropoutMaskInBackward(PlainLSTM):
    """Passes gradients through what dropout dropped as if nothing had been."""

    bug = "GR-mps-dropout-bwd"
    missing = "gradients with dropout: at p = 1 nothing of output reaches the layers below"

    def dropped(self, x: Tensor) -> Tensor:
        return x + (super().dropped(x) - x).detach()


class SkipsStateChecksWhenPacked(PlainLSTM):
    """Broadcasts initial states of one row where the input is packed."""

    bug = "VL-pt-packed-validate"
    missing = "wrong_state_batch_is_refused for packed input"

    def check_states(self, sequence: Any, hx: States) -> None:
        if not isinstance(sequence, PackedSequence):
            super().check_states(sequence, hx)


class ReturnsACachedBuffer(PlainLSTM):
    """Returns the same output buffer at all calls without gradients; each overwrites the last."""

    bug = "HW-output-alias"
    missing = "a later call does not change the results of an earlier one"

    def network(self, *arguments: Any) -> tuple[Tensor, Tensor, Tensor]:
        output, h_n, c_n = super().network(*arguments)
        if output.requires_grad:
            return output, h_n, c_n
        buffers = self.__dict__.setdefault("buffers_by_shape", {})
        buffer = buffers.setdefault((output.shape, output.dtype), torch.empty_like(output))
        return buffer.copy_(output), h_n, c_n


class AccumulatesInHalfPrecision(PlainLSTM):
    """Adds up products in float16 and bfloat16 one by one, rounding each sum."""

    bug = ""
    missing = "results_match_reference with hundreds of terms per sum in float16 and bfloat16"

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if x.dtype not in (torch.float16, torch.bfloat16):
            return super().linear(x, weight, bias)
        a = x.new_zeros(*x.shape[:-1], len(weight))
        for column in range(x.shape[-1]):
            a = a + x[..., column, None] * weight[:, column]
        return a if bias is None else a + bias
