"""Right networks in the manner of public tutorials and ports, unusual but legitimate."""

import torch
from torch import nn


class StateDict(nn.Module):
    """A dict of states in and out."""

    def __init__(self, dim_in, dim_hidden):
        super().__init__()
        self.dim_hidden = dim_hidden
        self.gates = nn.Linear(dim_in + dim_hidden, 4 * dim_hidden)

    def forward(self, x, state=None):
        if state is None:
            z = x.new_zeros(x.shape[0], self.dim_hidden)
            state = {"h": z, "c": z}
        h, c = state["h"], state["c"]
        ys = []
        for t in range(x.shape[1]):
            f, i, g, o = self.gates(torch.cat([x[:, t], h], dim=-1)).chunk(4, dim=-1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            ys.append(h)
        return torch.stack(ys, dim=1), {"h": h, "c": c}


class BasicLSTMCell(nn.Module):
    """A cell as of TensorFlow 1: gates i, j, f, o, a forget bias of 1, the state (c, h)."""

    def __init__(self, input_depth, num_units, forget_bias=1.0):
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(input_depth + num_units, 4 * num_units))
        self.bias = nn.Parameter(torch.zeros(4 * num_units))
        self.forget_bias = forget_bias

    def forward(self, inputs, state):
        c, h = state
        i, j, f, o = torch.split(torch.cat([inputs, h], 1) @ self.kernel + self.bias, h.size(1), 1)
        new_c = c * torch.sigmoid(f + self.forget_bias) + torch.sigmoid(i) * torch.tanh(j)
        new_h = torch.tanh(new_c) * torch.sigmoid(o)
        return new_h, (new_c, new_h)


class Einsum(nn.Module):
    """Weights (4, H, D), whose gates have an axis of their own."""

    def __init__(self, d_in, d_hidden):
        super().__init__()
        self.d = d_hidden
        self.Wx = nn.Parameter(torch.randn(4, d_hidden, d_in))
        self.Wh = nn.Parameter(torch.randn(4, d_hidden, d_hidden))
        self.b = nn.Parameter(torch.zeros(4, d_hidden))

    def forward(self, x):
        h = c = x.new_zeros(x.shape[0], self.d)
        out = []
        for t in range(x.shape[1]):
            i, f, g, o = (
                torch.einsum("ghd,nd->gnh", self.Wx, x[:, t])
                + torch.einsum("ghk,nk->gnh", self.Wh, h)
                + self.b[:, None]
            )
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            out.append(h)
        return torch.stack(out, 1)


class BiEncoder(nn.Module):
    """The final states of both directions side by side."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, bidirectional=True, batch_first=True)

    def forward(self, x):
        out, (h, _) = self.lstm(x)
        return out, torch.cat([h[0], h[1]], dim=1)


class LSTMTagger(nn.Module):
    """A tagger of one sentence: tokens (T,), scores of each step."""

    def __init__(self, embedding_dim, hidden_dim, vocab_size, tagset_size):
        super().__init__()
        self.hidden_dim = hidden_dim
        self.word_embeddings = nn.Embedding(vocab_size, embedding_dim)
        self.lstm = nn.LSTM(embedding_dim, hidden_dim)
        self.hidden2tag = nn.Linear(hidden_dim, tagset_size)

    def forward(self, sentence):
        embeds = self.word_embeddings(sentence)
        lstm_out, _ = self.lstm(embeds.view(len(sentence), 1, -1))
        tag_space = self.hidden2tag(lstm_out.view(len(sentence), -1))
        return torch.log_softmax(tag_space, dim=1)


class TimeSeries(nn.Module):
    """A linear map of each step, a second argument that is a number, states of float64."""

    def __init__(self, n_in, n_hid):
        super().__init__()
        self.lstm1 = nn.LSTMCell(n_in, n_hid)
        self.lstm2 = nn.LSTMCell(n_hid, n_hid)
        self.linear = nn.Linear(n_hid, 1)
        self.n_hid = n_hid

    def forward(self, input, future=0):
        outputs = []
        h_t = torch.zeros(input.size(0), self.n_hid, dtype=torch.double)
        c_t = torch.zeros(input.size(0), self.n_hid, dtype=torch.double)
        h_t2 = torch.zeros(input.size(0), self.n_hid, dtype=torch.double)
        c_t2 = torch.zeros(input.size(0), self.n_hid, dtype=torch.double)
        for input_t in input.split(1, dim=1):
            h_t, c_t = self.lstm1(input_t[:, 0], (h_t, c_t))
            h_t2, c_t2 = self.lstm2(h_t, (h_t2, c_t2))
            output = self.linear(h_t2)
            outputs += [output]
        return torch.cat(outputs, dim=1)


class DrawsHiddenStatesFirst(nn.Module):
    """All hidden states are drawn before all cell states; a head follows."""

    def __init__(self, vocab_size, embedding_dim, hidden_size, num_classes, num_layers=2):
        super().__init__()
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.embedding = nn.Embedding(vocab_size, embedding_dim)
        self.lstm_cells = nn.ModuleList(
            nn.LSTMCell(n, hidden_size) for n in [embedding_dim] + [hidden_size] * (num_layers - 1)
        )
        self.fc = nn.Linear(hidden_size, num_classes)

    def forward(self, x):
        x = self.embedding(x)
        states = [
            nn.init.xavier_normal_(x.new_zeros(x.size(0), self.hidden_size))
            for _ in range(2 * self.num_layers)
        ]
        h, c = states[: self.num_layers], states[self.num_layers :]
        for t in range(x.size(1)):
            inp = x[:, t]
            for n in range(self.num_layers):
                h[n], c[n] = self.lstm_cells[n](inp, (h[n], c[n]))
                inp = h[n]
        return self.fc(h[-1])


class EncoderAndDecoder(nn.Module):
    """Two cells whose names do not count layers."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.dec = nn.LSTMCell(hidden_size, hidden_size)
        self.enc = nn.LSTMCell(input_size, hidden_size)
        self.unused = nn.Linear(hidden_size, 13)

    def forward(self, x):
        h1 = c1 = h2 = c2 = x.new_zeros(x.size(0), self.hidden_size)
        for step in x.unbind(1):
            h1, c1 = self.enc(step, (h1, c1))
            h2, c2 = self.dec(h1, (h2, c2))
        return h2


class EverythingInTheConstructor(nn.Module):
    """Dropout, padding and device are arguments without defaults."""

    def __init__(
        self, vocab_size, embed_dim, hidden_dim, n_layers, bidirectional, dropout, pad_idx, device
    ):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_dim, padding_idx=pad_idx)
        self.lstm = nn.LSTM(
            embed_dim, hidden_dim, n_layers, bidirectional=bidirectional, dropout=dropout
        )
        self.to(device)

    def forward(self, text):
        output, _ = self.lstm(self.embedding(text))
        return output


class TenClasses(nn.Module):
    """A numbered head, whose answer has as many features as two states of the sizes tried."""

    def __init__(self, vocab_size, embed_dim, hidden_dim, num_classes=10):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_dim)
        self.lstm = nn.LSTM(embed_dim, hidden_dim, batch_first=True)
        self.classifier = nn.Sequential(nn.Dropout(0.5), nn.Linear(hidden_dim, num_classes))

    def forward(self, text):
        _, (h, _) = self.lstm(self.embedding(text))
        return self.classifier(h[-1])


class HeadOfTheSameSize(nn.Module):
    """A head that returns as many features as it takes."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, batch_first=True)
        self.fc = nn.Linear(hidden_size, hidden_size)

    def forward(self, x):
        return self.fc(self.lstm(x)[0])


class SentimentOfBothDirections(nn.Module):
    """Two layers of both directions; a head takes the last states of the upper layer."""

    taken = 2, 3

    def __init__(self, vocab_size, embedding_dim, hidden_dim, output_dim, dropout=0.5):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_dim)
        self.rnn = nn.LSTM(embedding_dim, hidden_dim, num_layers=2, bidirectional=True)
        self.fc = nn.Linear(2 * hidden_dim, output_dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens):
        output, (hidden, _) = self.rnn(self.dropout(self.embedding(tokens)))
        states = [*hidden, output[-1]]
        return self.fc(self.dropout(torch.cat([states[n] for n in self.taken], dim=1)))


class SentimentOfAnyDepth(nn.Module):
    """A constructor that asks for layers and directions, whose head needs two states."""

    def __init__(self, vocab_size, embedding_dim, hidden_dim, output_dim, n_layers, bidirectional):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_dim)
        self.rnn = nn.LSTM(embedding_dim, hidden_dim, n_layers, bidirectional=bidirectional)
        self.fc = nn.Linear(2 * hidden_dim, output_dim)

    def forward(self, tokens):
        _, (hidden, _) = self.rnn(self.embedding(tokens))
        return self.fc(torch.cat((hidden[-2], hidden[-1]), dim=1))


class SentimentOfOneDirection(SentimentOfAnyDepth):
    """The same, which refuses two directions."""

    def __init__(self, vocab_size, embedding_dim, hidden_dim, output_dim, n_layers, bidirectional):
        if bidirectional:
            raise NotImplementedError
        super().__init__(vocab_size, embedding_dim, hidden_dim, output_dim, n_layers, False)


class TopStates(nn.Module):
    """Takes initial states, returns the last states of the upper layer and those of all cells."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, 2, bidirectional=True, batch_first=True)

    def forward(self, x, states=None):
        _, (h, c) = self.lstm(x, states)
        return h[-2:], c


class RandomStatesAndTenOutputs(nn.Module):
    """Two cells that begin with random states, and ten outputs."""

    def __init__(self, vocab_size=100, embedding_dim=16, hidden_size=32, output_size=10):
        super().__init__()
        self.hidden_size = hidden_size
        self.embedding = nn.Embedding(vocab_size, embedding_dim)
        self.lstm1 = nn.LSTMCell(embedding_dim, hidden_size)
        self.lstm2 = nn.LSTMCell(hidden_size, hidden_size)
        self.linear = nn.Linear(hidden_size, output_size)

    def forward(self, tokens):
        h, c, h2, c2 = (torch.randn(len(tokens), self.hidden_size) for _ in range(4))
        for x in self.embedding(tokens).unbind(1):
            h, c = self.lstm1(x, (h, c))
            h2, c2 = self.upper(h, h2, c2, c)
        return self.linear(h2)

    def upper(self, x, h, c, c_below):
        return self.lstm2(x, (h, c))


class GatesOfLinears(nn.Module):
    """Two layers of cells with a Linear for each gate and source, and a head."""

    def __init__(self, vocab_size, embed_dim, hidden_dim, num_layers, num_classes):
        super().__init__()
        self.hidden_dim = hidden_dim
        self.embedding = nn.Embedding(vocab_size, embed_dim)
        sizes = [embed_dim, *[hidden_dim] * (num_layers - 1)]
        self.cells = nn.ModuleList(self.cell(size, hidden_dim) for size in sizes)
        self.fc = nn.Linear(hidden_dim, num_classes)

    @staticmethod
    def cell(size, hidden_dim):
        cell = nn.Module()
        for gate in "ifco":
            setattr(cell, f"W_{gate}", nn.Linear(size, hidden_dim))
            setattr(cell, f"U_{gate}", nn.Linear(hidden_dim, hidden_dim))
        return cell

    def step(self, cell, x, h, c):
        i = torch.sigmoid(cell.W_i(x) + cell.U_i(h))
        f = torch.sigmoid(cell.W_f(x) + cell.U_f(h))
        g = torch.tanh(cell.W_c(x) + cell.U_c(h))
        o = torch.sigmoid(cell.W_o(x) + cell.U_o(h))
        c = f * c + i * g
        return o * torch.tanh(c), c

    def forward(self, tokens):
        embedded = self.embedding(tokens)
        h = [embedded.new_zeros(len(tokens), self.hidden_dim) for _ in self.cells]
        c = list(h)
        for x in embedded.unbind(1):
            for n, cell in enumerate(self.cells):
                h[n], c[n] = self.step(cell, x, h[n], c[n])
                x = h[n]
        return self.fc(x)
