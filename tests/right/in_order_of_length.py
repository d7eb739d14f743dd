"""An LSTM that computes only the rows of a packed batch that have not ended."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.faults.plain import PlainLSTM, Weights


class ComputesRunningRowsOnly(PlainLSTM):
    """Computes in each step the rows that still run, and writes to a buffer for the output."""

    def scan(
        self, x: Tensor, h: Tensor, c: Tensor, w: Weights, lengths: Tensor | None, reverse: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        output = x.new_zeros(len(x), *h.shape)
        ends = torch.full((x.shape[1],), len(x)) if lengths is None else lengths
        for t in self.times(len(x), reverse):
            running = (t < ends).nonzero()[:, 0]
            new_h, new_c = self.step(x[t, running], h[running], c[running], w)
            h, c = h.index_copy(0, running, new_h), c.index_copy(0, running, new_c)
            output[t] = output[t].index_copy(0, running, new_h)
        return output, h, c
