"""Right LSTMs as people write them by hand, each with names and a layout of its own."""

import math

import numpy as np
import torch
from torch import nn


def uniform(*shape: int) -> nn.Parameter:
    """A parameter as most of these initialise theirs."""
    return nn.Parameter(torch.empty(*shape).uniform_(-0.5, 0.5))


class OneKernel(nn.Module):
    """W (input, 4H), U (H, 4H), one bias; batch first; output and states without a layer axis."""

    def __init__(self, input_sz, hidden_sz):
        super().__init__()
        self.hidden_sz = hidden_sz
        self.W = uniform(input_sz, hidden_sz * 4)
        self.U = uniform(hidden_sz, hidden_sz * 4)
        self.bias = uniform(hidden_sz * 4)

    def forward(self, x, init_states=None):
        batch, seq, _ = x.size()
        outputs = []
        if init_states is None:
            h = torch.zeros(batch, self.hidden_sz).to(x)
            c = torch.zeros(batch, self.hidden_sz).to(x)
        else:
            h, c = init_states
        size = self.hidden_sz
        for t in range(seq):
            gates = x[:, t, :] @ self.W + h @ self.U + self.bias
            i = torch.sigmoid(gates[:, :size])
            f = torch.sigmoid(gates[:, size : 2 * size])
            g = torch.tanh(gates[:, 2 * size : 3 * size])
            o = torch.sigmoid(gates[:, 3 * size :])
            c = f * c + i * g
            h = o * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs, 1), (h, c)


class ParameterPerGate(nn.Module):
    """W_i (input, H), U_i (H, H), b_i and so on for f, c and o; batch first."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        for gate in "ifco":
            setattr(self, f"W_{gate}", uniform(input_size, hidden_size))
            setattr(self, f"U_{gate}", uniform(hidden_size, hidden_size))
            setattr(self, f"b_{gate}", uniform(hidden_size))

    def forward(self, x, init_states=None):
        h, c = init_states or [x.new_zeros(len(x), self.hidden_size)] * 2
        hidden = []
        for t in range(x.shape[1]):
            x_t = x[:, t]
            i = torch.sigmoid(x_t @ self.W_i + h @ self.U_i + self.b_i)
            f = torch.sigmoid(x_t @ self.W_f + h @ self.U_f + self.b_f)
            g = torch.tanh(x_t @ self.W_c + h @ self.U_c + self.b_c)
            o = torch.sigmoid(x_t @ self.W_o + h @ self.U_o + self.b_o)
            c = f * c + i * g
            h = o * torch.tanh(c)
            hidden.append(h)
        return torch.stack(hidden, dim=1), (h, c)


class EightLinears(nn.Module):
    """Eight Linears with a bias each; time first; returns states as PyTorch does."""

    def __init__(self, n_in, n_hidden):
        super().__init__()
        self.n_hidden = n_hidden
        self.x2i, self.x2f, self.x2o, self.x2g = (nn.Linear(n_in, n_hidden) for _ in range(4))
        self.h2i, self.h2f, self.h2o, self.h2g = (nn.Linear(n_hidden, n_hidden) for _ in range(4))

    def forward(self, inputs, state=None):
        if state is None:
            state = (inputs.new_zeros(1, inputs.size(1), self.n_hidden),) * 2
        h, c = state[0].squeeze(0), state[1].squeeze(0)
        outputs = []
        for x in inputs:
            i = torch.sigmoid(self.x2i(x) + self.h2i(h))
            f = torch.sigmoid(self.x2f(x) + self.h2f(h))
            o = torch.sigmoid(self.x2o(x) + self.h2o(h))
            c = f * c + i * torch.tanh(self.x2g(x) + self.h2g(h))
            h = o * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs), (h.unsqueeze(0), c.unsqueeze(0))


class OverBoth(nn.Module):
    """Four Linears over cat([x, h]); time first; returns the outputs only, and takes no states."""

    def __init__(self, input_dim, hidden_dim):
        super().__init__()
        self.hidden_dim = hidden_dim
        self.forget = nn.Linear(input_dim + hidden_dim, hidden_dim)
        self.input = nn.Linear(input_dim + hidden_dim, hidden_dim)
        self.candidate = nn.Linear(input_dim + hidden_dim, hidden_dim)
        self.output = nn.Linear(input_dim + hidden_dim, hidden_dim)

    def forward(self, sequence):
        h = c = sequence.new_zeros(sequence.shape[1], self.hidden_dim)
        outputs = []
        for x in sequence:
            both = torch.cat((x, h), dim=1)
            c = torch.sigmoid(self.forget(both)) * c + torch.sigmoid(self.input(both)) * torch.tanh(
                self.candidate(both)
            )
            h = torch.sigmoid(self.output(both)) * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs)


class HiddenFirst(nn.Module):
    """One Linear over cat([h, x]) with the gates f, i, o, g; batch first; returns (c, h) last."""

    def __init__(self, hidden_size, input_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.gates = nn.Linear(hidden_size + input_size, 4 * hidden_size)

    def forward(self, x, h=None, c=None):
        if h is None:
            h = c = x.new_zeros(x.size(0), self.hidden_size)
        steps = []
        for t in range(x.size(1)):
            f, i, o, g = self.gates(torch.cat([h, x[:, t]], 1)).chunk(4, 1)
            c = c * f.sigmoid() + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            steps.append(h)
        return torch.stack(steps, 1), (c, h)


class Cell(nn.Module):
    """One step: (x, (h, c)) to (h, c), two biased Linears; the state is required."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.ih = nn.Linear(input_size, 4 * hidden_size)
        self.hh = nn.Linear(hidden_size, 4 * hidden_size)

    def forward(self, x, state):
        h, c = state
        i, f, g, o = (self.ih(x) + self.hh(h)).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class CarryCell(nn.Module):
    """One step as in Flax: the state first, as (c, h), and (state, output) back."""

    def __init__(self, features, in_features):
        super().__init__()
        self.kernel = uniform(in_features, 4 * features)
        self.recurrent_kernel = uniform(features, 4 * features)
        self.bias = uniform(4 * features)

    def forward(self, carry, x):
        c, h = carry
        i, f, g, o = torch.split(
            x @ self.kernel + h @ self.recurrent_kernel + self.bias, h.shape[-1], -1
        )
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        return (c, h), h


class Classifier(nn.Module):
    """A Linear on top of the last state, and only that comes back; batch first."""

    def __init__(self, input_size, hidden_size, num_classes):
        super().__init__()
        self.hidden_size = hidden_size
        self.w = uniform(4 * hidden_size, input_size)
        self.u = uniform(4 * hidden_size, hidden_size)
        self.b = uniform(4 * hidden_size)
        self.fc = nn.Linear(hidden_size, num_classes)

    def forward(self, x):
        h = c = x.new_zeros(len(x), self.hidden_size)
        for step in x.unbind(1):
            z = step @ self.w.t() + h @ self.u.t() + self.b
            i, f, o, g = z.chunk(4, dim=1)
            c = f.sigmoid() * c + i.sigmoid() * torch.tanh(g)
            h = o.sigmoid() * torch.tanh(c)
        return self.fc(h)


class LastStateOnly(nn.Module):
    """Returns the last hidden state alone; the forget gate's bias gets 1 added."""

    def __init__(self, input_size, units):
        super().__init__()
        self.units = units
        self.Wx = uniform(input_size, 4 * units)
        self.Wh = uniform(units, 4 * units)
        self.b = nn.Parameter(torch.zeros(1, 4 * units))

    def forward(self, x):
        h = c = torch.zeros(x.shape[0], self.units, dtype=x.dtype, device=x.device)
        for t in range(x.shape[1]):
            i, g, f, o = (x[:, t] @ self.Wx + h @ self.Wh + self.b).chunk(4, 1)
            c = torch.sigmoid(f + 1.0) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return h


class NoBias(nn.Module):
    """No biases, float32 states of its own making, every hidden state in a list, and the cell."""

    def __init__(self, input_size: int, hidden_size: int, device="cpu") -> None:
        super().__init__()
        self.hidden_size = hidden_size
        std = 1.0 / math.sqrt(hidden_size)
        self.weight_x = nn.Parameter(torch.randn(hidden_size * 4, input_size, device=device) * std)
        self.weight_h = nn.Parameter(torch.randn(hidden_size * 4, hidden_size, device=device) * std)

    def forward(self, seq):
        h_t, c_t = torch.zeros(2, seq.size(1), self.hidden_size)
        hs = []
        for t in range(seq.size(0)):
            o, f, i, g = torch.chunk(
                nn.functional.linear(seq[t], self.weight_x)
                + nn.functional.linear(h_t, self.weight_h),
                4,
                1,
            )
            c_t = f.sigmoid() * c_t + i.sigmoid() * g.tanh()
            h_t = o.sigmoid() * c_t.tanh()
            hs.append(h_t)
        return hs, c_t


class MixedOrientation(nn.Module):
    """A Linear by x, a matrix (H, 4H) multiplied from the right by h; a dict comes back."""

    def __init__(self, input_size, hidden_size, bias=True, batch_first=True):
        super().__init__()
        self.project = nn.Linear(input_size, 4 * hidden_size, bias=bias)
        self.recurrent = uniform(hidden_size, 4 * hidden_size)
        self.head = nn.Linear(hidden_size, input_size)

    def forward(self, x, h0, c0):
        h, c, outputs, cells = h0, c0, [], []
        for x_t in self.project(x).transpose(0, 1):
            f, g, i, o = (x_t + h @ self.recurrent).chunk(4, -1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
            cells.append(c)
        hidden = torch.stack(outputs, 1)
        return {"logits": self.head(hidden), "hidden": hidden, "cells": torch.stack(cells, 1)}


class Wrapped(nn.Module):
    """An nn.LSTMCell in a loop; time first, with a batch axis or without."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.cell = nn.LSTMCell(input_size, hidden_size)

    def forward(self, x, state=None):
        output = []
        for step in x:
            state = self.cell(step, state)
            output.append(state[0])
        return torch.stack(output), state


class LearnsItsStart(nn.Module):
    """One matrix (input + H, 4H) over [x, h]; the first h is a parameter."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.h_start = nn.Parameter(torch.zeros(hidden_size))
        self.kernel = uniform(input_size + hidden_size, 4 * hidden_size)
        self.bias = uniform(4 * hidden_size)

    def forward(self, x):
        h = self.h_start.expand(x.size(0), -1)
        c = torch.zeros_like(h)
        outputs = []
        for t in range(x.size(1)):
            i, f, g, o = (torch.cat([x[:, t], h], -1) @ self.kernel + self.bias).chunk(4, -1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
        return torch.stack(outputs, 1)


class PlainTensors:
    """No module: tensors as attributes, gates g, i, f, o, and a method run."""

    def __init__(self, input_size, hidden_size):
        self.hidden_size = hidden_size
        self.w_ih = torch.randn(4 * hidden_size, input_size)
        self.w_hh = torch.randn(4 * hidden_size, hidden_size)
        self.b = torch.zeros(4 * hidden_size, 1)

    def run(self, x, start=None):
        h, c = start or [x.new_zeros(x.size(1), self.hidden_size)] * 2
        hs = []
        for step in x:
            a = self.w_ih @ step.T + self.w_hh @ h.T + self.b
            g, i, f, o = a.T.chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            hs.append(h)
        return torch.stack(hs), (h, c)


class SeveralLayers(nn.Module):
    """Any number of layers, each of four small networks; returns the states of every layer."""

    def __init__(self, in_dim, out_dim, num_layers=2):
        super().__init__()
        self.out_dim = out_dim
        self.layers = nn.ModuleList()
        for layer in range(num_layers):
            features = (out_dim if layer else in_dim) + out_dim
            gates = {
                name: nn.Sequential(
                    nn.Linear(features, out_dim), nn.Tanh() if name == "new" else nn.Sigmoid()
                )
                for name in ("keep", "write", "new", "read")
            }
            self.layers.append(nn.ModuleDict(gates))

    def forward(self, x):
        h = [x.new_zeros(x.size(0), self.out_dim) for _ in self.layers]
        c = list(h)
        tops = []
        for step in x.unbind(1):
            for n, gates in enumerate(self.layers):
                both = torch.cat([step, h[n]], -1)
                c[n] = gates["keep"](both) * c[n] + gates["write"](both) * gates["new"](both)
                step = h[n] = gates["read"](both) * torch.tanh(c[n])
            tops.append(step)
        return torch.stack(tops, 1), torch.stack(h), torch.stack(c)


class StartsInFloat32(nn.Module):
    """Takes states of any dtype, but makes those of float32 where none are given."""

    def __init__(self, num_inputs, num_hiddens, sigma=0.01):
        super().__init__()
        self.num_hiddens = num_hiddens
        for gate in "ifoc":
            setattr(self, f"W_x{gate}", nn.Parameter(torch.randn(num_inputs, num_hiddens) * sigma))
            setattr(self, f"W_h{gate}", nn.Parameter(torch.randn(num_hiddens, num_hiddens) * sigma))
            setattr(self, f"b_{gate}", nn.Parameter(torch.zeros(num_hiddens)))

    def forward(self, inputs, state=None):
        if state is None:
            state = torch.zeros(2, inputs.shape[1], self.num_hiddens)
        h, c = state
        outputs = []
        for x in inputs:
            i = torch.sigmoid(x @ self.W_xi + h @ self.W_hi + self.b_i)
            f = torch.sigmoid(x @ self.W_xf + h @ self.W_hf + self.b_f)
            o = torch.sigmoid(x @ self.W_xo + h @ self.W_ho + self.b_o)
            c = f * c + i * torch.tanh(x @ self.W_xc + h @ self.W_hc + self.b_c)
            h = o * torch.tanh(c)
            outputs.append(h)
        return outputs, (h, c)


class NumpyColumns:
    """NumPy; a row of the batch is a column; four matrices over [h, x] as attributes."""

    def __init__(self, n_x, n_h):
        rng = np.random.default_rng(0)
        self.n_h = n_h
        for gate in "fico":
            setattr(self, f"W{gate}", rng.normal(0, 0.1, (n_h, n_h + n_x)))
            setattr(self, f"b{gate}", np.zeros((n_h, 1)))

    def forward(self, xs):
        h = c = np.zeros((self.n_h, xs[0].shape[1]), xs.dtype)
        hs = []
        for x in xs:
            z = np.vstack((h, x))
            f, i, o = (
                0.5 * (1 + np.tanh(0.5 * (W @ z + b)))
                for W, b in ((self.Wf, self.bf), (self.Wi, self.bi), (self.Wo, self.bo))
            )
            c = f * c + i * np.tanh(self.Wc @ z + self.bc)
            h = o * np.tanh(c)
            hs.append(h)
        return np.stack(hs), h, c


class NumpyLSTM:
    """NumPy; parameters in a dict, for every gate over [h, x], as columns; a forward method."""

    def __init__(self, input_size, hidden_size):
        rng = np.random.default_rng(0)
        self.hidden_size = hidden_size
        self.params = {}
        for gate in ("f", "i", "c", "o"):
            self.params[f"W{gate}"] = rng.normal(0, 0.1, (hidden_size, hidden_size + input_size))
            self.params[f"b{gate}"] = np.zeros((hidden_size, 1))

    @staticmethod
    def sigmoid(z):
        return 0.5 * (1 + np.tanh(0.5 * z))

    def forward(self, xs):
        h = c = np.zeros((self.hidden_size, 1), xs.dtype)
        hs = []
        p = self.params
        for x in xs:
            z = np.vstack([h, x[:, None]])
            f = self.sigmoid(p["Wf"] @ z + p["bf"])
            i = self.sigmoid(p["Wi"] @ z + p["bi"])
            o = self.sigmoid(p["Wo"] @ z + p["bo"])
            c = f * c + i * np.tanh(p["Wc"] @ z + p["bc"])
            h = o * np.tanh(c)
            hs.append(h[:, 0])
        return np.array(hs)


def step_forward(x, prev_h, prev_c, Wx, Wh, b):  # noqa: N803
    """NumPy; one step as a function, which also returns what a backward pass would need."""
    a = x.dot(Wx) + prev_h.dot(Wh) + b
    i, f, o, g = np.split(a, 4, axis=1)
    i, f, o = (0.5 * (1 + np.tanh(0.5 * gate)) for gate in (i, f, o))
    next_c = f * prev_c + i * np.tanh(g)
    next_h = o * np.tanh(next_c)
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, b, i, f, g, o, next_c)


def lstm(x, h0, c0, W, U, b):  # noqa: N803
    """NumPy; a function of everything; gates i, f, o, g side by side; batch first."""
    h, c, size = h0, c0, h0.shape[-1]
    outputs = []
    for t in range(x.shape[1]):
        a = x[:, t] @ W + h @ U + b
        s = 0.5 * (1 + np.tanh(0.5 * a[:, : 3 * size]))
        i, f, o = s[:, :size], s[:, size : 2 * size], s[:, 2 * size :]
        c = f * c + i * np.tanh(a[:, 3 * size :])
        h = o * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, 1), h, c


def lstm_over_time(x, h, c, W, U, b):  # noqa: N803
    """NumPy; as `lstm`, but time first, so that states with an axis of layers run too."""
    outputs = []
    for step in x:
        i, f, g, o = np.split(step @ W + h @ U + b, 4, axis=-1)
        i, f, o = (0.5 * (1 + np.tanh(0.5 * gate)) for gate in (i, f, o))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs), h, c
