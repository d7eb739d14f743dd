"""An LSTM that returns its final hidden state as a view of its output."""

from __future__ import annotations

from torch import Tensor

from tests.faults.plain import PlainLSTM


class ReturnsAView(PlainLSTM):
    """Returns h_n without a copy where it is the last step of the output."""

    def network(
        self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        output, h_n, c_n = super().network(x, h_0, c_0, lengths)
        alone = self.num_layers == 1 and not self.bidirectional and lengths is None
        return output, output[-1:] if alone else h_n, c_n
