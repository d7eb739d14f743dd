"""Hand-written LSTMs with one fault each, of which some are right but for one word."""

import numpy as np
import torch
from torch import nn

from tests.hand_written.right import lstm_over_time, uniform


class Kernels(nn.Module):
    """What most of these share: W, U and b for i, f, g, o side by side, batch first."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.W = uniform(input_size, 4 * hidden_size)
        self.U = uniform(hidden_size, 4 * hidden_size)
        self.b = uniform(4 * hidden_size)

    def step(self, x, h, c):
        i, f, g, o = (x @ self.W + h @ self.U + self.b).chunk(4, 1)
        return self.combine(i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid(), c)

    def combine(self, i, f, g, o, c):
        c = f * c + i * g
        return o * torch.tanh(c), c

    def forward(self, x, states=None):
        h, c = states or [x.new_zeros(x.size(0), self.hidden_size)] * 2
        outputs = []
        for t in range(x.size(1)):
            h, c = self.step(x[:, t], h, c)
            outputs.append(h)
        return torch.stack(outputs, 1), (h, c)


class ExchangesSigmoidAndTanh(Kernels):
    """The candidate goes through sigmoid."""

    def step(self, x, h, c):
        i, f, g, o = (x @ self.W + h @ self.U + self.b).sigmoid().chunk(4, 1)
        return self.combine(i, f, g, o, c)


class LacksTanhOfCell(Kernels):
    """h = o * c."""

    def combine(self, i, f, g, o, c):
        c = f * c + i * g
        return o * c, c


class UsesOutputGateForInput(Kernels):
    """c = f * c + o * g: the input gate is computed and never used."""

    def combine(self, i, f, g, o, c):
        return super().combine(o, f, g, o, c)


class CouplesGates(Kernels):
    """c = f * c + (1 - f) * g."""

    def combine(self, i, f, g, o, c):
        return super().combine(1 - f, f, g, o, c)


class AddsBiasTwice(Kernels):
    """The only bias is added to both products."""

    def step(self, x, h, c):
        i, f, g, o = (x @ self.W + self.b + h @ self.U + self.b).chunk(4, 1)
        return self.combine(i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid(), c)


class CutsProductsDifferently(Kernels):
    """x @ W is cut into i, f, g, o, but h @ U into i, f, o, g."""

    def step(self, x, h, c):
        from_x, from_h = (x @ self.W + self.b).chunk(4, 1), (h @ self.U).chunk(4, 1)
        i, f, o = ((from_x[a] + from_h[b]).sigmoid() for a, b in ((0, 0), (1, 1), (3, 2)))
        return self.combine(i, f, (from_x[2] + from_h[3]).tanh(), o, c)


class ResetsHidden(Kernels):
    """Every step starts from the hidden state that was given."""

    def forward(self, x, states=None):
        start, c = states or [x.new_zeros(x.size(0), self.hidden_size)] * 2
        outputs = []
        for t in range(x.size(1)):
            h, c = self.step(x[:, t], start, c)
            outputs.append(h)
        return torch.stack(outputs, 1), (h, c)


class IgnoresStates(Kernels):
    """The given states are read and dropped."""

    def forward(self, x, states=None):
        return super().forward(x)


class StartsAtRandom(Kernels):
    """Without given states it starts from noise."""

    def forward(self, x, states=None):
        if states is None:
            states = torch.randn(2, x.size(0), self.hidden_size).to(x).unbind(0)
        return super().forward(x, states)


class AddsBiasToCell(nn.Module):
    """The bias of each unit is added to the cell state and to no gate."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.x, self.h = (uniform(n, 4 * hidden_size) for n in (input_size, hidden_size))
        self.b = uniform(hidden_size)

    def forward(self, x, state):
        i, f, g, o = (x @ self.x + state[0] @ self.h).chunk(4, 1)
        c = f.sigmoid() * state[1] + i.sigmoid() * g.tanh() + self.b
        return o.sigmoid() * c.tanh(), c


class MixesRowsAndSteps(Kernels):
    """Hidden states are collected by step and viewed as if they had been by row."""

    def forward(self, x, states=None):
        output, states = super().forward(x, states)
        rows, steps, size = output.shape
        return output.transpose(0, 1).reshape(rows, steps, size), states


class ReshapesInput(Kernels):
    """The input is made time major by a reshape."""

    def forward(self, x, states=None):
        rows, steps, size = x.shape
        return super().forward(x.reshape(steps, rows, size).transpose(0, 1), states)


class RunsBackwards(Kernels):
    """Goes through the steps from the last to the first."""

    def forward(self, x, states=None):
        output, states = super().forward(x.flip(1), states)
        return output.flip(1), states


class ReturnsLastRow(Kernels):
    """Takes the last entry of the batch for the last step."""

    def forward(self, x, states=None):
        output, _ = super().forward(x, states)
        return output[-1]


class UsesForgetWeightsTwice(nn.Module):
    """The input gate reads U_f; U_i is there and not used."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        for gate in "ifgo":
            setattr(self, f"W_{gate}", nn.Linear(input_size, hidden_size))
            setattr(self, f"U_{gate}", nn.Linear(hidden_size, hidden_size, bias=False))

    def forward(self, x):
        h = c = x.new_zeros(x.size(1), self.hidden_size)
        outputs = []
        for step in x:
            i = torch.sigmoid(self.W_i(step) + self.U_f(h))
            f = torch.sigmoid(self.W_f(step) + self.U_f(h))
            g = torch.tanh(self.W_g(step) + self.U_g(h))
            o = torch.sigmoid(self.W_o(step) + self.U_o(h))
            c = f * c + i * g
            h = o * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs)


class ForgetsBiasHH(nn.Module):
    """A cell with two biases of which one is never added."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.w_ih, self.w_hh = (uniform(4 * hidden_size, n) for n in (input_size, hidden_size))
        self.b_ih, self.b_hh = uniform(4 * hidden_size), uniform(4 * hidden_size)

    def forward(self, x, h, c):
        i, f, g, o = (x @ self.w_ih.T + h @ self.w_hh.T + self.b_ih).chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c


class LacksBothTanhs(Kernels):
    """Two faults: neither the candidate nor the cell state is squashed."""

    def step(self, x, h, c):
        i, f, g, o = (x @ self.W + h @ self.U + self.b).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g
        return o.sigmoid() * c, c


class LacksTanhAndForgetGate(Kernels):
    """Two faults: c = c + i * g, and h = o * c."""

    def combine(self, i, f, g, o, c):
        c = c + i * g
        return o * c, c


class SqueezesUnits(Kernels):
    """Right, but for a squeeze that drops an axis where there is one hidden unit."""

    def step(self, x, h, c):
        h, c = super().step(x, h, c)
        return h.squeeze(), c


class PeeksAtCell(Kernels):
    """The forget gate sees the cell state, as no LSTM of PyTorch's does."""

    def step(self, x, h, c):
        i, f, g, o = (x @ self.W + h @ self.U + self.b).chunk(4, 1)
        return self.combine(i.sigmoid(), (f + c).sigmoid(), g.tanh(), o.sigmoid(), c)


class ReversesOutput(Kernels):
    """Right, but the output has the last step first."""

    def forward(self, x, states=None):
        output, states = super().forward(x, states)
        return output.flip(1), states


class ReturnsHiddenTwice(Kernels):
    """The second of the states is the first again."""

    def forward(self, x, states=None):
        output, (h, _) = super().forward(x, states)
        return output, (h, h)


class ReturnsCellTwice(Kernels):
    """The first of the states is the second."""

    def forward(self, x, states=None):
        output, (_, c) = super().forward(x, states)
        return output, (c, c)


class StepsWithoutCell(Kernels):
    """One step, which returns h where c should be."""

    def forward(self, x, states):
        h, _ = self.step(x, *states)
        return h, h


def lstm_without_output(x, h, c, W, U, b):  # noqa: N803
    """NumPy; right states below an output of zeros."""
    output, h, c = lstm_over_time(x, h, c, W, U, b)
    return np.zeros_like(output), h, c


def lstm_with_output_reversed(x, h, c, W, U, b):  # noqa: N803
    """NumPy; right states below an output that has the last step first."""
    output, h, c = lstm_over_time(x, h, c, W, U, b)
    return output[::-1], h, c


class TurnsOutput(Kernels):
    """Takes rows first and returns the output with steps first."""

    def forward(self, x, states=None):
        output, states = super().forward(x, states)
        return output.transpose(0, 1), states


class TurnsInput(Kernels):
    """Takes steps first and returns the output with rows first."""

    def forward(self, x, states=None):
        return super().forward(x.transpose(0, 1), states)
