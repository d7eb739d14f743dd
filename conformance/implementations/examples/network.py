"""Cells stacked by hand to a network for letters, as a tutorial writes it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from conformance.implementations.examples.one_cell import Cell


class Network(nn.Module):
    """Letters in, scores of the next letter out.

    An embedding comes first, then `num_layers` cells, whose initial states are random in each call,
    and last a linear map of the top layer's last hidden state.
    """

    def __init__(
        self,
        num_letters: int = 4,
        embedding_dim: int = 2,
        hidden_size: int = 3,
        num_layers: int = 2,
    ) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.embedding = nn.Embedding(num_letters, embedding_dim)
        sizes = [embedding_dim] + [hidden_size] * (num_layers - 1)
        self.cells = nn.ModuleList(Cell(size, hidden_size) for size in sizes)
        self.head = nn.Linear(hidden_size, num_letters)

    def forward(self, letters: Tensor) -> Tensor:
        """Return scores (N, num_letters) of what follows `letters` (N, T), which are integers."""
        states = [self.initial_state(len(letters)) for _ in self.cells]
        for x in self.embedding(letters).unbind(1):
            for layer, cell in enumerate(self.cells):
                states[layer] = cell(x, states[layer])
                x, _ = states[layer]  # what the layer above sees
        scores: Tensor = self.head(x)
        return scores

    def initial_state(self, rows: int) -> tuple[Tensor, Tensor]:
        """Draw h and c of one layer, each (rows, hidden_size)."""
        h, c = (torch.empty(rows, self.hidden_size) for _ in "hc")
        return nn.init.xavier_uniform_(h), nn.init.xavier_uniform_(c)
