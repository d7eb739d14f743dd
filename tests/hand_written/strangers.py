"""LSTMs whose states are named tuples, objects or dicts, and one with a bridge to its decoder."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn


class LSTMState(NamedTuple):
    """The state of a layer."""

    h: Tensor
    c: Tensor


class NamedStates(nn.Module):
    """Takes its state as a named tuple, or none, over all steps."""

    def __init__(self, input_dim: int, hidden_dim: int):
        super().__init__()
        self.hidden_dim = hidden_dim
        self.linear = nn.Linear(input_dim + hidden_dim, 4 * hidden_dim)

    def initial_state(self, inputs):
        zeros = inputs.new_zeros(inputs.shape[1], self.hidden_dim)
        return LSTMState(zeros, zeros.clone())

    def forward(self, inputs, prev_state: LSTMState | None = None):
        state = self.initial_state(inputs) if prev_state is None else prev_state
        hs = []
        for x in inputs:
            i, g, f, o = self.linear(torch.cat([x, state.h], -1)).chunk(4, -1)
            c = f.sigmoid() * state.c + i.sigmoid() * g.tanh()
            state = LSTMState(h=o.sigmoid() * c.tanh(), c=c)
            hs.append(state.h)
        return torch.stack(hs), state


class CellOfNamedState(nn.Module):
    """Takes a named tuple in each step, which is needed."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.i2h = nn.Linear(input_size, 4 * hidden_size)
        self.h2h = nn.Linear(hidden_size, 4 * hidden_size)

    def forward(self, x, state):
        i, f, g, o = (self.i2h(x) + self.h2h(state.h)).chunk(4, 1)
        c = f.sigmoid() * state.c + i.sigmoid() * g.tanh()
        return LSTMState(o.sigmoid() * c.tanh(), c)


class StackOfNamedStates(nn.Module):
    """Takes a list with a named tuple for each layer, which only its cells look into."""

    def __init__(self, input_size, hidden_size, num_layers=2):
        super().__init__()
        sizes = [input_size, *[hidden_size] * (num_layers - 1)]
        self.cells = nn.ModuleList(CellOfNamedState(size, hidden_size) for size in sizes)

    def forward(self, x, states):
        states, outputs = list(states), []
        for y in x:
            for n, cell in enumerate(self.cells):
                states[n] = cell(y, states[n])
                y = states[n].h
            outputs.append(y)
        return torch.stack(outputs), states


class NeedsADict(nn.Module):
    """Takes a dict in each step, which is needed."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.gates = nn.Linear(input_size + hidden_size, 4 * hidden_size)

    def forward(self, x, state):
        i, f, g, o = self.gates(torch.cat([x, state["hidden"]], 1)).chunk(4, 1)
        cell = f.sigmoid() * state["cell"] + i.sigmoid() * g.tanh()
        return {"hidden": o.sigmoid() * cell.tanh(), "cell": cell}


class Carry(NamedTuple):
    """The state of a function."""

    hidden: np.ndarray
    cell: np.ndarray


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def step_of_a_scan(params, state, x):
    """Take a named tuple between the parameters and the input."""
    i, f, g, o = np.split(x @ params["W"] + state.hidden @ params["U"] + params["b"], 4, -1)
    cell = sigmoid(f) * state.cell + sigmoid(i) * np.tanh(g)
    return Carry(sigmoid(o) * np.tanh(cell), cell)


class EncoderWithABridge(nn.Module):
    """Returns all steps, and what a Linear and tanh make of both last states for a decoder."""

    def __init__(self, input_dim, emb_dim, enc_hid_dim, dec_hid_dim, dropout):
        super().__init__()
        self.embedding = nn.Embedding(input_dim, emb_dim)
        self.rnn = nn.LSTM(emb_dim, enc_hid_dim, bidirectional=True)
        self.fc = nn.Linear(enc_hid_dim * 2, dec_hid_dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, src):
        outputs, (hidden, _) = self.rnn(self.dropout(self.embedding(src)))
        return outputs, torch.tanh(self.fc(torch.cat((hidden[-2], hidden[-1]), dim=1)))
