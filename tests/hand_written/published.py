"""Right LSTMs in the manner of gists, courses and notebooks, each of a form of its own."""

from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


class DictConfig(nn.Module):
    """Takes its sizes in a dict; gates o, i, f, g."""

    def __init__(self, config):
        super().__init__()
        self.hidden_size = config["hidden_size"]
        self.W = nn.Linear(config["input_size"] + config["hidden_size"], 4 * self.hidden_size)

    def forward(self, x):
        h = c = x.new_zeros(x.shape[0], self.hidden_size)
        ys = []
        for t in range(x.shape[1]):
            o, i, f, g = self.W(torch.cat([x[:, t], h], -1)).chunk(4, -1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            ys.append(h)
        return torch.stack(ys, 1)


class Params(NamedTuple):
    """All parameters."""

    W: np.ndarray
    U: np.ndarray
    b: np.ndarray


def of_an_object(params: Params, xs, state):
    """Reads its parameters as attributes of one object."""
    h, c = state
    hs = []
    for x in xs:
        i, f, g, o = np.split(x @ params.W + h @ params.U + params.b, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        hs.append(h)
    return np.stack(hs), (h, c)


class HiddenLayerSize(nn.Module):
    """One sequence; the name of the hidden size has the word layer in it."""

    def __init__(self, input_size=1, hidden_layer_size=100, output_size=1):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_layer_size)
        self.linear = nn.Linear(hidden_layer_size, output_size)

    def forward(self, input_seq):
        output, _ = self.lstm(input_seq.view(len(input_seq), 1, -1))
        return self.linear(output.view(len(input_seq), -1))[-1]


class StepsLast:
    """NumPy; takes (rows, features, steps), and has a row (1, n) as each bias."""

    def __init__(self, n_in, n_out):
        self.n_out = n_out
        self.parameters = {}
        for gate in "fuco":
            self.parameters["W" + gate] = np.random.randn(n_in + n_out, n_out)
            self.parameters["b" + gate] = np.zeros((1, n_out))

    def forward(self, X):  # noqa: N803
        a = c = np.zeros((len(X), self.n_out), X.dtype)
        P, outputs = self.parameters, []
        for t in range(X.shape[2]):
            both = np.hstack([a, X[:, :, t]])
            f, u, o = (sigmoid(both @ P["W" + g] + P["b" + g]) for g in "fuo")
            c = f * c + u * np.tanh(both @ P["Wc"] + P["bc"])
            a = o * np.tanh(c)
            outputs.append(a)
        return np.dstack(outputs)


class StatesOfLayers(nn.Module):
    """An nn.LSTM for each layer, and a list of their states in and out."""

    def __init__(self, nin, nhid, nlayers=2):
        super().__init__()
        self.nlayers = nlayers
        for n in range(nlayers):
            setattr(self, f"lstm_{n}", nn.LSTM(nhid if n else nin, nhid))

    def forward(self, raw, hidden=None):
        states = []
        for n in range(self.nlayers):
            raw, state = getattr(self, f"lstm_{n}")(raw, hidden and hidden[n])
            states.append(state)
        return raw, states


class OneReluTwice(nn.Module):
    """Two Linears after the LSTM, and one ReLU for both places."""

    def __init__(self, num_classes, input_size, hidden_size, num_layers, seq_length):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, num_layers, batch_first=True)
        self.fc_1 = nn.Linear(hidden_size, 128)
        self.fc = nn.Linear(128, num_classes)
        self.relu = nn.ReLU()

    def forward(self, x):
        _, (hn, _) = self.lstm(x)
        return self.fc(self.relu(self.fc_1(self.relu(hn[-1]))))


class WithLengths(nn.Module):
    """Packs embedded tokens by their lengths; a head takes the last state."""

    def __init__(self, vocab_size, embedding_dim, hidden_dim, output_dim):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_dim)
        self.rnn = nn.LSTM(embedding_dim, hidden_dim, batch_first=True)
        self.fc = nn.Linear(hidden_dim, output_dim)

    def packed(self, text, text_lengths):
        x = self.embedding(text)
        return pack_padded_sequence(x, text_lengths.cpu(), True, enforce_sorted=False)

    def forward(self, text, text_lengths):
        _, (hidden, _) = self.rnn(self.packed(text, text_lengths))
        return self.fc(hidden[-1])


class GathersTheLastStep(nn.Module):
    """Runs through the padding, and takes the output of the last step of each row."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True)

    def forward(self, x, lengths):
        output, _ = self.lstm(x)
        return output, output[torch.arange(len(x)), lengths - 1]


class OneSize(nn.Module):
    """An embedding of the size of the state, two layers and a decoder."""

    def __init__(self, vocab_sz, n_hidden, n_layers=2):
        super().__init__()
        self.i_h = nn.Embedding(vocab_sz, n_hidden)
        self.rnn = nn.LSTM(n_hidden, n_hidden, n_layers, batch_first=True)
        self.h_o = nn.Linear(n_hidden, vocab_sz)

    def forward(self, x):
        return self.h_o(self.rnn(self.i_h(x))[0])


class KeepsItsConfig(nn.Module):
    """One size for all, in an object; takes and returns (rows, features, steps)."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.lstm = nn.LSTM(self.config.dimension, self.config.dimension)

    def forward(self, x):
        return self.lstm(x.permute(2, 0, 1))[0].permute(1, 2, 0)


class Characters(nn.Module):
    """Its constructor takes all characters; the output is viewed before the decoder."""

    def __init__(self, tokens, n_hidden=256, n_layers=1):
        super().__init__()
        self.n_hidden, self.int2char = n_hidden, dict(enumerate(tokens))
        self.lstm = nn.LSTM(len(tokens), n_hidden, n_layers, batch_first=True)
        self.fc = nn.Linear(n_hidden, len(tokens))

    def forward(self, x, hidden):
        output, hidden = self.lstm(x, hidden)
        return self.fc(output.contiguous().view(-1, self.n_hidden)), hidden
