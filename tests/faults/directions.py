"""LSTMs with a wrong reverse direction."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .plain import PlainLSTM, Weights

Scanned = tuple[Tensor, Tensor, Tensor]


class LeavesReverseOutputReversed(PlainLSTM):
    """Leaves the reverse output in the order in which it was computed."""

    bug = "HW-reverse-no-flip-back BI-no-unflip BI-keras-gobackwards BI-onnx2tf-reverse"
    caught_by = "reverse_direction_is_anticausal"

    def scan(self, x: Tensor, h: Tensor, c: Tensor, *rest: Any) -> Scanned:
        output, h, c = super().scan(x, h, c, *rest)
        return (output.flip(0) if rest[-1] else output), h, c


class RunsBothDirectionsForward(PlainLSTM):
    """Gives the reverse direction the input as it is, unreversed."""

    bug = "BI-nlc-same-input BI-magenta-input"
    caught_by = "directions_are_concatenated"

    def times(self, steps: int, reverse: bool) -> range:
        return range(steps)


class SharesWeightsBetweenDirections(PlainLSTM):
    """Uses the forward weights in both directions."""

    bug = "HW-directions-share-weights"
    caught_by = "every_parameter_influences_result"

    def weights(self, layer: int, direction: int) -> Weights:
        return super().weights(layer, 0)


class ReturnsForwardStatesTwice(PlainLSTM):
    """Returns the forward direction's final states for both."""

    bug = "BI-tflearn-state"
    caught_by = "h_n_is_last_output"

    def layer(self, x: Tensor, h_0: Tensor, c_0: Tensor, layer: int, lengths: Any) -> Any:
        output, h_n, c_n = super().layer(x, h_0, c_0, layer, lengths)
        return output, h_n[:1] * self.directions, c_n[:1] * self.directions


class ReadsReverseStateAtTheLastStep(PlainLSTM):
    """Takes the reverse h_n from the end of the output, where that direction starts."""

    bug = "HW-reverse-hn-wrong-end BI-returnn-final BI-last-index"
    caught_by = "h_n_is_last_output"

    def scan(self, x: Tensor, h: Tensor, c: Tensor, *rest: Any) -> Scanned:
        output, h, c = super().scan(x, h, c, *rest)
        return output, output[-1] if rest[-1] else h, c


class PutsReverseHalfFirst(PlainLSTM):
    """Puts the reverse half of the output before the forward half."""

    bug = "HW-concat-order"
    caught_by = "forward_direction_is_causal"

    def between_layers(self, x: Tensor, layer: int) -> Tensor:
        top = layer == self.num_layers - 1
        return x.roll(self.output_size, -1) if top else super().between_layers(x, layer)


class AveragesTheDirections(PlainLSTM):
    """Puts the mean of both directions in both halves of the output."""

    bug = ""
    caught_by = "directions_are_concatenated"

    def between_layers(self, x: Tensor, layer: int) -> Tensor:
        if layer < self.num_layers - 1 or not self.bidirectional:
            return super().between_layers(x, layer)
        return ((x + x.roll(self.output_size, -1)) / 2).contiguous()


class FlipsRowsInsteadOfTime(PlainLSTM):
    """Flips the reverse direction's input and output along the rows, as with a hard-coded axis."""

    bug = "BI-time-major-axis HW-reverse-flip-batch"
    caught_by = "reversing_time_exchanges_directions"

    def scan(self, x: Tensor, h: Tensor, c: Tensor, *rest: Any) -> Scanned:
        if not rest[-1]:
            return super().scan(x, h, c, *rest)
        w, lengths, _ = rest
        output, h, c = super().scan(x.flip(1), h, c, w, lengths, False)
        return output.flip(1), h, c


class ExchangesTheDirectionsStates(PlainLSTM):
    """Starts each direction from the other one's initial states."""

    bug = "BI-onnxtf-init"
    caught_by = "directions_have_their_own_states"

    def slot(self, layer: int, direction: int) -> int:
        return super().slot(layer, self.directions - 1 - direction)


class StartsReverseWhereForwardEnded(PlainLSTM):
    """Starts the reverse direction from the forward one's final states."""

    bug = ""
    caught_by = "reversing_time_exchanges_directions"
    ended: tuple[Tensor, Tensor]

    def scan(self, x: Tensor, h: Tensor, c: Tensor, *rest: Any) -> Scanned:
        output, h_n, c_n = super().scan(x, *(self.ended if rest[-1] else (h, c)), *rest)
        self.ended = h_n, c_n
        return output, h_n, c_n


class LooksOneStepAhead(PlainLSTM):
    """Gives each step of a sequence the mean of its input and the next one's."""

    bug = ""
    caught_by = "forward_direction_is_causal"

    def scan(self, x: Tensor, h: Tensor, c: Tensor, *rest: Any) -> Scanned:
        return super().scan(torch.cat([(x[:-1] + x[1:]) / 2, x[-1:]]), h, c, *rest)


class KeepsOneOutputBuffer(PlainLSTM):
    """Collects the same buffer at each step, so that all steps equal the last."""

    bug = "HW-output-alias"
    caught_by = "forward_direction_is_causal"

    def scan(self, x: Tensor, h: Tensor, c: Tensor, *rest: Any) -> Scanned:
        output, h, c = super().scan(x, h, c, *rest)
        return h.expand_as(output), h, c


class IgnoresReverseInLongSequences(PlainLSTM):
    """Runs the reverse direction forward when there are more than eight steps."""

    bug = ""
    caught_by = "long_sequences_match_reference"

    def times(self, steps: int, reverse: bool) -> Any:
        return super().times(steps, reverse and steps <= 8)


class ForgetsReverseBias(PlainLSTM):
    """Loads no bias for the reverse direction."""

    bug = ""
    caught_by = "every_parameter_influences_result"

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        return w._replace(b_ih=None, b_hh=None) if direction else w
