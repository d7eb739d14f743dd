"""LSTMs that have two layers at least, or return but one result."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from conformance import HandWritten
from strategies import Support
from tests.faults.plain import PlainLSTM


class HasNoSingleLayer(PlainLSTM):
    """Takes two layers and more."""

    supports = Support(min_layers=2)


class ReturnsItsOutputAlone(PlainLSTM):
    """Claims nothing of its final states."""

    supports = Support(results=("output",))


class ReturnsItsCellStateAlone(PlainLSTM):
    """Claims nothing of its output and of h_n."""

    supports = Support(results=("c_n",))


class LastState(nn.Module):
    """Goes through rows of steps from zeros."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.gates = nn.Linear(input_size + hidden_size, 4 * hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        """Return the last h, (N, hidden_size), of `x`, (N, T, input_size)."""
        h = c = x.new_zeros(len(x), self.hidden_size)
        for step in x.unbind(1):
            i, f, g, o = self.gates(torch.cat([step, h], 1)).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        return h


class ReturnsItsLastHiddenStateAlone(HandWritten):
    """Is called once for each step of the output."""

    def __init__(self) -> None:
        super().__init__(
            LastState,
            weight_xh="gates.weight",
            bias="gates.bias",
            call="input",
            returns="h_n[0]",
            batch_first=True,
        )
