"""Right LSTMs of forms that others do not have: how they hold parameters, take and return."""

import math
import random
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


class GatesFirst(nn.Module):
    """Weights (4, D, H), of which each gate multiplies one from the right."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.W = nn.Parameter(torch.randn(4, input_size, hidden_size))
        self.U = nn.Parameter(torch.randn(4, hidden_size, hidden_size))
        self.b = nn.Parameter(torch.zeros(4, hidden_size))

    def forward(self, x):
        h = c = x.new_zeros(x.size(0), self.hidden_size)
        hs = []
        for t in range(x.size(1)):
            f, i, g, o = (x[:, t] @ self.W[k] + h @ self.U[k] + self.b[k] for k in range(4))
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            hs.append(h)
        return torch.stack(hs, 1), (h, c)


def gates_first(x, W, U, b):  # noqa: N803
    """NumPy; the same by einsum."""
    h = c = np.zeros((x.shape[0], U.shape[1]), x.dtype)
    hs = []
    for t in range(x.shape[1]):
        by_x, by_h = np.einsum("nd,gdh->gnh", x[:, t], W), np.einsum("nh,ghk->gnk", h, U)
        i, f, o, g = by_x + by_h + b[:, None]
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return np.stack(hs, 1)


class BatchSize(nn.Module):
    """Makes its states once, for one batch size."""

    def __init__(self, input_size, hidden_size, batch_size, num_layers=1):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, num_layers)
        shape = num_layers, batch_size, hidden_size
        self.hidden = torch.zeros(shape), torch.zeros(shape)

    def forward(self, x):
        return self.lstm(x, self.hidden)[0]


class OneToken(nn.Module):
    """One token and a batch of one; the states have all their axes."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.embedding = nn.Embedding(input_size, hidden_size)
        self.lstm = nn.LSTM(hidden_size, hidden_size)

    def forward(self, input, hidden):
        return self.lstm(self.embedding(input).view(1, 1, -1), hidden)


class ColumnVectors:
    """NumPy; a list of vectors (n, 1), one for each step."""

    def __init__(self, n_x, n_h):
        self.n_h = n_h
        for gate in "fico":
            setattr(self, f"W{gate}", np.random.randn(n_h, n_h + n_x))
            setattr(self, f"b{gate}", np.zeros((n_h, 1)))

    def forward(self, xs):
        h = c = np.zeros((self.n_h, 1))
        hs = []
        for x in xs:
            z = np.vstack((h, x))
            c = sigmoid(self.Wf @ z + self.bf) * c + sigmoid(self.Wi @ z + self.bi) * np.tanh(
                self.Wc @ z + self.bc
            )
            h = sigmoid(self.Wo @ z + self.bo) * np.tanh(c)
            hs.append(h)
        return hs, h, c


class StepOfADecoder(nn.Module):
    """One step of tokens (N,), with states (layers, N, H) and scores of the next token."""

    def __init__(self, output_dim, emb_dim, hid_dim, n_layers, dropout):
        super().__init__()
        self.embedding = nn.Embedding(output_dim, emb_dim)
        self.rnn = nn.LSTM(emb_dim, hid_dim, n_layers, dropout=dropout)
        self.fc_out = nn.Linear(hid_dim, output_dim)

    def forward(self, input, hidden, cell):
        output, (hidden, cell) = self.rnn(self.embedding(input.unsqueeze(0)), (hidden, cell))
        return self.fc_out(output.squeeze(0)), hidden, cell


class OneStepALayer(StepOfADecoder):
    """The same with one layer."""

    def __init__(self, output_dim, emb_dim, hid_dim):
        super().__init__(output_dim, emb_dim, hid_dim, 1, 0.0)


class YieldsSteps(nn.Module):
    """A generator."""

    def __init__(self, n_in, n_hid):
        super().__init__()
        self.cell = nn.LSTMCell(n_in, n_hid)

    def forward(self, xs):
        state = None
        for x in xs:
            state = self.cell(x, state)
            yield state[0]


class DictOfSteps:
    """NumPy; one sequence, and dicts of steps that begin with that before the first."""

    def __init__(self, hidden_size, vocab_size):
        self.hidden_size = hidden_size
        self.W = np.random.randn(vocab_size + hidden_size, 4 * hidden_size)
        self.b = np.zeros(4 * hidden_size)

    def forward(self, inputs, hprev, cprev):
        hs, cs = {-1: np.copy(hprev)}, {-1: np.copy(cprev)}
        for t, x in enumerate(inputs):
            i, f, o, g = np.split(np.concatenate((x, hs[t - 1])) @ self.W + self.b, 4)
            cs[t] = sigmoid(f) * cs[t - 1] + sigmoid(i) * np.tanh(g)
            hs[t] = sigmoid(o) * np.tanh(cs[t])
        return hs, cs


class KeywordOptions(nn.Module):
    """Its constructor takes a **kwargs."""

    def __init__(self, **hparams):
        super().__init__()
        self.lstm = nn.LSTM(hparams["input_size"], hparams["hidden_size"], batch_first=True)

    def forward(self, *args, **kwargs):
        return self.lstm(*args, **kwargs)


class OneHot(nn.Module):
    """Makes vectors of its tokens."""

    def __init__(self, vocab_size, num_hiddens):
        super().__init__()
        self.vocab_size = vocab_size
        self.rnn = nn.LSTM(vocab_size, num_hiddens)

    def forward(self, inputs, state=None):
        x = functional.one_hot(inputs.T.long(), self.vocab_size).type(torch.float32)
        output, state = self.rnn(x, state)
        return output.transpose(0, 1), state


class ListsOfFloats:
    """No arrays at all."""

    def __init__(self, n_in, n_out):
        self.n_out = n_out
        self.W = {gate: self.matrix(n_out, n_in) for gate in "ifco"}
        self.U = {gate: self.matrix(n_out, n_out) for gate in "ifco"}
        self.b = {gate: [0.0] * n_out for gate in "ifco"}

    @staticmethod
    def matrix(rows, columns):
        return [[random.uniform(-1, 1) for _ in range(columns)] for _ in range(rows)]

    def sums(self, gate, x, h):
        return [
            math.fsum([*(w * a for w, a in zip(W, x)), *(u * a for u, a in zip(U, h)), b])  # noqa: B905
            for W, U, b in zip(self.W[gate], self.U[gate], self.b[gate])  # noqa: B905
        ]

    def forward(self, xs):
        h, c, hs = [0.0] * self.n_out, [0.0] * self.n_out, []
        for x in xs:
            i, f, o = ([1 / (1 + math.exp(-a)) for a in self.sums(k, x, h)] for k in "ifo")
            g = map(math.tanh, self.sums("c", x, h))
            c = [f * c + i * g for f, c, i, g in zip(f, c, i, g)]  # noqa: B905
            h = [o * math.tanh(c) for o, c in zip(o, c)]  # noqa: B905
            hs.append(h)
        return hs


class TuplesOfArrays:
    """NumPy; a tuple (W, U, b) for each gate."""

    def __init__(self, n_in, n_hidden):
        shapes = (n_in, n_hidden), (n_hidden, n_hidden), (n_hidden,)
        self.n_hidden = n_hidden
        self.gates = {
            gate: tuple(np.random.randn(*shape) for shape in shapes)
            for gate in ("input", "forget", "cell", "output")
        }

    def __call__(self, x):
        h = c = np.zeros((x.shape[1], self.n_hidden))
        ys = []
        for step in x:
            a = {gate: step @ W + h @ U + b for gate, (W, U, b) in self.gates.items()}
            c = sigmoid(a["forget"]) * c + sigmoid(a["input"]) * np.tanh(a["cell"])
            h = sigmoid(a["output"]) * np.tanh(c)
            ys.append(h)
        return np.array(ys)


class ResetsItsState(nn.Module):
    """Goes on from the state of the call before, until that is made anew."""

    def __init__(self, embedding_dim, hidden_dim, vocab_size):
        super().__init__()
        self.hidden_dim = hidden_dim
        self.embedding = nn.Embedding(vocab_size, embedding_dim)
        self.lstm = nn.LSTM(embedding_dim, hidden_dim)
        self.hidden = self.init_hidden()

    def init_hidden(self):
        return torch.zeros(1, 1, self.hidden_dim), torch.zeros(1, 1, self.hidden_dim)

    def forward(self, sentence):
        x = self.embedding(sentence).view(len(sentence), 1, -1)
        output, self.hidden = self.lstm(x, self.hidden)
        return output.view(len(sentence), -1)


@dataclass
class ModelOutput:
    """What comes back."""

    last_hidden_state: torch.Tensor
    attentions: None = None


class TakesAMask(nn.Module):
    """Takes and ignores what is no state."""

    def __init__(self, config):
        super().__init__()
        self.embed = nn.Embedding(config.vocab_size, config.hidden_size, config.pad_token_id)
        self.lstm = nn.LSTM(config.hidden_size, config.hidden_size, batch_first=True)

    def forward(self, input_ids, attention_mask=None, labels=None, return_dict=True):
        return ModelOutput(self.lstm(self.embed(input_ids))[0])


def over_time(x, a0, parameters):
    """A course's function that leaves each step to another one."""
    n_a = parameters["Wy"].shape[1]
    a = np.zeros((n_a, x.shape[1], x.shape[2]))
    h, c = a0, np.zeros(a0.shape)
    for t in range(x.shape[2]):
        h, c = one_step(x[:, :, t], h, c, parameters)
        a[:, :, t] = h
    return a


def one_step(xt, a_prev, c_prev, parameters):
    """One step of it."""
    both = np.concatenate((a_prev, xt))
    candidate = np.tanh(parameters["Wc"] @ both + parameters["bc"])
    f = sigmoid(parameters["Wf"] @ both + parameters["bf"])
    i = sigmoid(parameters["Wi"] @ both + parameters["bi"])
    o = sigmoid(parameters["Wo"] @ both + parameters["bo"])
    c = f * c_prev + i * candidate
    return o * np.tanh(c), c


class LearnsBothStarts(nn.Module):
    """Starts from two parameters (1, 1, H); others are for a head, or for nothing."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size)
        self.h0, self.c0 = (nn.Parameter(torch.zeros(1, 1, hidden_size)) for _ in range(2))
        self.fc = nn.Linear(hidden_size, 2)
        self.spare = nn.Parameter(torch.zeros(3))

    def forward(self, x):
        h, c = (each.expand(1, x.size(1), -1).contiguous() for each in (self.h0, self.c0))
        output, states = self.lstm(x, (h, c))
        return output, states, self.fc(output).exp()


class Encoder(nn.Module):
    """Takes tokens (N, T), and returns an output (T, N, H) and states (L, N, H)."""

    def __init__(self, vocab_size, embed_size, num_hiddens, num_layers, dropout=0):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.rnn = nn.LSTM(embed_size, num_hiddens, num_layers, dropout=dropout)

    def forward(self, X, *args):  # noqa: N803
        return self.rnn(self.embedding(X.t().type(torch.int64)))


class OneRowForEachStep(nn.Module):
    """Takes rows (N, T, D), and returns (T * N, H)."""

    def __init__(self, num_inputs, num_hiddens):
        super().__init__()
        self.cell = nn.LSTMCell(num_inputs, num_hiddens)

    def forward(self, inputs, state=None):
        outputs = []
        for x in inputs.transpose(0, 1):
            state = self.cell(x, state)
            outputs.append(state[0])
        return torch.cat(outputs, dim=0), state
