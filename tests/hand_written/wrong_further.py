"""Wrong LSTMs: faults of one layer or direction, of gradients, of states and of axes."""

import torch
from torch import nn

from tests.hand_written.further import OneStepALayer
from tests.hand_written.published import WithLengths


class Layer(nn.Module):
    """What most of these share: two Linears for all gates; batch first."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.x2h = nn.Linear(input_size, 4 * hidden_size)
        self.h2h = nn.Linear(hidden_size, 4 * hidden_size)

    def sums(self, x, h):
        return (self.x2h(x) + self.h2h(h)).chunk(4, 1)

    def step(self, x, h, c):
        i, f, g, o = self.sums(x, h)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c

    def forward(self, x):
        h = c = x.new_zeros(x.size(0), self.hidden_size)
        hs = []
        for step in x.unbind(1):
            h, c = self.step(step, h, c)
            hs.append(h)
        return torch.stack(hs, 1)


class UpperGatesSwapped(nn.Module):
    """The upper layer cuts its sums into f, i, g, o, the lower one into i, f, g, o."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.W1, self.W2 = (nn.Linear(n, 4 * hidden_size) for n in (input_size, hidden_size))
        self.U1, self.U2 = (nn.Linear(hidden_size, 4 * hidden_size, False) for _ in range(2))

    def forward(self, x):
        h1 = c1 = h2 = c2 = x.new_zeros(x.size(0), self.hidden_size)
        hs = []
        for step in x.unbind(1):
            i, f, g, o = (self.W1(step) + self.U1(h1)).chunk(4, 1)
            c1 = f.sigmoid() * c1 + i.sigmoid() * g.tanh()
            h1 = o.sigmoid() * c1.tanh()
            f, i, g, o = (self.W2(h1) + self.U2(h2)).chunk(4, 1)
            c2 = f.sigmoid() * c2 + i.sigmoid() * g.tanh()
            h2 = o.sigmoid() * c2.tanh()
            hs.append(h2)
        return torch.stack(hs, 1)


class UpperLacksTanh(nn.Module):
    """The upper layer has h = o * c."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lower = Layer(input_size, hidden_size)
        self.upper = Layer(hidden_size, hidden_size)

    def forward(self, x):
        x = self.lower(x)
        h = c = x.new_zeros(x.size(0), x.size(2))
        hs = []
        for step in x.unbind(1):
            i, f, g, o = self.upper.sums(step, h)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c
            hs.append(h)
        return torch.stack(hs, 1)


class GoesOnBackwards(nn.Module):
    """The reverse loop goes on from the states of the forward loop."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.fwd = nn.LSTMCell(input_size, hidden_size)
        self.bwd = nn.LSTMCell(input_size, hidden_size)

    def forward(self, x):
        h = c = x.new_zeros(x.size(0), self.hidden_size)
        there, back = [], []
        for step in x.unbind(1):
            h, c = self.fwd(step, (h, c))
            there.append(h)
        for step in reversed(x.unbind(1)):
            h, c = self.bwd(step, (h, c))
            back.insert(0, h)
        return torch.cat([torch.stack(there, 1), torch.stack(back, 1)], -1)


class MeanOfDirections(nn.Module):
    """Returns the mean of the two directions."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True, bidirectional=True)

    def forward(self, x):
        there, back = self.lstm(x)[0].chunk(2, -1)
        return (there + back) / 2


class DetachesCell(Layer):
    """Passes no gradient through c."""

    def step(self, x, h, c):
        return super().step(x, h, c.detach())


class ClampsCell(Layer):
    """Keeps c in [-3, 3]."""

    def step(self, x, h, c):
        i, f, g, o = self.sums(x, h)
        c = (f.sigmoid() * c + i.sigmoid() * g.tanh()).clamp(-3, 3)
        return o.sigmoid() * c.tanh(), c


class ViewsItsGates(Layer):
    """Views (N, 4 H) as (4, N, H)."""

    def sums(self, x, h):
        return (self.x2h(x) + self.h2h(h)).view(4, -1, self.hidden_size)


class SqueezesItsGates(Layer):
    """Drops the axis of rows where there is one row."""

    def sums(self, x, h):
        return (self.x2h(x) + self.h2h(h)).squeeze().chunk(4, 1)


class NewWeightsInEachCall(Layer):
    """Makes a Linear that it should have made once."""

    def forward(self, x):
        self.h2h = nn.Linear(self.hidden_size, 4 * self.hidden_size).to(x.dtype)
        return super().forward(x)


class OneBiasForAllGates(nn.Module):
    """Adds one bias (H,) to every gate."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.W, self.U = (
            nn.ModuleDict({gate: nn.Linear(n, hidden_size, False) for gate in "ifgo"})
            for n in (input_size, hidden_size)
        )
        self.b = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x):
        h = c = x.new_zeros(x.size(1), self.hidden_size)
        hs = []
        for step in x:
            i, f, g, o = (self.W[gate](step) + self.U[gate](h) + self.b for gate in "ifgo")
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            hs.append(h)
        return torch.stack(hs)


class ForgetsItsCell(Layer):
    """Takes a step in each call; keeps h, and starts from c = 0."""

    h = None

    def reset_state(self):
        self.h = None

    def forward(self, x):
        h = x.new_zeros(x.size(0), self.hidden_size) if self.h is None else self.h
        self.h, _ = self.step(x, h, torch.zeros_like(h))
        return self.h


class ReturnsTheGivenCell(OneStepALayer):
    """Returns the cell state that it got."""

    def forward(self, input, hidden, cell):
        scores, hidden, _ = super().forward(input, hidden, cell)
        return scores, hidden, cell


class LengthsForNothing(WithLengths):
    """Takes lengths, and goes on through the padding."""

    def forward(self, text, text_lengths):
        _, (hidden, _) = self.rnn(self.embedding(text))
        return self.fc(hidden[-1])


class PeeksByATable(Layer):
    """Gates see c by weights (H, 3 H), which are zero when they are new."""

    def __init__(self, input_size, hidden_size):
        super().__init__(input_size, hidden_size)
        self.peep = nn.Parameter(torch.zeros(hidden_size, 3 * hidden_size))

    def step(self, x, h, c):
        (i, f, g, o), (at_i, at_f, at_o) = self.sums(x, h), (c @ self.peep).chunk(3, 1)
        c = (f + at_f).sigmoid() * c + (i + at_i).sigmoid() * g.tanh()
        return (o + at_o).sigmoid() * c.tanh(), c


class ScalesItsState(Layer):
    """Multiplies h by a number that is one when it is new."""

    def __init__(self, input_size, hidden_size):
        super().__init__(input_size, hidden_size)
        self.scale = nn.Parameter(torch.ones(1))

    def step(self, x, h, c):
        h, c = super().step(x, h, c)
        return self.scale * h, c


class HasABiasOfManyRows(Layer):
    """Adds the sum of a parameter (2, 4 H), which is zero when it is new, to its gates."""

    def __init__(self, input_size, hidden_size):
        super().__init__(input_size, hidden_size)
        self.more = nn.Parameter(torch.zeros(2, 4 * hidden_size))

    def sums(self, x, h):
        return (self.x2h(x) + self.h2h(h) + self.more.sum(0)).chunk(4, 1)
