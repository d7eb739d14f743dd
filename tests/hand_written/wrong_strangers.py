"""LSTMs that return their states in the wrong order, or those of both directions added up."""

import torch
from torch import nn

from tests.hand_written.strangers import EncoderWithABridge, LSTMState, NamedStates


class FillsNamesInTheWrongOrder(NamedStates):
    """Returns a named tuple whose h is c."""

    def forward(self, inputs, prev_state: LSTMState | None = None):
        outputs, state = super().forward(inputs, prev_state)
        return outputs, LSTMState(state.c, state.h)


class TurnsItsStateAround(nn.Module):
    """Takes h and c in one tensor, and returns c and h."""

    def __init__(self, in_features, out_features):
        super().__init__()
        self.n = out_features
        self.W = nn.Parameter(torch.randn(in_features + out_features, 4 * out_features) * 0.1)
        self.b = nn.Parameter(torch.zeros(4 * out_features))

    def forward(self, x, state):
        h, c = state.chunk(2, -1)
        i, f, o, g = (torch.cat([x, h], 1) @ self.W + self.b).split(self.n, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        return h, torch.cat([c, h], -1)


class TurnsItsPairAround(nn.Module):
    """Takes (h, c), and returns (c, h)."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size)

    def forward(self, x, state=None):
        output, (h, c) = self.lstm(x, state)
        return output, (c, h)


class AddsFinalStates(nn.Module):
    """Adds up the final states of both directions, and not their outputs."""

    def __init__(self, vocab_size, embed_size, hidden_size):
        super().__init__()
        self.embed = nn.Embedding(vocab_size, embed_size)
        self.lstm = nn.LSTM(embed_size, hidden_size, bidirectional=True, batch_first=True)

    def forward(self, src):
        output, (h, c) = self.lstm(self.embed(src))
        return output, (h[0] + h[1], c[0] + c[1])


class BridgesTheWrongOutput(EncoderWithABridge):
    """Has both directions exchanged in its output."""

    def forward(self, src):
        outputs, bridged = super().forward(src)
        return outputs.roll(outputs.size(2) // 2, 2), bridged
