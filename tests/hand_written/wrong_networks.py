"""Networks of hand-written LSTMs with one fault each, most of them in how layers are connected."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from tests.hand_written.networks import (
    Cell,
    DeepDirections,
    Directions,
    ListsOfParameters,
    NumpyStack,
    Tutorial,
    TwoCells,
    sigmoid,
)


class ReadsTheStateFromBefore(nn.Module):
    """Layer 2 gets the state of layer 1 from before this step."""

    def __init__(self, input_size=2, hidden_size=3, num_layers=2):
        super().__init__()
        self.hidden_size = hidden_size
        sizes = [input_size, *[hidden_size] * (num_layers - 1)]
        self.cells = nn.ModuleList(nn.LSTMCell(size, hidden_size) for size in sizes)

    def forward(self, x):
        h = [x.new_zeros(x.size(0), self.hidden_size) for _ in self.cells]
        c = [x.new_zeros(x.size(0), self.hidden_size) for _ in self.cells]
        for step in x.unbind(1):
            for layer, cell in enumerate(self.cells):
                before = h[layer]
                h[layer], c[layer] = cell(step, (h[layer], c[layer]))
                step = before
        return h[-1]


class FeedsTheCellState(TwoCells):
    """Layer 2 reads c of layer 1."""

    def forward(self, x):
        h1 = c1 = h2 = c2 = x.new_zeros(x.size(0), self.hidden_size)
        for step in x.unbind(1):
            h1, c1 = self.cell1(step, (h1, c1))
            h2, c2 = self.cell2(c1, (h2, c2))
        return h2


class SharesTheState(TwoCells):
    """Layer 2 starts each step from the state of layer 1."""

    def forward(self, x):
        h1 = c1 = x.new_zeros(x.size(0), self.hidden_size)
        for step in x.unbind(1):
            h1, c1 = self.cell1(step, (h1, c1))
            h2, c1 = self.cell2(h1, (h1, c1))
        return h2


class NeverTurnsBack(Directions):
    """The reverse outputs stay in the order in which they were computed."""

    def forward(self, x):
        steps = list(x.unbind(1))
        there = self.run(self.forward_cell, steps)
        back = self.run(self.backward_cell, steps[::-1])
        return torch.stack([torch.cat(both, -1) for both in zip(there, back, strict=True)], 1)


class RunsForwardTwice(Directions):
    """The reverse direction reads the steps from the first to the last."""

    def forward(self, x):
        steps = list(x.unbind(1))
        there = self.run(self.forward_cell, steps)
        back = self.run(self.backward_cell, steps)
        return torch.stack([torch.cat(both, -1) for both in zip(there, back, strict=True)], 1)


class ReverseHalfFirst(Directions):
    """The reverse half of the output comes first."""

    def forward(self, x):
        return super().forward(x).roll(self.hidden_size, -1)


class ReturnsOneHalfTwice(Directions):
    """The forward half stands in place of the reverse half."""

    def forward(self, x):
        half = super().forward(x)[..., : self.hidden_size]
        return torch.cat([half, half], -1)


class OneCellForBoth(Directions):
    """The forward cell runs in both directions."""

    def forward(self, x):
        steps = list(x.unbind(1))
        there = self.run(self.forward_cell, steps)
        back = self.run(self.forward_cell, steps[::-1])[::-1]
        return torch.stack([torch.cat(both, -1) for both in zip(there, back, strict=True)], 1)


class DeepAndUnturned(DeepDirections):
    """Right in one direction; with two, the reverse half is left as it was computed."""

    def forward(self, x):
        output, states = super().forward(x)
        if len(self.ways) == 2:
            there, back = output.chunk(2, -1)
            output = torch.cat([there, back.flip(0)], -1)
        return output, states


class ForgetsTheForgetGate(Tutorial):
    """Tokens in, right in all but the cell."""

    class WithoutForgetGate(nn.LSTMCell):
        def forward(self, x, state):
            h, c = state
            a = x @ self.weight_ih.T + self.bias_ih + h @ self.weight_hh.T + self.bias_hh
            i, _, g, o = a.chunk(4, -1)
            c = c + i.sigmoid() * g.tanh()
            return o.sigmoid() * c.tanh(), c

    def __init__(self, num_words=4, embedding_dim=2, hidden_size=3, num_layers=2):
        super().__init__(num_words, embedding_dim, hidden_size, num_layers)
        sizes = [embedding_dim, *[hidden_size] * (num_layers - 1)]
        self.cells = nn.ModuleList(self.WithoutForgetGate(n, hidden_size) for n in sizes)


class LacksTanhInAllLayers(ListsOfParameters):
    """h = o * c in every layer."""

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
                step = h[n] = o.sigmoid() * c[n]
            outputs.append(step)
        return torch.stack(outputs, 1), (torch.stack(h), torch.stack(c))


class NumpyStackOfInputs(NumpyStack):
    """NumPy; the upper layers start over from zeros in each step."""

    def forward(self, xs):
        h = c = np.zeros((xs.shape[1], self.hidden_size), xs.dtype)
        hs = []
        for x in xs:
            h, c = self.cells[0].step(x, h, c)
            x = h
            for cell in self.cells[1:]:
                x, _ = cell.step(x, np.zeros_like(h), np.zeros_like(c))
            hs.append(x)
        return np.stack(hs)


def columns_without_forget_gate(xt, a_prev, c_prev, parameters):
    """A course's step with c_next = c_prev + it * ct."""
    both = np.concatenate((a_prev, xt), axis=0)
    it = sigmoid(parameters["Wi"] @ both + parameters["bi"])
    ft = sigmoid(parameters["Wf"] @ both + parameters["bf"])
    ct = np.tanh(parameters["Wc"] @ both + parameters["bc"])
    ot = sigmoid(parameters["Wo"] @ both + parameters["bo"])
    c_next = c_prev + it * ct
    return ot * np.tanh(c_next), c_next, (it, ft, ct, ot)


def columns_with_sigmoid_on_c(xt, a_prev, c_prev, parameters):
    """A course's step whose candidate goes through sigmoid."""
    both = np.concatenate((a_prev, xt), axis=0)
    it = sigmoid(parameters["Wi"] @ both + parameters["bi"])
    ft = sigmoid(parameters["Wf"] @ both + parameters["bf"])
    ct = sigmoid(parameters["Wc"] @ both + parameters["bc"])
    ot = sigmoid(parameters["Wo"] @ both + parameters["bo"])
    c_next = ft * c_prev + it * ct
    return ot * np.tanh(c_next), c_next, (it, ft, ct, ot)


def forgets_c_over_time(x, a0, parameters):
    """A course over time that starts every step from c = 0."""
    a_next, a = a0, np.zeros((*a0.shape, x.shape[2]), x.dtype)
    for t in range(x.shape[2]):
        both = np.concatenate((a_next, x[:, :, t]), axis=0)
        it = sigmoid(parameters["Wi"] @ both + parameters["bi"])
        ft = sigmoid(parameters["Wf"] @ both + parameters["bf"])
        ct = np.tanh(parameters["Wc"] @ both + parameters["bc"])
        ot = sigmoid(parameters["Wo"] @ both + parameters["bo"])
        a[:, :, t] = a_next = ot * np.tanh(ft * 0 + it * ct)
    return a


def list_with_gates_swapped(inputs, state, params):
    """A book's function that uses the forget gate's parameters for the input gate, too."""
    W_xi, W_hi, b_i, W_xf, W_hf, b_f, W_xo, W_ho, b_o, W_xc, W_hc, b_c = params  # noqa: RUF059
    H, C = state
    outputs = []
    for X in inputs:
        F = torch.sigmoid(X @ W_xf + H @ W_hf + b_f)
        O = torch.sigmoid(X @ W_xo + H @ W_ho + b_o)  # noqa: E741
        C = F * C + F * torch.tanh(X @ W_xc + H @ W_hc + b_c)
        H = O * torch.tanh(C)
        outputs.append(H)
    return torch.stack(outputs), (H, C)


class AddsTheForgetBiasTwice(Cell):
    """A cell over [x, h] that adds its bias a second time."""

    def forward(self, x, h, c):
        a = self.linear(torch.cat([x, h], -1)) + self.linear.bias
        i, f, g, o = a.chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c


class PeeksThroughWeights(nn.Module):
    """A peephole LSTM: the gates see c, each by weights of its own."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.W = nn.Parameter(torch.randn(input_size, 4 * hidden_size))
        self.U = nn.Parameter(torch.randn(hidden_size, 4 * hidden_size))
        for gate in "ifo":
            setattr(self, f"p_{gate}", nn.Parameter(torch.randn(hidden_size)))

    def forward(self, x, state):
        h, c = state
        i, f, g, o = (x @ self.W + h @ self.U).chunk(4, -1)
        c = (f + self.p_f * c).sigmoid() * c + (i + self.p_i * c).sigmoid() * g.tanh()
        return (o + self.p_o * c).sigmoid() * c.tanh(), c
