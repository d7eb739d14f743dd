"""LSTMs in the manner of courses, books and blogs."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


class ScratchOfABook(nn.Module):
    """Triples of parameters made by a helper, steps first, a list of outputs."""

    def __init__(self, num_inputs, num_hiddens, sigma=0.01):
        super().__init__()
        self.num_hiddens = num_hiddens

        def triple():
            return (
                nn.Parameter(torch.randn(num_inputs, num_hiddens) * sigma),
                nn.Parameter(torch.randn(num_hiddens, num_hiddens) * sigma),
                nn.Parameter(torch.zeros(num_hiddens)),
            )

        self.W_xi, self.W_hi, self.b_i = triple()
        self.W_xf, self.W_hf, self.b_f = triple()
        self.W_xo, self.W_ho, self.b_o = triple()
        self.W_xc, self.W_hc, self.b_c = triple()

    def forward(self, inputs, H_C=None):  # noqa: N803
        if H_C is None:
            H = inputs.new_zeros(inputs.shape[1], self.num_hiddens)
            C = inputs.new_zeros(inputs.shape[1], self.num_hiddens)
        else:
            H, C = H_C
        outputs = []
        for X in inputs:
            I = torch.sigmoid(X @ self.W_xi + H @ self.W_hi + self.b_i)  # noqa: E741
            F = torch.sigmoid(X @ self.W_xf + H @ self.W_hf + self.b_f)
            O = torch.sigmoid(X @ self.W_xo + H @ self.W_ho + self.b_o)  # noqa: E741
            C = F * C + I * torch.tanh(X @ self.W_xc + H @ self.W_hc + self.b_c)
            H = O * torch.tanh(C)
            outputs.append(H)
        return outputs, (H, C)


@dataclass
class LSTMConfig:
    """What the constructor of a class takes."""

    n_in: int = 32
    n_hidden: int = 64
    dropout: float = 0.0
    bias: bool = True


class OfAConfig(nn.Module):
    """Takes one object with all sizes."""

    def __init__(self, config: LSTMConfig):
        super().__init__()
        self.n = config.n_hidden
        self.x2h = nn.Linear(config.n_in, 4 * config.n_hidden, bias=config.bias)
        self.h2h = nn.Linear(config.n_hidden, 4 * config.n_hidden, bias=config.bias)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x):
        h = c = torch.zeros(x.size(0), self.n, dtype=x.dtype, device=x.device)
        hs = []
        for t in range(x.size(1)):
            i, f, g, o = (self.x2h(x[:, t]) + self.h2h(h)).split(self.n, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            hs.append(h)
        return self.drop(torch.stack(hs, dim=1))


class TextModel(nn.Module):
    """Takes some sizes in one object, and another one beside it; tokens and a head."""

    def __init__(self, args, vocab_size):
        super().__init__()
        self.hidden_dim = args.hidden_dim
        self.embedding = nn.Embedding(vocab_size, args.embedding_dim, padding_idx=0)
        self.lstm_cell_1 = nn.LSTMCell(args.embedding_dim, args.hidden_dim)
        self.lstm_cell_2 = nn.LSTMCell(args.hidden_dim, args.hidden_dim)
        self.lstm_cell_3 = nn.LSTMCell(args.hidden_dim, args.hidden_dim)
        self.linear = nn.Linear(args.hidden_dim, vocab_size)

    def forward(self, x):
        hs = [x.new_zeros(len(x), self.hidden_dim, dtype=torch.float32) for _ in range(3)]
        cs = [torch.empty_like(h) for h in hs]
        for h in (*hs, *cs):
            nn.init.kaiming_normal_(h)
        for out in self.embedding(x).transpose(0, 1):
            hs[0], cs[0] = self.lstm_cell_1(out, (hs[0], cs[0]))
            hs[1], cs[1] = self.lstm_cell_2(hs[0], (hs[1], cs[1]))
            hs[2], cs[2] = self.lstm_cell_3(hs[1], (hs[2], cs[2]))
        return self.linear(hs[2])


@dataclass
class State:
    """The state of a cell."""

    h: torch.Tensor
    c: torch.Tensor


class KeepsADataclass(nn.Module):
    """Takes and returns its state as an object."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.linear = nn.Linear(input_size + hidden_size, 4 * hidden_size)

    def forward(self, x, state: State | None = None):
        if state is None:
            zeros = x.new_zeros(x.shape[1], self.hidden_size)
            state = State(zeros, zeros)
        outputs = []
        for step in x:
            f, i, c, o = self.linear(torch.cat((step, state.h), -1)).chunk(4, -1)
            c = state.c * f.sigmoid() + i.sigmoid() * c.tanh()
            state = State(o.sigmoid() * c.tanh(), c)
            outputs.append(state.h)
        return torch.stack(outputs), state


class CandidateFirst(nn.Module):
    """Output gate first, candidate second, and parameters in a dict."""

    def __init__(self, d_in, d_hid):
        super().__init__()
        std = 1 / math.sqrt(d_hid)
        self.p = nn.ParameterDict(
            {
                "W": nn.Parameter(torch.empty(d_in, 4 * d_hid).uniform_(-std, std)),
                "U": nn.Parameter(torch.empty(d_hid, 4 * d_hid).uniform_(-std, std)),
                "b": nn.Parameter(torch.zeros(4 * d_hid)),
            }
        )
        self.d_hid = d_hid

    def forward(self, seq, h0=None, c0=None):
        h = seq.new_zeros(seq.size(0), self.d_hid) if h0 is None else h0
        c = seq.new_zeros(seq.size(0), self.d_hid) if c0 is None else c0
        out = seq.new_empty(seq.size(0), seq.size(1), self.d_hid)
        for t in range(seq.size(1)):
            z = seq[:, t] @ self.p["W"] + h @ self.p["U"] + self.p["b"]
            o, g, i, f = z.tensor_split(4, dim=1)
            c = torch.addcmul(f.sigmoid() * c, i.sigmoid(), g.tanh())
            h = o.sigmoid() * c.tanh()
            out[:, t] = h
        return out, h, c


class StepOfCharacters(nn.Module):
    """One step of a model of characters: four maps of both, and a decoder on top."""

    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.i2f = nn.Linear(input_size + hidden_size, hidden_size)
        self.i2i = nn.Linear(input_size + hidden_size, hidden_size)
        self.i2c = nn.Linear(input_size + hidden_size, hidden_size)
        self.i2o = nn.Linear(input_size + hidden_size, hidden_size)
        self.decoder = nn.Linear(hidden_size, output_size)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, input, hidden, cell):
        both = torch.cat((input, hidden), 1)
        cell = self.i2f(both).sigmoid() * cell + self.i2i(both).sigmoid() * self.i2c(both).tanh()
        hidden = self.i2o(both).sigmoid() * cell.tanh()
        return self.softmax(self.decoder(hidden)), hidden, cell


class KeywordOnly(nn.Module):
    """Takes everything by name only."""

    def __init__(self, *, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.x = nn.Linear(input_size, 4 * hidden_size)
        self.h = nn.Linear(hidden_size, 4 * hidden_size)

    def forward(self, *, input, hx=None):
        h, c = [input.new_zeros(input.shape[1], self.hidden_size)] * 2 if hx is None else hx
        outputs = []
        for step in input:
            i, f, g, o = (self.x(step) + self.h(h)).chunk(4, -1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
        return torch.stack(outputs), (h, c)


def keyword_only(*, x, h, c, W, U, b):  # noqa: N803
    """Takes everything by name only."""
    outputs = []
    for step in x:
        i, f, g, o = np.split(step @ W + h @ U + b, 4, -1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs), h, c


def batched(X, WLSTM, c0=None, h0=None):  # noqa: N803
    """The gist whose weight has the bias as its first row, before input and hidden state."""
    n, b, input_size = X.shape
    d = WLSTM.shape[1] // 4
    c = np.zeros((b, d)) if c0 is None else c0
    h = np.zeros((b, d)) if h0 is None else h0
    Hin = np.zeros((n, b, WLSTM.shape[0]))
    Hout = np.zeros((n, b, d))
    for t in range(n):
        Hin[t, :, 0] = 1
        Hin[t, :, 1 : input_size + 1] = X[t]
        Hin[t, :, input_size + 1 :] = h
        a = Hin[t].dot(WLSTM)
        i, f, o = (sigmoid(a[:, k * d : (k + 1) * d]) for k in range(3))
        c = f * c + i * np.tanh(a[:, 3 * d :])
        h = Hout[t] = o * np.tanh(c)
    return Hout, c, h, {"Hin": Hin}


class OnesLast:
    """NumPy, with a column of ones after hidden state and input."""

    def __init__(self, input_size, hidden_size):
        self.hidden_size = hidden_size
        self.W = np.random.randn(4 * hidden_size, hidden_size + input_size + 1)

    def forward(self, xs):
        h = c = np.zeros((len(xs), self.hidden_size))
        outputs = []
        for t in range(xs.shape[1]):
            a = np.hstack([h, xs[:, t], np.ones((len(xs), 1))]) @ self.W.T
            f, i, o, g = np.split(a, 4, 1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            outputs.append(h)
        return np.stack(outputs, 1)


class UnitsFirst(nn.Module):
    """The gates of each unit side by side: the gates are the last axis."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.wx = nn.Linear(input_size, 4 * hidden_size)
        self.wh = nn.Linear(hidden_size, 4 * hidden_size, bias=False)

    def forward(self, x):
        h = c = x.new_zeros(x.size(0), self.hidden_size)
        outputs = []
        for t in range(x.size(1)):
            z = (self.wx(x[:, t]) + self.wh(h)).view(-1, self.hidden_size, 4)
            i, f, g, o = z.unbind(-1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
        return torch.stack(outputs, 1)
