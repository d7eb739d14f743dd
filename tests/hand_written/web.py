"""Right LSTMs in the manner of blogs, courses and examples: how they start, tie and name."""

import numpy as np
import torch
from torch import nn


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


class MinimalCharLSTM:
    """NumPy with columns; the states to start from, and room for gradients, are attributes."""

    def __init__(self, vocab_size, hidden_size):
        self.hidden_size = hidden_size
        z = hidden_size + vocab_size
        self.W_f, self.W_i, self.W_c, self.W_o = (
            np.random.randn(hidden_size, z) * 0.1 for _ in range(4)
        )
        self.b_f, self.b_i, self.b_c, self.b_o = (np.zeros((hidden_size, 1)) for _ in range(4))
        self.W_v = np.random.randn(vocab_size, hidden_size) * 0.1
        self.b_v = np.zeros((vocab_size, 1))
        self.h0, self.c0 = np.zeros((hidden_size, 1)), np.zeros((hidden_size, 1))
        self.dW_f, self.m_W_f = np.zeros_like(self.W_f), np.zeros_like(self.W_f)

    def forward(self, inputs):
        h, c = self.h0, self.c0
        hs, ys = [], []
        for x in inputs:
            z = np.vstack((h, x))
            f, i, o = (
                sigmoid(W @ z + b)
                for W, b in ((self.W_f, self.b_f), (self.W_i, self.b_i), (self.W_o, self.b_o))
            )
            c = f * c + i * np.tanh(self.W_c @ z + self.b_c)
            h = o * np.tanh(c)
            hs.append(h)
            v = self.W_v @ h + self.b_v
            ys.append(np.exp(v) / np.sum(np.exp(v)))
        return np.array(hs), np.array(ys)


class TiedLanguageModel(nn.Module):
    """Tokens; the decoder has the weight of the embedding."""

    def __init__(self, ntoken, ninp, dropout=0.5):
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(ntoken, ninp)
        self.rnn = nn.LSTM(ninp, ninp, 2, dropout=dropout)
        self.decoder = nn.Linear(ninp, ntoken)
        self.decoder.weight = self.encoder.weight

    def forward(self, input, hidden):
        emb = self.drop(self.encoder(input))
        output, hidden = self.rnn(emb, hidden)
        output = self.drop(output)
        decoded = self.decoder(output).view(-1, self.decoder.out_features)
        return torch.log_softmax(decoded, dim=1), hidden


class TeacherForced(nn.Module):
    """Gets what was right before each step, or its own predictions where that is asked for."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.lstm_cell = nn.LSTMCell(input_size, hidden_size)
        self.proj = nn.Linear(hidden_size, input_size)

    def forward(self, trg, teacher_forcing_ratio=1.0):
        h = torch.zeros(trg.size(0), self.hidden_size, dtype=trg.dtype, device=trg.device)
        c = torch.zeros_like(h)
        outputs, hiddens = [], []
        step = trg[:, 0]
        for t in range(trg.size(1)):
            h, c = self.lstm_cell(step, (h, c))
            outputs.append(self.proj(h))
            hiddens.append(h)
            if t + 1 < trg.size(1):
                forced = teacher_forcing_ratio >= 1 or torch.rand(1) < teacher_forcing_ratio
                step = trg[:, t + 1] if forced else outputs[-1]
        return torch.stack(outputs, 1), torch.stack(hiddens, 1), (h, c)


def onnx_order(X, weights, initial_h, initial_c):  # noqa: N803
    """NumPy; a dict with a weight for each gate, by the letters of ONNX."""
    h, c = initial_h, initial_c
    Y = []
    for x in X:
        i = sigmoid(x @ weights["Wi"].T + h @ weights["Ri"].T + weights["Wbi"])
        o = sigmoid(x @ weights["Wo"].T + h @ weights["Ro"].T + weights["Wbo"])
        f = sigmoid(x @ weights["Wf"].T + h @ weights["Rf"].T + weights["Wbf"])
        c = f * c + i * np.tanh(x @ weights["Wc"].T + h @ weights["Rc"].T + weights["Wbc"])
        h = o * np.tanh(c)
        Y.append(h)
    return np.stack(Y), h, c


class DictsOfSteps:
    """NumPy with columns; what each step computes is kept in dicts by its number."""

    def __init__(self, input_size, hidden_size):
        self.hidden_size = hidden_size
        self.p = {}
        for gate in "fico":
            self.p[f"W{gate}"] = np.random.randn(hidden_size, hidden_size + input_size) * 0.01
            self.p[f"b{gate}"] = np.zeros((hidden_size, 1))

    def gates(self, h, x):
        z = np.vstack([h, x.reshape(-1, 1)])
        f, i, c, o = (self.p[f"W{gate}"] @ z + self.p[f"b{gate}"] for gate in "fico")
        return sigmoid(f), sigmoid(i), np.tanh(c), sigmoid(o)

    def answered(self, f, i, g, o, h, c):
        return h, c, {"f": f, "i": i, "g": g, "o": o, "h": h, "c": c}

    def output(self, before, after):
        return np.tanh(after)

    def forward(self, xs):
        f, i, g, o, h, c = ({} for _ in range(6))
        h[-1] = c[-1] = np.zeros((self.hidden_size, 1))
        for t, x in enumerate(xs):
            f[t], i[t], g[t], o[t] = self.gates(h[t - 1], x)
            c[t] = f[t] * c[t - 1] + i[t] * g[t]
            h[t] = o[t] * self.output(c[t - 1], c[t])
        return self.answered(f, i, g, o, h, c)


class ListsOfCaches(DictsOfSteps):
    """Returns the states of all steps, and a cache of each."""

    def answered(self, f, i, g, o, h, c):
        steps = range(len(f))
        return [h[t] for t in steps], [{"f": f[t], "i": i[t], "h": h[t], "c": c[t]} for t in steps]
