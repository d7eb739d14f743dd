"""LSTMs that compute other equations."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from .plain import PlainLSTM, Weights

Gates = tuple[Tensor, Tensor, Tensor, Tensor]


class ReadsGatesAsIFOG(PlainLSTM):
    """Takes the third quarter of the weights for the output gate, the fourth for the candidate."""

    bug = "WL-gate-order-ifog HW-gate-swap-go WL-doc-gate-order"
    caught_by = "cell_matches_equations"

    def gates(self, a: Tensor) -> Gates:
        i, f, o, g = a.chunk(4, -1)
        return super().gates(torch.cat([i, f, g, o], -1))


class ReadsGatesAsIGFO(PlainLSTM):
    """Takes the second quarter of the weights for the candidate, the third for the forget gate."""

    bug = "WL-gate-order-ijfo"
    caught_by = "hand_stacked_cells_equal_lstm"

    def gates(self, a: Tensor) -> Gates:
        i, g, f, o = a.chunk(4, -1)
        return super().gates(torch.cat([i, f, g, o], -1))


class SwapsInputAndForgetGates(PlainLSTM):
    """Takes the first quarter of the weights for the forget gate, the second for the input gate."""

    bug = "HW-gate-swap-if"
    caught_by = "cell_matches_equations"

    def gates(self, a: Tensor) -> Gates:
        f, i, g, o = super().gates(a)
        return i, f, g, o


class InterleavesGates(PlainLSTM):
    """Takes every fourth row of the weights for a gate instead of a quarter."""

    bug = ""
    caught_by = "hidden_units_can_be_permuted"

    def gates(self, a: Tensor) -> Gates:
        return super().gates(a.unflatten(-1, (-1, 4)).transpose(-1, -2).flatten(-2))


class ForgetsBiasHH(PlainLSTM):
    """Ignores bias_hh."""

    bug = "HW-one-bias EQ-second-bias-dropped"
    caught_by = "only_sum_of_biases_matters"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return super().preactivations(x, h, w._replace(b_hh=None))


class ForgetsBiasIH(PlainLSTM):
    """Ignores bias_ih."""

    bug = ""
    caught_by = "every_parameter_influences_result"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return super().preactivations(x, h, w._replace(b_ih=None))


class AddsBiasTwice(PlainLSTM):
    """Adds bias_ih to the input's projection and again in the step."""

    bug = "EQ-bias-twice"
    caught_by = "cell_matches_equations"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        a = super().preactivations(x, h, w)
        return a if w.b_ih is None else a + w.b_ih


class GivesAllGatesTheOutputGatesBias(PlainLSTM):
    """Computes input and forget gates with the output gate's bias, from a copied line."""

    bug = "EQ-bias-copy-paste"
    caught_by = "cell_matches_equations"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if w.b_ih is None:
            return super().preactivations(x, h, w)
        _, _, g, o = w.b_ih.chunk(4)
        return super().preactivations(x, h, w._replace(b_ih=torch.cat([o, o, g, o])))


class AppliesSigmoidToCandidate(PlainLSTM):
    """Squashes the candidate with sigmoid, so that c never falls below zero from zero."""

    bug = "HW-sigmoid-on-candidate"
    caught_by = "cell_matches_equations"

    def gates(self, a: Tensor) -> Gates:
        i, f, g, o = a.chunk(4, -1)
        return self.sigmoid(i), self.sigmoid(f), self.sigmoid(g), self.sigmoid(o)


class ForgetsTanhOfCell(PlainLSTM):
    """Multiplies the output gate with the raw cell state."""

    bug = "EQ-missing-tanh-c"
    caught_by = "states_stay_in_range"

    def hidden_state(self, o: Tensor, c: Tensor) -> Tensor:
        return o * c


class ForgetsTanhOfCandidate(PlainLSTM):
    """Adds the candidate without squashing it."""

    bug = ""
    caught_by = "cell_matches_equations"

    def gates(self, a: Tensor) -> Gates:
        i, f, g, o = a.chunk(4, -1)
        return self.sigmoid(i), self.sigmoid(f), g, self.sigmoid(o)


class UsesHardSigmoid(PlainLSTM):
    """Uses the piecewise linear sigmoid, 0.2 a + 0.5."""

    bug = "EQ-hard-vs-soft-sigmoid"
    caught_by = "saturated_gates_are_exact"

    def sigmoid(self, a: Tensor) -> Tensor:
        return (0.2 * a + 0.5).clamp(0, 1)


class UsesReluForTanh(PlainLSTM):
    """Uses relu where the equations have tanh."""

    bug = ""
    caught_by = "cell_matches_equations"

    def tanh(self, a: Tensor) -> Tensor:
        return F.relu(a)


class AddsOneToForgetGatesBias(PlainLSTM):
    """Adds 1 to the forget gate's pre-activation, as TensorFlow's cells did by default."""

    bug = ""
    caught_by = "cell_matches_equations"

    def gates(self, a: Tensor) -> Gates:
        i, f, g, o = a.chunk(4, -1)
        return super().gates(torch.cat([i, f + 1, g, o], -1))


class AddsInputGateToCandidate(PlainLSTM):
    """Adds the input gate to the candidate instead of multiplying them."""

    bug = "EQ-add-for-mul"
    caught_by = "cell_matches_equations"

    def cell_state(self, i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
        return f * c + (i + g)


class NeverForgets(PlainLSTM):
    """Has no forget gate, as the LSTM of 1997."""

    bug = ""
    caught_by = "cell_matches_equations"

    def cell_state(self, i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
        return c + i * g


class CouplesInputAndForgetGates(PlainLSTM):
    """Forgets as much as it takes in: f = 1 - i."""

    bug = ""
    caught_by = "cell_matches_equations"

    def cell_state(self, i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
        return (1 - i) * c + i * g


class OutputsFromPreviousCell(PlainLSTM):
    """Computes h from the cell state of the step before."""

    bug = ""
    caught_by = "cell_matches_equations"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(self.preactivations(x, h, w))
        return self.projected(self.hidden_state(o, c), w), self.cell_state(i, f, g, c)


class OutputsTheCellState(PlainLSTM):
    """Unpacks (h, c) in the wrong order, so that the cell state is the output."""

    bug = "EQ-cell-as-output"
    caught_by = "cell_matches_equations"

    def hidden_state(self, o: Tensor, c: Tensor) -> Tensor:
        return c


class SquashesAfterTheOutputGate(PlainLSTM):
    """Computes h = tanh(o c), taking the inner activation for one of the output."""

    bug = "EQ-fused-act-semantics"
    caught_by = "cell_matches_equations"

    def hidden_state(self, o: Tensor, c: Tensor) -> Tensor:
        return self.tanh(o * c)


class ProjectsStateWithInputWeights(PlainLSTM):
    """Multiplies h with weight_ih, where the shapes allow it, and leaves weight_hh unused."""

    bug = "EQ-recurrent-uses-input-weights"
    caught_by = "equal_sizes_are_told_apart"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return super().preactivations(x, h, w._replace(hh=w.ih if x.shape == h.shape else w.hh))


class TransposesSquareWeights(PlainLSTM):
    """Multiplies with each gate's weights transposed, where they are square."""

    bug = "HW-transposed-square"
    caught_by = "equal_sizes_are_told_apart"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        if w.ih.shape[0] == 4 * w.ih.shape[1]:
            ih = torch.cat([gate.T for gate in w.ih.chunk(4)])
            return super().preactivations(x, h, w._replace(ih=ih))
        return super().preactivations(x, h, w)


class MixesNeighbouringUnits(PlainLSTM):
    """Gives each hidden unit the input gate of its neighbour."""

    bug = ""
    caught_by = "hidden_units_can_be_permuted"

    def cell_state(self, i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
        return super().cell_state(i.roll(1, -1), f, g, c)


class PeepsAtTheCell(PlainLSTM):
    """Adds the cell state to the gates, as with peepholes of weight one."""

    bug = ""
    caught_by = "cell_matches_equations"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        i, f, g, o = self.gates(self.preactivations(x, h, w) + torch.cat([c, c, 0 * c, c], -1))
        c = self.cell_state(i, f, g, c)
        return self.projected(self.hidden_state(o, c), w), c


class CutsInsteadOfProjecting(PlainLSTM):
    """Keeps the first proj_size hidden units instead of multiplying with weight_hr."""

    bug = "EC-mps-proj"
    caught_by = "projection_multiplies_h"

    def projected(self, h: Tensor, w: Weights) -> Tensor:
        return h if w.hr is None else h[..., : len(w.hr)]


class SquashesTheProjection(PlainLSTM):
    """Applies tanh to the projected hidden state."""

    bug = ""
    caught_by = "projection_multiplies_h"

    def projected(self, h: Tensor, w: Weights) -> Tensor:
        return h if w.hr is None else torch.tanh(super().projected(h, w))


class ReturnsZeros(PlainLSTM):
    """Returns zeros of the right shapes, connected to everything."""

    bug = ""
    caught_by = "results_match_reference"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
        h, c = super().step(x, h, c, w)
        return 0 * h, 0 * c
