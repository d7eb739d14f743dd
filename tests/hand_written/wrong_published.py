"""Wrong LSTMs in the manner of gists, courses and notebooks."""

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from tests.hand_written.published import StepsLast, WithLengths, sigmoid


class Plain(nn.Module):
    """What most of these share; batch first."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.lin = nn.Linear(input_size + hidden_size, 4 * hidden_size)

    def cell(self, x, h, c):
        i, f, g, o = self.lin(torch.cat([x, h], 1)).chunk(4, 1)
        c = self.next_c(i.sigmoid(), f.sigmoid(), g.tanh(), c)
        return o.sigmoid() * c.tanh(), c

    def next_c(self, i, f, g, c):
        return f * c + i * g

    def forward(self, x):
        h = c = x.new_zeros(x.size(0), self.hidden_size)
        outs = []
        for t in range(x.size(1)):
            h, c = self.cell(x[:, t], h, c)
            outs.append(h)
        return torch.stack(outs, 1), (h, c)


class LastOfPadded(WithLengths):
    """Takes the last step of rows that ended before."""

    def forward(self, text, text_lengths):
        output, _ = self.rnn(self.packed(text, text_lengths))
        return self.fc(pad_packed_sequence(output, batch_first=True)[0][:, -1])


class NeverUnsorts(nn.Module):
    """Sorts rows by their lengths, and returns them so."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True)

    def forward(self, x, lengths):
        lengths, order = lengths.sort(descending=True, stable=True)
        output, states = self.lstm(pack_padded_sequence(x[order], lengths, batch_first=True))
        return pad_packed_sequence(output, batch_first=True)[0], states


class ZeroesStates(Plain):
    """Multiplies states by a mask, so that they are zero after the end of a row."""

    def forward(self, x, lengths):
        h = c = x.new_zeros(x.size(0), self.hidden_size)
        outs = []
        for t in range(x.size(1)):
            h, c = self.cell(x[:, t], h, c)
            mask = (t < lengths)[:, None]
            h, c = h * mask, c * mask
            outs.append(h)
        return torch.stack(outs, 1), (h, c)


class ViewsStates(nn.Module):
    """Views h_n (2, N, H) as (N, 2 H)."""

    def __init__(self, input_size, hidden_size, num_classes):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * hidden_size, num_classes)

    def forward(self, x):
        _, (h, _) = self.lstm(x)
        return self.fc(h.view(x.size(0), -1))


class LayersAsRows(nn.Module):
    """Views h_n (2, N, H) of two layers as (2 N, H)."""

    def __init__(self, num_classes, input_size, hidden_size, num_layers=2):
        super().__init__()
        self.hidden_size = hidden_size
        self.lstm = nn.LSTM(input_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, num_classes)

    def forward(self, x):
        _, (hn, _) = self.lstm(x)
        return self.fc(hn.view(-1, self.hidden_size))


class ExchangesGivenStates(nn.Module):
    """Hands c0 on as the hidden state."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True)

    def forward(self, x, h0, c0):
        return self.lstm(x, (c0, h0))


class ExchangesKeys(Plain):
    """Returns c by the name of h."""

    def forward(self, x):
        output, (h, c) = super().forward(x)
        return {"output": output, "h": c, "c": h}


class InvertsTheForgetGate(Plain):
    """c = (1 - f) * c + i * g."""

    def next_c(self, i, f, g, c):
        return (1 - f) * c + i * g


class OneCellAbove(nn.Module):
    """All layers above the lowest are one cell."""

    def __init__(self, input_size, hidden_size, num_layers=3):
        super().__init__()
        self.hidden_size = hidden_size
        above = [nn.LSTMCell(hidden_size, hidden_size)] * (num_layers - 1)
        self.cells = nn.ModuleList([nn.LSTMCell(input_size, hidden_size), *above])

    def forward(self, x):
        h = [x.new_zeros(x.size(0), self.hidden_size) for _ in self.cells]
        c = list(h)
        outputs = []
        for y in x.unbind(1):
            for n, cell in enumerate(self.cells):
                h[n], c[n] = cell(y, (h[n], c[n]))
                y = h[n]
            outputs.append(y)
        return torch.stack(outputs, 1)


class HandsStatesUp(nn.Module):
    """The second LSTM starts from the last state of the first."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm1 = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.lstm2 = nn.LSTM(hidden_size, hidden_size, batch_first=True)

    def forward(self, x):
        output, state = self.lstm1(x)
        return self.lstm2(output, state)


class OneArrayForAllSteps(StepsLast):
    """NumPy; h is changed in place, so that each output is the last."""

    def forward(self, X):  # noqa: N803
        a, c = (np.zeros((X.shape[1], self.n_out), X.dtype) for _ in range(2))
        P, outputs = self.parameters, []
        for x in X:
            both = np.hstack([a, x])
            f, u, o = (sigmoid(both @ P["W" + g] + P["b" + g]) for g in "fuo")
            c = f * c + u * np.tanh(both @ P["Wc"] + P["bc"])
            a[:] = o * np.tanh(c)
            outputs.append(a)
        return np.stack(outputs), a, c


class LateByOne(Plain):
    """Appends before it steps."""

    def forward(self, x):
        h = c = x.new_zeros(x.size(0), self.hidden_size)
        outs = []
        for t in range(x.size(1)):
            outs.append(h)
            h, c = self.cell(x[:, t], h, c)
        return torch.stack(outs, 1), (h, c)


class SkipsTheLastStep(Plain):
    """Ends one step early."""

    def forward(self, x):
        h = c = x.new_zeros(x.size(0), self.hidden_size)
        for t in range(x.size(1) - 1):
            h, c = self.cell(x[:, t], h, c)
        return h, c


class FallingSigmoid:
    """NumPy; 1 / (1 + exp(a))."""

    def __init__(self, input_size, hidden_size):
        self.hidden_size = hidden_size
        self.W = np.random.randn(input_size, 4 * hidden_size)
        self.U = np.random.randn(hidden_size, 4 * hidden_size)
        self.b = np.zeros(4 * hidden_size)

    def sigmoid(self, a):
        return 1 / (1 + np.exp(a))

    def tanh(self, a):
        return np.tanh(a)

    def forward(self, x):
        h = c = np.zeros((x.shape[0], self.hidden_size), x.dtype)
        hs = []
        for t in range(x.shape[1]):
            i, f, o, g = np.split(x[:, t] @ self.W + h @ self.U + self.b, 4, -1)
            c = self.sigmoid(f) * c + self.sigmoid(i) * self.tanh(g)
            h = self.sigmoid(o) * self.tanh(c)
            hs.append(h)
        return np.stack(hs, 1), h, c


class TanhOfHalf(FallingSigmoid):
    """NumPy; 2 * sigmoid(a) - 1 for tanh."""

    def sigmoid(self, a):
        return 1 / (1 + np.exp(-a))

    def tanh(self, a):
        return 2 * self.sigmoid(a) - 1


def biases_exchanged(x, h, c, params):
    """One step, in which the input gate has the bias of the forget gate."""
    i = sigmoid(x @ params["Wxi"] + h @ params["Whi"] + params["bf"])
    f = sigmoid(x @ params["Wxf"] + h @ params["Whf"] + params["bi"])
    o = sigmoid(x @ params["Wxo"] + h @ params["Who"] + params["bo"])
    g = np.tanh(x @ params["Wxc"] + h @ params["Whc"] + params["bc"])
    c = f * c + i * g
    return o * np.tanh(c), c
