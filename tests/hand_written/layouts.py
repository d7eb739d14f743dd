"""Right LSTMs whose input and output have different axes, in front of a Linear and without one."""

import torch
from torch import nn


class Tagger(nn.Module):
    """Takes tokens (N, T), turns them, and scores an output (T, N, H) by a head."""

    def __init__(self, vocab_size, embed_dim, hidden_size, tag_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_dim)
        self.lstm = nn.LSTM(embed_dim, hidden_size)
        self.fc = nn.Linear(hidden_size, tag_size)

    def forward(self, tokens):
        output, _ = self.lstm(self.embedding(tokens).permute(1, 0, 2))
        return self.fc(output).permute(1, 0, 2)


class ByHand(nn.Module):
    """A recurrence over steps (T, N, D), and a head."""

    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.ih = nn.Linear(input_size, 4 * hidden_size)
        self.hh = nn.Linear(hidden_size, 4 * hidden_size, bias=False)
        self.fc = nn.Linear(hidden_size, output_size)

    def steps(self, x):
        h = c = x.new_zeros(x.shape[1], self.hidden_size)
        output = []
        for step in x:
            i, f, g, o = (self.ih(step) + self.hh(h)).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            output.append(h)
        return torch.stack(output)


class ScoresOfTheLastStep(ByHand):
    """Takes rows (N, T, D), and chooses the last step of the scores (T, N, K)."""

    def forward(self, x):
        return self.fc(self.steps(x.permute(1, 0, 2)))[-1].log_softmax(1)


class WordsInOneAxis(ByHand):
    """Takes rows (N, T, D), and scores (T * N, H)."""

    def forward(self, x):
        output = self.steps(x.transpose(0, 1))
        return self.fc(output.reshape(-1, self.hidden_size))


class DeepTagger(nn.Module):
    """Takes tokens (N, T); several layers of both directions score (T, N, 2 * H)."""

    def __init__(self, vocab_size, embed_dim, hidden_size, num_layers):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_dim)
        self.lstm = nn.LSTM(embed_dim, hidden_size, num_layers, bidirectional=True)
        self.fc = nn.Linear(2 * hidden_size, 9)

    def forward(self, tokens):
        output, (h, c) = self.lstm(self.embedding(tokens.t()))
        return self.fc(output), (h, c)


class EncoderForAttention(nn.Module):
    """Takes steps (T, N), and returns rows (N, T, H), which an attention compares."""

    def __init__(self, vocab_size, embed_dim, hidden_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_dim)
        self.rnn = nn.LSTM(embed_dim, hidden_size)

    def forward(self, src):
        output, (hidden, cell) = self.rnn(self.embedding(src))
        return output.transpose(0, 1), hidden, cell


class ScoresOfRows(ByHand):
    """Takes steps (T, N, D), and scores rows (N, T, H)."""

    def forward(self, x):
        return self.fc(self.steps(x).transpose(0, 1))


class RowsInOneAxis(ByHand):
    """Takes steps (T, N, D), and scores (N * T, H)."""

    def forward(self, x):
        return self.fc(self.steps(x).transpose(0, 1).reshape(-1, self.hidden_size))
