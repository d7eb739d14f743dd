"""LSTMs whose layers are stacked wrongly."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .plain import PlainLSTM, States, Weights


class FeedsCellStateUpward(PlainLSTM):
    """Gives the next layer the cell state instead of the hidden state."""

    bug = "ML-cell-fed-up"
    caught_by = "layers_are_a_chain"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        h, c = super().step(x, h, c, w)
        self.cells.append(c)
        return h, c

    def layer(self, x: Tensor, h_0: Tensor, c_0: Tensor, layer: int, lengths: Any) -> Any:
        self.cells: list[Tensor] = []
        output, h_n, c_n = super().layer(x, h_0, c_0, layer, lengths)
        cells = torch.stack(self.cells).unflatten(0, (self.directions, len(x)))
        upward = torch.cat([cells[0], *(reverse.flip(0) for reverse in cells[1:])], -1)
        self.cells = []
        top = layer == self.num_layers - 1
        return (output if top or self.proj_size else upward), h_n, c_n


class StartsAllLayersFromTheFirstState(PlainLSTM):
    """Starts every layer from the initial states of the lowest."""

    bug = "ML-same-hidden-all-layers"
    caught_by = "layers_are_a_chain"

    def layer(self, x: Tensor, h_0: Tensor, c_0: Tensor, layer: int, lengths: Any) -> Any:
        h_0, c_0 = (s[: self.directions].repeat(self.num_layers, 1, 1) for s in (h_0, c_0))
        return super().layer(x, h_0, c_0, layer, lengths)


class ChainsStatesThroughTheLayers(PlainLSTM):
    """Starts each layer from where the layer below ended."""

    bug = "HW-cumulative-state-across-layers"
    caught_by = "results_match_reference"

    def network(self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Any) -> Any:
        h_n: list[Tensor] = []
        c_n: list[Tensor] = []
        for layer in range(self.num_layers):
            if layer:
                h_0, c_0 = (
                    torch.stack(s[-self.directions :] * self.num_layers) for s in (h_n, c_n)
                )
            x, h, c = self.layer(x, h_0, c_0, layer, lengths)
            h_n, c_n = h_n + h, c_n + c
            x = self.between_layers(x, layer)
        return x, torch.stack(h_n), torch.stack(c_n)


class TakesStatesDirectionMajor(PlainLSTM):
    """Expects the initial states of all layers forward, then those of all layers reverse."""

    bug = "ML-init-state-slices BI-onnxtf-init"
    caught_by = "states_go_layer_by_layer"

    def slot(self, layer: int, direction: int) -> int:
        return direction * self.num_layers + layer


class ReturnsStatesDirectionMajor(PlainLSTM):
    """Returns the final states of all layers forward, then those of all layers reverse."""

    bug = "HW-hn-direction-major"
    caught_by = "states_go_layer_by_layer"

    def network(self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Any) -> Any:
        output, h_n, c_n = super().network(x, h_0, c_0, lengths)
        layers = (self.num_layers, self.directions)
        h_n, c_n = (s.unflatten(0, layers).transpose(0, 1).flatten(0, 1) for s in (h_n, c_n))
        return output, h_n, c_n


class StartsLayersFromTheTop(PlainLSTM):
    """Gives the lowest layer the initial states of the top one, and so on."""

    bug = ""
    caught_by = "lower_layers_ignore_upper_ones"

    def slot(self, layer: int, direction: int) -> int:
        return super().slot(self.num_layers - 1 - layer, direction)


class SharesWeightsBetweenUpperLayers(PlainLSTM):
    """Uses the second layer's weights in all layers above it, as if they were one object."""

    bug = "WL-shared-cells"
    caught_by = "layers_are_a_chain"

    def weights(self, layer: int, direction: int) -> Weights:
        return super().weights(min(layer, 1), direction)


class SkipsTheTopLayer(PlainLSTM):
    """Puts out what the layer below the top one computes."""

    bug = ""
    caught_by = "results_match_reference"

    def layer(self, x: Tensor, h_0: Tensor, c_0: Tensor, layer: int, lengths: Any) -> Any:
        output, h_n, c_n = super().layer(x, h_0, c_0, layer, lengths)
        return (x if layer and layer == self.num_layers - 1 else output), h_n, c_n


class AddsResidualConnections(PlainLSTM):
    """Adds a layer's input to its output, where the sizes are equal."""

    bug = ""
    caught_by = "layers_are_a_chain"

    def layer(self, x: Tensor, h_0: Tensor, c_0: Tensor, layer: int, lengths: Any) -> Any:
        output, h_n, c_n = super().layer(x, h_0, c_0, layer, lengths)
        return (output + x if layer and x.shape == output.shape else output), h_n, c_n


class FeedsFirstStepUpward(PlainLSTM):
    """Gives the next layer the first step's output at all steps."""

    bug = "ML-darknet-first-step-only"
    caught_by = "results_match_reference"

    def between_layers(self, x: Tensor, layer: int) -> Tensor:
        return x[:1].expand_as(x) if layer < self.num_layers - 1 else x


class FeedsForwardHalfUpTwice(PlainLSTM):
    """Gives the next layer the forward half of the output twice."""

    bug = "HW-layer2-forward-only"
    caught_by = "states_go_layer_by_layer"

    def between_layers(self, x: Tensor, layer: int) -> Tensor:
        if layer < self.num_layers - 1 and self.bidirectional:
            return x[..., : self.output_size].repeat(1, 1, 2)
        return super().between_layers(x, layer)


class RunsUpperLayersWithoutBias(PlainLSTM):
    """Reads the biases of the lowest layer only."""

    bug = ""
    caught_by = "every_parameter_influences_result"

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        return w._replace(b_ih=None, b_hh=None) if layer else w


class GivesLayersTheOutputOfAllRowsFlipped(PlainLSTM):
    """Gives the next layer the rows in the opposite order."""

    bug = ""
    caught_by = "rows_do_not_interact"

    def between_layers(self, x: Tensor, layer: int) -> Tensor:
        return x.flip(1) if layer < self.num_layers - 1 else x


class ReturnsStatesFromTheTop(PlainLSTM):
    """Returns the final states of the top layer first."""

    bug = ""
    caught_by = "h_n_is_last_output"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        output, (h_n, c_n) = super().forward(sequence, hx)
        layers = (self.num_layers, self.directions)
        h_n, c_n = (s.unflatten(0, layers).flip(0).flatten(0, 1) for s in (h_n, c_n))
        return output, (h_n, c_n)
