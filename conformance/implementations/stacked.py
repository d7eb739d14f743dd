"""A multi-layer LSTM stacked by hand from ``torch.nn.LSTMCell``, as a tutorial would."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class StackedLSTMCells(nn.Module):
    """A stack of `num_layers` cells: a loop over time, and in it a loop over layers.

    The hidden state of layer l is the input of layer l + 1. Constructor and call are those of
    ``torch.nn.LSTM`` for one direction without projection or dropout.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.cells = nn.ModuleList(
            nn.LSTMCell(input_size if layer == 0 else hidden_size, hidden_size, bias)
            for layer in range(num_layers)
        )

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Run all cells over `input`.

        - `input`: (T, N, input_size), or (N, T, input_size) with `batch_first`;
        - `hx`: h_0 and c_0, each (num_layers, N, hidden_size), or None for zeros.

        Returns output, (T, N, hidden_size) or (N, T, hidden_size), and (h_n, c_n), of the shapes of
        `hx`. All of these lack N if `input` does.
        """
        swap = self.batch_first and input.dim() == 3
        steps = input.transpose(0, 1) if swap else input
        if hx is None:
            zeros = steps.new_zeros(len(self.cells), *steps.shape[1:-1], self.hidden_size)
            hx = zeros, zeros
        h, c = list(hx[0]), list(hx[1])
        outputs = []
        for x in steps:
            for layer, cell in enumerate(self.cells):
                h[layer], c[layer] = cell(x, (h[layer], c[layer]))
                x = h[layer]
            outputs.append(x)
        output = torch.stack(outputs)
        return output.transpose(0, 1) if swap else output, (torch.stack(h), torch.stack(c))
