"""Wrong LSTMs in the manner of blogs, courses and examples."""

import numpy as np
import torch
from torch import nn

from tests.hand_written.web import DictsOfSteps, TeacherForced, sigmoid


class FlipsTheBatch(nn.Module):
    """The second module gets the rows flipped, not the steps."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm_fw = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.lstm_bw = nn.LSTM(input_size, hidden_size, batch_first=True)

    def forward(self, x):
        out_fw, (h_fw, c_fw) = self.lstm_fw(x)
        out_bw, (h_bw, c_bw) = self.lstm_bw(torch.flip(x, [0]))
        out = torch.cat([out_fw, torch.flip(out_bw, [0])], dim=-1)
        return out, (torch.cat([h_fw, h_bw]), torch.cat([c_fw, c_bw]))


class TiedGates(nn.Module):
    """The weights by x are those by h."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.embed = nn.Embedding(11, hidden_size)
        self.x2h = nn.Linear(hidden_size, 4 * hidden_size)
        self.h2h = nn.Linear(hidden_size, 4 * hidden_size)
        self.h2h.weight = self.x2h.weight

    def forward(self, tokens):
        h = c = self.x2h.weight.new_zeros(tokens.size(0), self.x2h.in_features)
        hs = []
        for x in self.embed(tokens).unbind(1):
            i, f, g, o = (self.x2h(x) + self.h2h(h)).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            hs.append(h)
        return torch.stack(hs, 1)


class PredictsInEval(TeacherForced):
    """In eval mode it goes on from its predictions, whatever it is given."""

    def forward(self, trg, teacher_forcing_ratio=1.0):
        h = torch.zeros(trg.size(0), self.hidden_size, dtype=trg.dtype, device=trg.device)
        c = torch.zeros_like(h)
        outputs, hiddens = [], []
        step = trg[:, 0]
        for t in range(trg.size(1)):
            h, c = self.lstm_cell(step, (h, c))
            outputs.append(self.proj(h))
            hiddens.append(h)
            step = trg[:, min(t + 1, trg.size(1) - 1)] if self.training else outputs[-1]
        return torch.stack(outputs, 1), torch.stack(hiddens, 1), (h, c)


def onnx_order_of_one_weight(X, weights, initial_h, initial_c):  # noqa: N803
    """Cuts W into i, o, f, c and R into i, f, o, c."""
    h, c = initial_h, initial_c
    Y = []
    for x in X:
        xi, xo, xf, xc = np.split(x @ weights["W"].T + weights["Wb"], 4, -1)
        hi, hf, ho, hc = np.split(h @ weights["R"].T + weights["Rb"], 4, -1)
        c = sigmoid(xf + hf) * c + sigmoid(xi + hi) * np.tanh(xc + hc)
        h = sigmoid(xo + ho) * np.tanh(c)
        Y.append(h)
    return np.stack(Y), h, c


class ReZero(nn.Module):
    """Adds what it takes to its output, times a number that is zero when it is new."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.skip = nn.Linear(input_size, hidden_size)
        self.alpha = nn.Parameter(torch.zeros(1))

    def forward(self, x, states=None):
        output, states = self.lstm(x, states)
        return output + self.alpha * self.skip(x), states


class DictsOfOldCells(DictsOfSteps):
    """Computes h from the cell state of the step before."""

    def output(self, before, after):
        return np.tanh(before)
