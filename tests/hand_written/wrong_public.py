"""Networks with faults that public trackers and forums are full of."""

import torch
from torch import nn

from tests.hand_written.faulty import Kernels
from tests.hand_written.public import (
    GatesOfLinears,
    RandomStatesAndTenOutputs,
    SentimentOfBothDirections,
)


class OutputOfOldCell(Kernels):
    """h is computed from the cell state before the step."""

    def combine(self, i, f, g, o, c):
        return o * c.tanh(), f * c + i * g


class DropsInEval(Kernels):
    """Dropout of a function does not know of eval mode."""

    def forward(self, x, states=None):
        return super().forward(nn.functional.dropout(x, 0.5), states)


class KeepsItsState(nn.Module):
    """The state of the last call is the initial state of the next."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size)
        self.hidden = None

    def forward(self, x):
        output, self.hidden = self.lstm(x, self.hidden)
        return output


class ReverseStateFirst(SentimentOfBothDirections):
    """The state of the reverse direction comes first."""

    taken = 3, 2


class ForwardStateTwice(SentimentOfBothDirections):
    """The state of the forward direction stands for both."""

    taken = 2, 2


class StatesOfTheLowerLayer(SentimentOfBothDirections):
    """The head takes the states of the lower layer."""

    taken = 0, 1


class LastStepAbove(SentimentOfBothDirections):
    """The head takes the last step of the output, of the upper one of two layers."""

    taken = (4,)


class ForgetsBatchFirst(nn.Module):
    """Takes rows first, but its LSTM takes steps first."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size)

    def forward(self, x):
        output, _ = self.lstm(x)
        return output[:, -1]


class LastOfBothDirections(nn.Module):
    """Classifies by the last step of both directions."""

    def __init__(self, input_size, hidden_size, num_classes):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * hidden_size, num_classes)

    def forward(self, x):
        output, _ = self.lstm(x)
        return self.fc(output[:, -1])


class ViewsTheBatch(nn.Module):
    """Embedded tokens (N, T) are viewed as (T, N), as a tutorial of text generation does."""

    def __init__(self, input_size, hidden_size, vocab_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.embedding = nn.Embedding(vocab_size, input_size, padding_idx=0)
        self.cell_1 = nn.LSTMCell(input_size, hidden_size)
        self.cell_2 = nn.LSTMCell(hidden_size, hidden_size)
        self.fully_connected = nn.Linear(hidden_size, vocab_size)

    def forward(self, x):
        states = [torch.zeros(x.size(0), self.hidden_size) for _ in range(4)]
        h1, c1, h2, c2 = map(nn.init.xavier_normal_, states)
        embedded = self.embedding(x)
        for step in embedded.view(x.size(1), x.size(0), -1):
            h1, c1 = self.cell_1(step, (h1, c1))
            h2, c2 = self.cell_2(h1, (h2, c2))
        return self.fully_connected(h2)


class TanhOnOneGate(GatesOfLinears):
    """The output gate has the activation of the candidate."""

    def step(self, cell, x, h, c):
        i = torch.sigmoid(cell.W_i(x) + cell.U_i(h))
        f = torch.sigmoid(cell.W_f(x) + cell.U_f(h))
        g = torch.tanh(cell.W_c(x) + cell.U_c(h))
        o = torch.tanh(cell.W_o(x) + cell.U_o(h))
        c = f * c + i * g
        return o * torch.tanh(c), c


class OneLinearForTwoGates(GatesOfLinears):
    """The forget gate takes the hidden state by the weights of the input gate."""

    def step(self, cell, x, h, c):
        i = torch.sigmoid(cell.W_i(x) + cell.U_i(h))
        f = torch.sigmoid(cell.W_f(x) + cell.U_i(h))
        g = torch.tanh(cell.W_c(x) + cell.U_c(h))
        o = torch.sigmoid(cell.W_o(x) + cell.U_o(h))
        c = f * c + i * g
        return o * torch.tanh(c), c


class GoesOnWithTheStateBelow(RandomStatesAndTenOutputs):
    """The upper cell goes on with the cell state of the lower one."""

    def upper(self, x, h, c, c_below):
        return self.lstm2(x, (h, c_below))
