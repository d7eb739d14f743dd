"""Classes that are not an LSTM, and those that need what only their author can supply."""

import torch
from torch import nn


class PeepsThroughLinears(nn.Module):
    """Three of its gates are linear maps of the input, h and c."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        every = input_size + 2 * hidden_size
        self.f, self.i, self.o = (nn.Linear(every, hidden_size) for _ in range(3))
        self.g = nn.Linear(input_size + hidden_size, hidden_size)

    def forward(self, x, h, c):
        f, i = (gate(torch.cat([x, h, c], 1)).sigmoid() for gate in (self.f, self.i))
        c = f * c + i * self.g(torch.cat([x, h], 1)).tanh()
        return self.o(torch.cat([x, h, c], 1)).sigmoid() * c.tanh(), c


class Convolves(nn.Module):
    """Its gates are convolutions."""

    def __init__(self, input_dim, hidden_dim):
        super().__init__()
        self.conv = nn.Conv2d(input_dim + hidden_dim, 4 * hidden_dim, 3, padding=1)

    def forward(self, x, state):
        h, c = state
        i, f, o, g = self.conv(torch.cat([x, h], 1)).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c


class TakesAnEmbedding(nn.Module):
    """Its constructor takes a module."""

    def __init__(self, hidden_size, embedding):
        super().__init__()
        self.embedding = embedding
        self.lstm = nn.LSTM(embedding.embedding_dim, hidden_size)

    def forward(self, x):
        return self.lstm(self.embedding(x))


class NeedsAMask(nn.Module):
    """Carries states over where a mask, which is needed, is 0."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.cell = nn.LSTMCell(input_size, hidden_size)

    def forward(self, x, mask):
        h = c = x.new_zeros(len(x), self.cell.hidden_size)
        outputs = []
        for step, kept in zip(x.unbind(1), mask.unbind(1), strict=True):
            new = self.cell(step, (h, c))
            h, c = (torch.where(kept[:, None] > 0, *each) for each in zip(new, (h, c), strict=True))
            outputs.append(h)
        return torch.stack(outputs, 1)


class NeedsATarget(nn.Module):
    """An encoder and a decoder, each with a separate input."""

    def __init__(self, vocab_size, emb_dim, hid_dim):
        super().__init__()
        self.emb = nn.Embedding(vocab_size, emb_dim)
        self.encoder = nn.LSTM(emb_dim, hid_dim)
        self.decoder = nn.LSTM(emb_dim, hid_dim)

    def forward(self, src, trg, teacher_forcing_ratio=0.5):
        _, state = self.encoder(self.emb(src))
        return self.decoder(self.emb(trg), state)
