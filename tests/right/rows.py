"""LSTMs that take the rows of a batch, or its directions, in another order."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.faults.plain import PlainLSTM, Weights

Scanned = tuple[Tensor, Tensor, Tensor]


def joined(parts: list[Scanned]) -> Scanned:
    """Join groups of rows: output (T, N, R), h (N, R) and c (N, H)."""
    outputs, h, c = zip(*parts, strict=True)
    return torch.cat(outputs, 1), torch.cat(h), torch.cat(c)


class ComputesGroupsOfRows(PlainLSTM):
    """Computes so many rows at a time."""

    rows_at_once = 1

    def scan(
        self, x: Tensor, h: Tensor, c: Tensor, w: Weights, lengths: Tensor | None, reverse: bool
    ) -> Scanned:
        rows = max(1, self.rows_at_once if self.rows_at_once else (len(h) + 1) // 2)
        parts = []
        for start in range(0, max(1, len(h)), rows):
            of = slice(start, start + rows)
            left = None if lengths is None else lengths[of]
            parts.append(super().scan(x[:, of], h[of], c[of], w, left, reverse))
        return joined(parts)


class ComputesRowByRow(ComputesGroupsOfRows):
    """Computes one row after the other."""


class ComputesHalvesOfTheBatch(ComputesGroupsOfRows):
    """Computes the first half of the rows, then the second."""

    rows_at_once = 0


class SortsRows(PlainLSTM):
    """Sorts rows by length, computes as many in each step as still run, and sorts them back."""

    def scan(
        self, x: Tensor, h: Tensor, c: Tensor, w: Weights, lengths: Tensor | None, reverse: bool
    ) -> Scanned:
        if lengths is None:
            return super().scan(x, h, c, w, lengths, reverse)
        order = lengths.argsort(descending=True)
        back = order.argsort()
        x, h, c, ends = x[:, order], h[order], c[order], lengths[order]
        outputs = [h.new_zeros(h.shape)] * len(x)
        for t in self.times(len(x), reverse):
            running = int((ends > t).sum())
            new_h, new_c = self.step(x[t, :running], h[:running], c[:running], w)
            outputs[t] = torch.cat([new_h, h.new_zeros(len(h) - running, h.shape[1])])
            h, c = torch.cat([new_h, h[running:]]), torch.cat([new_c, c[running:]])
        return torch.stack(outputs)[:, back], h[back], c[back]


class GroupsRowsByLength(PlainLSTM):
    """Computes rows of one length together, as a batch that is cut off there."""

    def scan(
        self, x: Tensor, h: Tensor, c: Tensor, w: Weights, lengths: Tensor | None, reverse: bool
    ) -> Scanned:
        if lengths is None:
            return super().scan(x, h, c, w, lengths, reverse)
        parts, places = [], []
        for length in lengths.unique().tolist():
            of = (lengths == length).nonzero()[:, 0]
            some = super().scan(x[:length, of], h[of], c[of], w, None, reverse)
            padding = h.new_zeros(len(x) - length, *some[0].shape[1:])
            parts.append((torch.cat([some[0], padding]), *some[1:]))
            places.append(of)
        back = torch.cat(places).argsort()
        output, h_n, c_n = joined(parts)
        return output[:, back], h_n[back], c_n[back]


class FlipsTheReverseDirection(PlainLSTM):
    """Turns each row around, goes through it forwards, and turns its output around."""

    def scan(
        self, x: Tensor, h: Tensor, c: Tensor, w: Weights, lengths: Tensor | None, reverse: bool
    ) -> Scanned:
        if not reverse:
            return super().scan(x, h, c, w, lengths, reverse)
        output, h_n, c_n = super().scan(self.flipped(x, lengths), h, c, w, lengths, False)
        return self.flipped(output, lengths), h_n, c_n

    def flipped(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        if lengths is None:
            return x.flip(0)
        t = torch.arange(len(x), device=x.device)[:, None]
        source = torch.where(t < lengths, lengths - 1 - t, t)
        return x.gather(0, source[..., None].expand_as(x))
