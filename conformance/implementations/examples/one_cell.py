"""One LSTM cell in PyTorch, gate by gate, and its gates beside those of the reference."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from reference import Step, Weights, lstm_cell


class Cell(nn.Module):
    """One step of an LSTM; each gate has a linear map of x and one of h."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.x_i, self.h_i = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)
        self.x_f, self.h_f = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)
        self.x_g, self.h_g = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)
        self.x_o, self.h_o = nn.Linear(input_size, hidden_size), nn.Linear(hidden_size, hidden_size)

    def gates(self, x: Tensor, h: Tensor) -> dict[str, Tensor]:
        """Compute the gates i, f, o and the candidate g, each (N, hidden_size)."""
        return {
            "i": torch.sigmoid(self.x_i(x) + self.h_i(h)),  # how much of the candidate is written
            "f": torch.sigmoid(self.x_f(x) + self.h_f(h)),  # how much of the memory is kept
            "g": torch.tanh(self.x_g(x) + self.h_g(h)),  # the candidate
            "o": torch.sigmoid(self.x_o(x) + self.h_o(h)),  # how much of the memory is shown
        }

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Return h and c after `x` (N, input_size); `state` is h and c before."""
        h, c = state
        gate = self.gates(x, h)
        c = gate["f"] * c + gate["i"] * gate["g"]
        h = gate["o"] * torch.tanh(c)
        return h, c


def of_reference(cell: Cell, x: Tensor, h: Tensor, c: Tensor) -> Step:
    """Compute the same step by the reference: every gate, and the new state, in NumPy."""

    def stacked(name: str, part: str) -> Tensor:
        return torch.cat([cell.get_parameter(f"{name}_{gate}.{part}") for gate in "ifgo"])

    parameters = (stacked(name, part) for part in ("weight", "bias") for name in ("x", "h"))
    weights = Weights(*(each.detach().numpy() for each in parameters))
    return lstm_cell(x.numpy(), h.numpy(), c.numpy(), weights)
