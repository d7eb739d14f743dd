"""Right networks of LSTMs as people write them by hand: layers, directions, tokens, functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn


def sigmoid(a):
    return 0.5 * (1 + np.tanh(0.5 * a))


class Cell(nn.Module):
    """One Linear over [x, h]."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.linear = nn.Linear(input_size + hidden_size, 4 * hidden_size)

    def forward(self, x, h, c):
        i, f, g, o = self.linear(torch.cat([x, h], -1)).chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c


class ByKeyword(nn.Module):
    """Calls its cell by keywords."""

    cell_class: type[nn.Module] = Cell

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.cell = self.cell_class(input_size, hidden_size)

    def forward(self, x):
        h = c = x.new_zeros(x.size(1), self.hidden_size)
        outputs = []
        for step in x:
            h, c = self.cell(x=step, h=h, c=c)
            outputs.append(h)
        return torch.stack(outputs), (h, c)


class BufferOfFloat32(ByKeyword):
    """Collects its outputs in a tensor of the default dtype."""

    def forward(self, x):
        h = c = x.new_zeros(x.size(1), self.hidden_size)
        outputs = torch.zeros(len(x), x.size(1), self.hidden_size)
        for t, step in enumerate(x):
            h, c = self.cell(step, h, c)
            outputs[t] = h
        return outputs, (h, c)


class ThreeBiases(nn.Module):
    """A Linear by x, one by h, and a bias of its own for each gate."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        for gate in "fioc":
            setattr(self, f"W_{gate}", nn.Linear(input_size, hidden_size))
            setattr(self, f"V_{gate}", nn.Linear(hidden_size, hidden_size))
            setattr(self, f"b_{gate}", nn.Parameter(torch.zeros(hidden_size)))

    def gate(self, k, x, h):
        return getattr(self, f"W_{k}")(x) + getattr(self, f"V_{k}")(h) + getattr(self, f"b_{k}")

    def forward(self, x, h, c):
        f, i, o, g = (self.gate(k, x, h) for k in "fioc")
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c


class StatesSideBySide(Cell):
    """The state is one tensor, [h, c]."""

    def forward(self, x, state):
        h, c = super().forward(x, *state.chunk(2, -1))
        return h, torch.cat([h, c], -1)


class CellStateFirst(Cell):
    """The state is one tensor, [c, h]."""

    def forward(self, x, state):
        c, h = state.chunk(2, -1)
        h, c = super().forward(x, h, c)
        return h, torch.cat([c, h], -1)


class TwoCells(nn.Module):
    """Two nn.LSTMCells above each other, the last h of the upper one back."""

    def __init__(self, input_size=2, hidden_size=3):
        super().__init__()
        self.hidden_size = hidden_size
        self.cell1 = nn.LSTMCell(input_size, hidden_size)
        self.cell2 = nn.LSTMCell(hidden_size, hidden_size)

    def forward(self, x):
        h1 = c1 = h2 = c2 = x.new_zeros(x.size(0), self.hidden_size)
        for step in x.unbind(1):
            h1, c1 = self.cell1(step, (h1, c1))
            h2, c2 = self.cell2(h1, (h2, c2))
        return h2


class Tutorial(nn.Module):
    """Tokens, an embedding, stacked cells, random states, the last h of the top layer."""

    def __init__(self, num_words=4, embedding_dim=2, hidden_size=3, num_layers=2):
        super().__init__()
        self.embedding, self.hidden_size = nn.Embedding(num_words, embedding_dim), hidden_size
        sizes = [embedding_dim, *[hidden_size] * (num_layers - 1)]
        self.cells = nn.ModuleList(nn.LSTMCell(size, hidden_size) for size in sizes)

    def forward(self, tokens):
        h, c = [], []
        for _ in self.cells:
            for states in (h, c):
                state = torch.empty(tokens.size(0), self.hidden_size)
                states.append(nn.init.xavier_uniform_(state))
        for step in self.embedding(tokens).unbind(1):
            for layer, cell in enumerate(self.cells):
                h[layer], c[layer] = cell(step, (h[layer], c[layer]))
                step = h[layer]
        return h[-1]


class WithAHead(nn.Module):
    """Tokens in, an embedding with a row of padding, logits of the last state out."""

    def __init__(self, vocab_size, embed_dim, hidden_dim, output_dim):
        super().__init__()
        self.hidden_dim = hidden_dim
        self.embed = nn.Embedding(vocab_size, embed_dim, padding_idx=0)
        self.lower = nn.LSTMCell(embed_dim, hidden_dim)
        self.upper = nn.LSTMCell(hidden_dim, hidden_dim)
        self.fc = nn.Linear(hidden_dim, output_dim)

    def forward(self, tokens):
        x = self.embed(tokens)
        h1 = c1 = h2 = c2 = x.new_zeros(x.size(0), self.hidden_dim)
        for t in range(x.size(1)):
            h1, c1 = self.lower(x[:, t], (h1, c1))
            h2, c2 = self.upper(h1, (h2, c2))
        return self.fc(h2)


class Directions(nn.Module):
    """Two cells of its own, one for each direction of time; the outputs side by side."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.forward_cell = Cell(input_size, hidden_size)
        self.backward_cell = Cell(input_size, hidden_size)

    def run(self, cell, steps):
        h = c = steps[0].new_zeros(steps[0].size(0), self.hidden_size)
        outputs = []
        for step in steps:
            h, c = cell(step, h, c)
            outputs.append(h)
        return outputs

    def forward(self, x):
        steps = list(x.unbind(1))
        there = self.run(self.forward_cell, steps)
        back = self.run(self.backward_cell, steps[::-1])[::-1]
        return torch.stack([torch.cat(both, -1) for both in zip(there, back, strict=True)], 1)


class DeepDirections(nn.Module):
    """Layers of two directions, as an option; the states of each come back."""

    def __init__(self, input_size, hidden_size, num_layers=1, bidirectional=False):
        super().__init__()
        self.hidden_size = hidden_size
        self.ways = ["fw", "bw"][: 1 + bidirectional]
        self.layers = nn.ModuleList()
        for layer in range(num_layers):
            size = len(self.ways) * hidden_size if layer else input_size
            cells = {way: nn.LSTMCell(size, hidden_size) for way in self.ways}
            self.layers.append(nn.ModuleDict(cells))

    def forward(self, x):
        h_n, c_n = [], []
        for layer in self.layers:
            halves = []
            for way in self.ways:
                h = c = x.new_zeros(x.size(1), self.hidden_size)
                hs = []
                for step in x.flip(0) if way == "bw" else x:
                    h, c = layer[way](step, (h, c))
                    hs.append(h)
                h_n.append(h)
                c_n.append(c)
                halves.append(torch.stack(hs[::-1] if way == "bw" else hs))
            x = torch.cat(halves, -1)
        return x, (torch.stack(h_n), torch.stack(c_n))


class ListsOfParameters(nn.Module):
    """Lists of matrices, one for each layer; the states of all layers are taken as they are."""

    def __init__(self, n_in, n_hidden, n_layers):
        super().__init__()
        sizes = [n_in, *[n_hidden] * (n_layers - 1)]
        self.n_hidden = n_hidden
        self.Wx = nn.ParameterList(nn.Parameter(torch.randn(n, 4 * n_hidden)) for n in sizes)
        self.Wh = nn.ParameterList(nn.Parameter(torch.randn(n_hidden, 4 * n_hidden)) for _ in sizes)
        self.b = nn.ParameterList(nn.Parameter(torch.zeros(4 * n_hidden)) for _ in sizes)

    def forward(self, x, state=None):
        layers = range(len(self.Wx))
        if state is None:
            state = [x.new_zeros(len(self.Wx), x.size(0), self.n_hidden)] * 2
        h, c = list(state[0]), list(state[1])
        outputs = []
        for step in x.unbind(1):
            for n in layers:
                i, f, o, g = (step @ self.Wx[n] + h[n] @ self.Wh[n] + self.b[n]).chunk(4, -1)
                c[n] = f.sigmoid() * c[n] + i.sigmoid() * g.tanh()
                step = h[n] = o.sigmoid() * c[n].tanh()
            outputs.append(step)
        return torch.stack(outputs, 1), (torch.stack(h), torch.stack(c))


@dataclass
class Answer:
    """What comes back, by name."""

    hidden_states: Tensor
    last_hidden: Tensor
    last_cell: Tensor


class ReturnsADataclass(ByKeyword):
    """An object with attributes comes back."""

    def forward(self, x):
        output, (h, c) = super().forward(x)
        return Answer(output, h, c)


class Pair(NamedTuple):
    """The states of one layer."""

    h: Tensor
    c: Tensor


class PairsOfStates(nn.Module):
    """A list of pairs (h, c) in and out, one for each layer."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.first = Cell(input_size, hidden_size)
        self.second = Cell(hidden_size, hidden_size)

    def forward(self, x, states):
        (h1, c1), (h2, c2) = states
        outputs = []
        for step in x:
            h1, c1 = self.first(step, h1, c1)
            h2, c2 = self.second(h1, h2, c2)
            outputs.append(h2)
        return torch.stack(outputs), [Pair(h1, c1), Pair(h2, c2)]


class DrawsItsStates(nn.Module):
    """Starts from torch.randn, all states in one tensor each."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.hidden_size = hidden_size

    def forward(self, x):
        shape = 1, x.size(0), self.hidden_size
        h, c = torch.randn(shape, dtype=x.dtype), torch.randn(shape, dtype=x.dtype)
        return self.lstm(x, (h, c))


class NumpyCell:
    """NumPy; one cell with its parameters in a list."""

    def __init__(self, size, units):
        rng = np.random.default_rng(0)
        shapes = (4 * units, size), (4 * units, units), (4 * units,)
        self.weights = [rng.normal(0, 0.1, shape) for shape in shapes]

    def step(self, x, h, c):
        W, U, b = self.weights
        i, f, g, o = np.split(x @ W.T + h @ U.T + b, 4, -1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c


class NumpyStack:
    """NumPy; objects of a class in a list, and a method over time."""

    def __init__(self, input_size, hidden_size, num_layers=2):
        self.hidden_size = hidden_size
        sizes = [input_size, *[hidden_size] * (num_layers - 1)]
        self.cells = [NumpyCell(size, hidden_size) for size in sizes]

    def forward(self, xs):
        h = [np.zeros((xs.shape[1], self.hidden_size), xs.dtype) for _ in self.cells]
        c = list(h)
        hs = []
        for x in xs:
            for n, cell in enumerate(self.cells):
                h[n], c[n] = cell.step(x, h[n], c[n])
                x = h[n]
            hs.append(x)
        return np.stack(hs)


def from_h_0_alone(x, h0, Wx, Wh, b):  # noqa: N803
    """x (N, T, D); c starts at zero, as courses write it."""
    h, c, outputs = h0, np.zeros_like(h0), []
    for t in range(x.shape[1]):
        i, f, o, g = np.split(x[:, t] @ Wx + h @ Wh + b, 4, -1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, 1)


def step_of_columns(xt, a_prev, c_prev, parameters):
    """One step of a course: columns, and four matrices over [a, x] in a dict."""
    both = np.concatenate((a_prev, xt), axis=0)
    ft = sigmoid(parameters["Wf"] @ both + parameters["bf"])
    it = sigmoid(parameters["Wi"] @ both + parameters["bi"])
    ct = np.tanh(parameters["Wc"] @ both + parameters["bc"])
    ot = sigmoid(parameters["Wo"] @ both + parameters["bo"])
    c_next = ft * c_prev + it * ct
    a_next = ot * np.tanh(c_next)
    scores = np.exp(parameters["Wy"] @ a_next + parameters["by"])
    return a_next, c_next, scores / scores.sum(axis=0), (a_next, c_next, parameters)


def over_time_in_columns(x, a0, parameters):
    """The same course over time: x (n_x, m, T), a (n_a, m, T)."""
    a, c = np.zeros((*a0.shape, x.shape[2]), x.dtype), np.zeros((*a0.shape, x.shape[2]), x.dtype)
    y = []
    a_next, c_next = a0, np.zeros_like(a0)
    for t in range(x.shape[2]):
        a_next, c_next, yt, _ = step_of_columns(x[:, :, t], a_next, c_next, parameters)
        a[:, :, t], c[:, :, t] = a_next, c_next
        y.append(yt)
    return a, np.stack(y, 2), c


def of_one_list(inputs, state, params):
    """A book's function of a list of parameters, with the map to outputs among them."""
    W_xi, W_hi, b_i, W_xf, W_hf, b_f, W_xo, W_ho, b_o, W_xc, W_hc, b_c, W_hq, b_q = params
    H, C = state
    outputs = []
    for X in inputs:
        I = torch.sigmoid(X @ W_xi + H @ W_hi + b_i)  # noqa: E741
        F = torch.sigmoid(X @ W_xf + H @ W_hf + b_f)
        O = torch.sigmoid(X @ W_xo + H @ W_ho + b_o)  # noqa: E741
        C = F * C + I * torch.tanh(X @ W_xc + H @ W_hc + b_c)
        H = O * torch.tanh(C)
        outputs.append(H @ W_hq + b_q)
    return torch.cat(outputs, dim=0), (H, C)
