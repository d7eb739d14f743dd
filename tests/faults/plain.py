"""One plain LSTM and one plain LSTM cell, right in every respect, to be broken one at a time.

The constructor, parameters, state_dict and repr are PyTorch's; everything that is computed is
spelled out here, one small method for each thing that a fault can be about. Shapes: T steps,
N rows, I input features, H hidden units, R output features (``proj_size`` or H), D directions,
L layers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

States = tuple[Tensor, Tensor]


class Weights(NamedTuple):
    """Of one layer and direction: (4H, I), (4H, R), (4H,), (4H,) and (R, H), None if absent."""

    ih: Tensor
    hh: Tensor
    b_ih: Tensor | None
    b_hh: Tensor | None
    hr: Tensor | None = None


class Equations:
    """One step, as the documentation of ``torch.nn.LSTM`` writes it."""

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return F.linear(x, weight, bias)

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        """(N, 4H), the gates stacked i, f, g, o."""
        return self.linear(x, w.ih, w.b_ih) + self.linear(h, w.hh, w.b_hh)

    def sigmoid(self, a: Tensor) -> Tensor:
        return torch.sigmoid(a)

    def tanh(self, a: Tensor) -> Tensor:
        return torch.tanh(a)

    def gates(self, a: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        i, f, g, o = a.chunk(4, -1)
        return self.sigmoid(i), self.sigmoid(f), self.tanh(g), self.sigmoid(o)

    def cell_state(self, i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
        return f * c + i * g

    def hidden_state(self, o: Tensor, c: Tensor) -> Tensor:
        return o * self.tanh(c)

    def projected(self, h: Tensor, w: Weights) -> Tensor:
        return h if w.hr is None else self.linear(h, w.hr, None)

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        """From x (N, I), h (N, R) and c (N, H) to the next h and c."""
        i, f, g, o = self.gates(self.preactivations(x, h, w))
        c = self.cell_state(i, f, g, c)
        return self.projected(self.hidden_state(o, c), w), c


class PlainLSTM(Equations, nn.LSTM):
    """A right LSTM."""

    weight_hh_l0: Tensor
    bias_hh_l0: Tensor

    @property
    def directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def output_size(self) -> int:
        return self.proj_size or self.hidden_size

    def weights(self, layer: int, direction: int) -> Weights:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        suffix = f"_l{layer}" + "_reverse" * direction
        return Weights._make(getattr(self, name + suffix, None) for name in names)

    def forward(
        self, sequence: Tensor | PackedSequence, hx: States | None = None
    ) -> tuple[Tensor | PackedSequence, States]:
        self.check(sequence, hx)
        x, lengths = self.time_major(sequence)
        h_0, c_0 = self.initial_states(sequence, x, hx)
        output, h_n, c_n = self.network(x, h_0, c_0, lengths)
        return self.result(sequence, lengths, output, h_n, c_n)

    def network(
        self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Output (T, N, D R), h_n (D L, N, R) and c_n (D L, N, H) for x (T, N, I)."""
        h_n: list[Tensor] = []
        c_n: list[Tensor] = []
        for layer in range(self.num_layers):
            x, h, c = self.layer(x, h_0, c_0, layer, lengths)
            h_n, c_n = h_n + h, c_n + c
            x = self.between_layers(x, layer)
        return x, torch.stack(h_n), torch.stack(c_n)

    def between_layers(self, x: Tensor, layer: int) -> Tensor:
        return self.dropped(x) if layer < self.num_layers - 1 else x

    def dropped(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)

    def slot(self, layer: int, direction: int) -> int:
        """Where in the states those of this layer and direction are."""
        return layer * self.directions + direction

    def layer(
        self, x: Tensor, h_0: Tensor, c_0: Tensor, layer: int, lengths: Tensor | None
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Output (T, N, D R), and the final h and c of each direction, for x (T, N, D R or I)."""
        halves, h_n, c_n = [], [], []
        for direction in range(self.directions):
            slot, w = self.slot(layer, direction), self.weights(layer, direction)
            output, h, c = self.scan(x, h_0[slot], c_0[slot], w, lengths, direction == 1)
            halves.append(output)
            h_n.append(h)
            c_n.append(c)
        return torch.cat(halves, -1), h_n, c_n

    def times(self, steps: int, reverse: bool) -> Iterable[int]:
        return reversed(range(steps)) if reverse else range(steps)

    def scan(
        self,
        x: Tensor,
        h: Tensor,
        c: Tensor,
        w: Weights,
        lengths: Tensor | None,
        reverse: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Output (T, N, R) of one direction, h (N, R) and c (N, H) after its last step."""
        outputs = [h] * len(x)
        for t in self.times(len(x), reverse):
            new_h, new_c = self.step(x[t], h, c, w)
            if lengths is None:
                outputs[t], h, c = new_h, new_h, new_c
            else:
                outputs[t], h, c = self.where_valid(t, lengths, new_h, new_c, h, c)
        return torch.stack(outputs), h, c

    def where_valid(
        self, t: int, lengths: Tensor, new_h: Tensor, new_c: Tensor, h: Tensor, c: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Output, h and c of step t: a row that is not that long keeps its state."""
        valid = (t < lengths)[:, None]
        output = new_h.masked_fill(~valid, 0)
        return output, torch.where(valid, new_h, h), torch.where(valid, new_c, c)

    def time_major(self, sequence: Tensor | PackedSequence) -> tuple[Tensor, Tensor | None]:
        """The input as (T, N, I), and where it is packed the rows' lengths."""
        if isinstance(sequence, PackedSequence):
            x, lengths = pad_packed_sequence(sequence)
            return x, lengths.to(x.device)
        if sequence.dim() == 2:
            return sequence.unsqueeze(1), None
        return (sequence.transpose(0, 1) if self.batch_first else sequence), None

    def initial_states(
        self, sequence: Tensor | PackedSequence, x: Tensor, hx: States | None
    ) -> States:
        """h_0 (D L, N, R) and c_0 (D L, N, H)."""
        if hx is None:
            return self.zero_state(x, self.output_size), self.zero_state(x, self.hidden_size)
        h_0, c_0 = hx
        return (h_0.unsqueeze(1), c_0.unsqueeze(1)) if unbatched(sequence) else (h_0, c_0)

    def zero_state(self, x: Tensor, size: int) -> Tensor:
        return x.new_zeros(self.directions * self.num_layers, x.shape[1], size)

    def result(
        self,
        sequence: Tensor | PackedSequence,
        lengths: Tensor | None,
        output: Tensor,
        h_n: Tensor,
        c_n: Tensor,
    ) -> tuple[Tensor | PackedSequence, States]:
        """What :meth:`forward` returns, in the layout of what it was given."""
        if isinstance(sequence, PackedSequence):
            assert lengths is not None
            return self.packed(sequence, lengths, output), (h_n, c_n)
        if unbatched(sequence):
            return output.squeeze(1), (h_n.squeeze(1), c_n.squeeze(1))
        return (output.transpose(0, 1) if self.batch_first else output), (h_n, c_n)

    def packed(self, sequence: PackedSequence, lengths: Tensor, output: Tensor) -> PackedSequence:
        sorted_already = sequence.sorted_indices is None
        return pack_padded_sequence(output, lengths.cpu(), enforce_sorted=sorted_already)

    def check(self, sequence: Tensor | PackedSequence, hx: States | None) -> None:
        """Refuse what makes no sense."""
        packed = isinstance(sequence, PackedSequence)
        x = sequence.data if isinstance(sequence, PackedSequence) else sequence
        if not packed:
            self.check_rank(x)
            self.check_steps(x)
        self.check_features(x)
        self.check_dtype("the input", x)
        if hx is not None:
            self.check_pair(hx)
            for name, state in zip(("h_0", "c_0"), hx, strict=True):
                self.check_dtype(name, state)
            self.check_states(sequence, hx)

    def check_rank(self, x: Tensor) -> None:
        refuse_unless(x.dim() in (2, 3), f"the input must be 2-D or 3-D, got {x.dim()}-D")

    def check_steps(self, x: Tensor) -> None:
        time = 1 if x.dim() == 3 and self.batch_first else 0
        refuse_unless(x.shape[time] > 0, "the input must have a time step")

    def check_features(self, x: Tensor) -> None:
        refuse_unless(x.shape[-1] == self.input_size, f"input_size is {self.input_size}")

    def check_dtype(self, name: str, tensor: Tensor) -> None:
        expected = self.weight_ih_l0.dtype
        refuse_unless(tensor.dtype == expected, f"{name} must be {expected}, got {tensor.dtype}")

    def check_pair(self, hx: Any) -> None:
        pair = isinstance(hx, (tuple, list)) and len(hx) == 2
        refuse_unless(pair, "initial states must be a pair (h_0, c_0)")

    def check_states(self, sequence: Tensor | PackedSequence, hx: States) -> None:
        if isinstance(sequence, PackedSequence):
            rows: tuple[int, ...] = (int(sequence.batch_sizes[0]),)
        elif unbatched(sequence):
            rows = ()
        else:
            rows = (sequence.shape[0 if self.batch_first else 1],)
        states = self.directions * self.num_layers
        for name, state, size in zip(
            ("h_0", "c_0"), hx, (self.output_size, self.hidden_size), strict=True
        ):
            expected, got = (states, *rows, size), tuple(state.shape)
            refuse_unless(got == expected, f"{name} must be {expected}, got {got}")


class PlainLSTMCell(Equations, nn.LSTMCell):
    """A right LSTM cell."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        refuse_unless(self.hidden_size > 0, "hidden_size must be positive")

    def weights(self) -> Weights:
        return Weights(self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)

    def forward(self, x: Tensor, hx: States | None = None) -> States:
        self.check(x, hx)
        h, c = self.initial_states(x, hx)
        return self.result(x, *self.step(x, h, c, self.weights()))

    def initial_states(self, x: Tensor, hx: States | None) -> States:
        if hx is not None:
            return hx[0], hx[1]
        return self.zero_state(x), self.zero_state(x)

    def zero_state(self, x: Tensor) -> Tensor:
        return x.new_zeros(*x.shape[:-1], self.hidden_size)

    def result(self, x: Tensor, h: Tensor, c: Tensor) -> States:
        """What :meth:`forward` returns for `x`."""
        return h, c

    def check(self, x: Tensor, hx: States | None) -> None:
        """Refuse what makes no sense."""
        self.check_rank(x)
        self.check_features(x)
        self.check_dtype("the input", x)
        if hx is not None:
            self.check_pair(hx)
            for name, state in zip(("h_0", "c_0"), hx, strict=True):
                self.check_dtype(name, state)
            self.check_states(x, hx)

    def check_rank(self, x: Tensor) -> None:
        refuse_unless(x.dim() in (1, 2), f"the input must be 1-D or 2-D, got {x.dim()}-D")

    def check_features(self, x: Tensor) -> None:
        refuse_unless(x.shape[-1] == self.input_size, f"input_size is {self.input_size}")

    def check_dtype(self, name: str, tensor: Tensor) -> None:
        expected = self.weight_ih.dtype
        refuse_unless(tensor.dtype == expected, f"{name} must be {expected}, got {tensor.dtype}")

    def check_pair(self, hx: Any) -> None:
        pair = isinstance(hx, (tuple, list)) and len(hx) == 2
        refuse_unless(pair, "initial states must be a pair (h_0, c_0)")

    def check_states(self, x: Tensor, hx: States) -> None:
        expected = (*x.shape[:-1], self.hidden_size)
        for name, state in zip(("h_0", "c_0"), hx, strict=True):
            got = tuple(state.shape)
            refuse_unless(got == expected, f"{name} must be {expected}, got {got}")


def unbatched(sequence: Tensor | PackedSequence) -> bool:
    return not isinstance(sequence, PackedSequence) and sequence.dim() == 2


def refuse_unless(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
