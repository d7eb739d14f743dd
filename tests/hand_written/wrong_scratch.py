"""LSTMs in the manner of courses, books and blogs that are wrong, or of another kind."""

import numpy as np
import torch
from torch import nn

from tests.hand_written.scratch import ScratchOfABook, sigmoid


def batched_without_tanh(X, WLSTM, c0=None, h0=None):  # noqa: N803
    """Takes the candidate as it is."""
    _, b, _ = X.shape
    d = WLSTM.shape[1] // 4
    c = np.zeros((b, d)) if c0 is None else c0
    h = np.zeros((b, d)) if h0 is None else h0
    outputs = []
    for x in X:
        i, f, o, g = np.split(np.hstack([np.ones((b, 1)), x, h]) @ WLSTM, 4, 1)
        c = sigmoid(f) * c + sigmoid(i) * g
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs), c, h


class Normalized(nn.Module):
    """Normalizes the sums, as an LSTM with layer norm does."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.weight_ih = nn.Parameter(torch.randn(4 * hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.randn(4 * hidden_size, hidden_size))
        self.layernorm_i = nn.LayerNorm(4 * hidden_size)
        self.layernorm_h = nn.LayerNorm(4 * hidden_size)
        self.layernorm_c = nn.LayerNorm(hidden_size)

    def forward(self, x, state):
        h, c = state
        outputs = []
        for step in x:
            gates = self.layernorm_i(step @ self.weight_ih.t())
            i, f, g, o = (gates + self.layernorm_h(h @ self.weight_hh.t())).chunk(4, 1)
            c = self.layernorm_c(f.sigmoid() * c + i.sigmoid() * g.tanh())
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
        return torch.stack(outputs), (h, c)


class Peepholes(nn.Module):
    """Lets i and f see the old c, and o the new one."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.Wx = nn.Linear(input_size, 4 * hidden_size)
        self.Wh = nn.Linear(hidden_size, 4 * hidden_size, bias=False)
        self.w_ci = nn.Parameter(torch.ones(hidden_size))
        self.w_cf = nn.Parameter(torch.ones(hidden_size))
        self.w_co = nn.Parameter(torch.ones(hidden_size))

    def forward(self, x):
        h = c = x.new_zeros(len(x), self.hidden_size)
        for step in x.unbind(1):
            i, f, g, o = (self.Wx(step) + self.Wh(h)).chunk(4, 1)
            i, f = (i + self.w_ci * c).sigmoid(), (f + self.w_cf * c).sigmoid()
            c = f * c + i * g.tanh()
            h = (o + self.w_co * c).sigmoid() * c.tanh()
        return h


class ThreeGates(nn.Module):
    """Couples the gates, i = 1 - f, so that there are weights for three only."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W_f = nn.Linear(input_size + hidden_size, hidden_size)
        self.W_c = nn.Linear(input_size + hidden_size, hidden_size)
        self.W_o = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x, h, c):
        both = torch.cat([x, h], -1)
        f = self.W_f(both).sigmoid()
        c = f * c + (1 - f) * self.W_c(both).tanh()
        return self.W_o(both).sigmoid() * c.tanh(), c


class SumOfDirections(nn.Module):
    """Adds the two directions up."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.fwd = nn.LSTMCell(input_size, hidden_size)
        self.bwd = nn.LSTMCell(input_size, hidden_size)

    def scan(self, cell, steps):
        h = c = steps[0].new_zeros(len(steps[0]), self.hidden_size)
        outputs = []
        for step in steps:
            h, c = cell(step, (h, c))
            outputs.append(h)
        return outputs

    def forward(self, x):
        forward = self.scan(self.fwd, x.unbind(1))
        backward = self.scan(self.bwd, x.flip(1).unbind(1))[::-1]
        return torch.stack(forward, 1) + torch.stack(backward, 1)


class Residual(nn.Module):
    """Adds the input of the second layer to its output."""

    def __init__(self, input_size, hidden_size, num_layers=2):
        super().__init__()
        self.hidden_size = hidden_size
        self.cells = nn.ModuleList(
            nn.LSTMCell(hidden_size if n else input_size, hidden_size) for n in range(num_layers)
        )

    def forward(self, x):
        for n, cell in enumerate(self.cells):
            h = c = x.new_zeros(x.size(0), self.hidden_size)
            outputs = []
            for step in x.unbind(1):
                h, c = cell(step, (h, c))
                outputs.append(h + step if n else h)
            x = torch.stack(outputs, 1)
        return x


class ForgetsTheSigmoid(ScratchOfABook):
    """Has a forget gate without sigmoid."""

    def forward(self, inputs, H_C=None):  # noqa: N803
        zeros = inputs.new_zeros(inputs.shape[1], self.num_hiddens)
        h, c = H_C or (zeros, zeros)
        outputs = []
        for x in inputs:
            i = torch.sigmoid(x @ self.W_xi + h @ self.W_hi + self.b_i)
            f = x @ self.W_xf + h @ self.W_hf + self.b_f
            o = torch.sigmoid(x @ self.W_xo + h @ self.W_ho + self.b_o)
            c = f * c + i * torch.tanh(x @ self.W_xc + h @ self.W_hc + self.b_c)
            h = o * torch.tanh(c)
            outputs.append(h)
        return outputs, (h, c)
