"""LSTM cells with a fault; most share it with the LSTM of a similar name."""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from . import equations, gradients, modules, numerics
from .plain import PlainLSTMCell, States, Weights


class CellReadsGatesAsIFOG(PlainLSTMCell):
    """Takes the third quarter of the weights for the output gate, the fourth for the candidate."""

    bug = "WL-gate-order-ifog HW-gate-swap-go"
    caught_by = "cell_matches_equations"

    def gates(self, a: Tensor) -> equations.Gates:
        i, f, o, g = a.chunk(4, -1)
        return super().gates(torch.cat([i, f, g, o], -1))


class CellForgetsBiasHH(PlainLSTMCell):
    """Ignores bias_hh."""

    bug = "HW-one-bias EQ-second-bias-dropped"
    caught_by = "only_sum_of_biases_matters"

    def weights(self) -> Weights:
        return super().weights()._replace(b_hh=None)


class CellAddsItsBiasesWithoutBias(PlainLSTMCell):
    """Adds its bias even where it is None, and fails."""

    bug = "EC-keras-no-bias"
    caught_by = "no_bias_is_a_bias_of_zeros"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        bare = w._replace(b_ih=None, b_hh=None)
        return super().preactivations(x, h, bare) + (w.b_ih + w.b_hh)  # type: ignore[operator]


class CellForgetsTanhOfCell(PlainLSTMCell):
    """Multiplies the output gate with the raw cell state."""

    bug = "EQ-missing-tanh-c"
    caught_by = "states_stay_in_range"
    hidden_state = equations.ForgetsTanhOfCell.hidden_state


class CellUsesHardSigmoid(PlainLSTMCell):
    """Uses the piecewise linear sigmoid, 0.2 a + 0.5."""

    bug = "EQ-hard-vs-soft-sigmoid"
    caught_by = "saturated_gates_are_exact"
    sigmoid = equations.UsesHardSigmoid.sigmoid


class CellMixesNeighbouringUnits(PlainLSTMCell):
    """Gives each hidden unit the input gate of its neighbour."""

    bug = ""
    caught_by = "hidden_units_can_be_permuted"

    def cell_state(self, i: Tensor, f: Tensor, g: Tensor, c: Tensor) -> Tensor:
        return super().cell_state(i.roll(1, -1), f, g, c)


class CellLeaksFromTheRowBefore(PlainLSTMCell):
    """Adds a thousandth of the previous row's input to each row."""

    bug = ""
    caught_by = "rows_do_not_interact"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        return super().step(x + x.roll(1, 0) / 1000 if x.dim() == 2 else x, h, c, w)


class CellReturnsCellStateFirst(PlainLSTMCell):
    """Returns (c, h)."""

    bug = "HW-hn-cn-swapped EQ-cell-as-output"
    caught_by = "cell_matches_equations"

    def result(self, x: Tensor, h: Tensor, c: Tensor) -> States:
        return c, h


class CellReturnsTheHiddenStateOnly(PlainLSTMCell):
    """Returns h alone."""

    bug = ""
    caught_by = "shapes_are_as_documented"

    def result(self, x: Tensor, h: Tensor, c: Tensor) -> Any:
        return h


class CellBatchesUnbatchedInput(PlainLSTMCell):
    """Returns unbatched results with a batch dimension."""

    bug = "HW-unbatched"
    caught_by = "unbatched_is_batch_of_one"

    def result(self, x: Tensor, h: Tensor, c: Tensor) -> States:
        return (h[None], c[None]) if x.dim() == 1 else (h, c)

    def initial_states(self, x: Tensor, hx: States | None) -> States:
        h, c = super().initial_states(x, hx)
        return (h[0], c[0]) if h.dim() > x.dim() else (h, c)

    def check_states(self, x: Tensor, hx: States) -> None:
        if x.dim() != 1:
            super().check_states(x, hx)


class CellStartsFromOnes(PlainLSTMCell):
    """Starts from ones when no states are given."""

    bug = ""
    caught_by = "omitted_states_are_zeros"

    def zero_state(self, x: Tensor) -> Tensor:
        return super().zero_state(x) + 1


class CellMakesDefaultStatesInFloat32(PlainLSTMCell):
    """Makes default states in float32, whatever the cell's dtype."""

    bug = "HW-default-state-dtype"
    caught_by = "dtypes_follow_input"

    def zero_state(self, x: Tensor) -> Tensor:
        return super().zero_state(x).float()


class CellKeepsItsStateBetweenCalls(PlainLSTMCell):
    """Starts from where the last call ended, when no states are given."""

    bug = "HW-state-persist"
    caught_by = "same_call_gives_same_bits"
    last: States | None = None

    def initial_states(self, x: Tensor, hx: States | None) -> States:
        zeros = super().initial_states(x, hx)
        known = hx is None and self.last is not None and self.last[0].shape == zeros[0].shape
        return self.last if known and self.last is not None else zeros

    def result(self, x: Tensor, h: Tensor, c: Tensor) -> States:
        self.last = h.detach().clone(), c.detach().clone()
        return h, c


class CellOverwritesItsState(PlainLSTMCell):
    """Writes the next cell state over the given one."""

    bug = "HW-h0-mutated"
    caught_by = "arguments_are_not_mutated"

    def forward(self, x: Tensor, hx: States | None = None) -> States:
        h, c = super().forward(x, hx)
        if hx is not None:
            hx[1].data.copy_(c)
        return h, c


class CellDetachesItsState(PlainLSTMCell):
    """Reads the states it is given without their graph."""

    bug = "GR-state-data-clone HW-detach-each-step"
    caught_by = "gradient_reaches_first_step"

    def initial_states(self, x: Tensor, hx: States | None) -> States:
        h, c = super().initial_states(x, hx)
        return h.detach(), c.detach()


class CellForgetsSigmoidPrime(PlainLSTMCell):
    """Multiplies the gates' deltas with sigmoid instead of its derivative."""

    bug = "GR-missing-sigma-prime"
    caught_by = "gradients_match_backpropagation"
    sigmoid = gradients.ForgetsSigmoidPrime.sigmoid


class CellRefusesSecondDerivatives(PlainLSTMCell):
    """Implements no double backward."""

    bug = "GR-double-fused"
    caught_by = "second_derivatives_are_right"
    sigmoid = gradients.RefusesSecondDerivatives.sigmoid


class Both(torch.autograd.Function):
    """The identity on h and c, whose backward needs a gradient of each."""

    @staticmethod
    def forward(ctx: Any, h: Tensor, c: Tensor) -> States:
        ctx.set_materialize_grads(False)
        return h.clone(), c.clone()

    @staticmethod
    def backward(ctx: Any, h: Any, c: Any) -> States:  # noqa: ARG004
        return h * 1, c * 1


class CellNeedsAGradientOfBoth(PlainLSTMCell):
    """Fails in backward when a loss reads h alone or c alone."""

    bug = "GR-undef-hy"
    caught_by = "gradients_of_c_n_are_right"

    def result(self, x: Tensor, h: Tensor, c: Tensor) -> States:
        return Both.apply(h, c)


class CellBroadcastsItsStates(PlainLSTMCell):
    """Uses states of one row for all rows."""

    bug = "EC-cell-broadcast"
    caught_by = "wrong_state_batch_is_refused"

    def check_states(self, x: Tensor, hx: States) -> None:
        if any(state.dim() != x.dim() or state.shape[0] != 1 for state in hx):
            shapes = [s.expand_as(self.zero_state(x)) if s.shape[0] == 1 else s for s in hx]
            super().check_states(x, (shapes[0], shapes[1]))


class CellTakes3DStates(PlainLSTMCell):
    """Takes a hidden state with a layer dimension, as an LSTM's, and drops it."""

    bug = "EC-cell-dim"
    caught_by = "batched_states_with_unbatched_input_are_refused"

    def forward(self, x: Tensor, hx: Any = None) -> States:
        if isinstance(hx, tuple):
            hx = tuple(state[0] if state.dim() > x.dim() else state for state in hx)
        return super().forward(x, hx)


class CellToleratesWrongFeatureSizes(PlainLSTMCell):
    """Cuts or pads its input to input_size instead of refusing it."""

    bug = "EC-input-size-tolerated"
    caught_by = "wrong_feature_size_is_refused"

    def forward(self, x: Tensor, hx: States | None = None) -> States:
        if x.shape[-1] != self.input_size:
            x = F.pad(x, (0, self.input_size))[..., : self.input_size]
        return super().forward(x, hx)


class CellAcceptsNoHiddenUnits(PlainLSTMCell):
    """Can be made without hidden units."""

    bug = "IN-hidden-zero"
    caught_by = "sizes_that_are_not_positive_are_refused"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        nn.LSTMCell.__init__(self, *arguments, **options)


class CellIgnoresDtypeOfItsState(PlainLSTMCell):
    """Converts states of another dtype."""

    bug = ""
    caught_by = "wrong_state_dtype_is_refused"

    def forward(self, x: Tensor, hx: Any = None) -> States:
        if isinstance(hx, tuple):
            hx = tuple(state.to(self.weight_ih.dtype) for state in hx)
        return super().forward(x, hx)


class CellMultipliesInTF32(PlainLSTMCell):
    """Cuts the factors of float32 products to 10 bits."""

    bug = "PR-tf32-flag"
    caught_by = "results_have_full_precision"

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return F.linear(numerics.cut(x, 13), numerics.cut(weight, 13), bias)


class CellOverflowsInSigmoid(PlainLSTMCell):
    """Computes sigmoid as e^a / (1 + e^a), which is NaN where e^a overflows."""

    bug = "EQ-numerics-nan-sigmoid"
    caught_by = "huge_preactivations_saturate"
    sigmoid = numerics.OverflowsInSigmoid.sigmoid


class CellRefusesItsBiasUnderAutocast(PlainLSTMCell):
    """Fails under autocast, where its product is bfloat16 and its bias float32."""

    bug = "PR-autocast-cell"
    caught_by = "autocast_stays_within_its_precision"
    linear = numerics.RefusesItsBiasUnderAutocast.linear


class CellIgnoresBiasWhenCompiled(PlainLSTMCell):
    """Leaves out its biases when it is being compiled."""

    bug = "FR-compile-break PR-compile-padding"
    caught_by = "compiled_module_agrees"

    def linear(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return super().linear(x, weight, None if torch.compiler.is_compiling() else bias)


class CellSharesParametersWithItsCopy(PlainLSTMCell):
    """Gives a deep copy the same parameters."""

    bug = ""
    caught_by = "deepcopy_is_an_independent_equal"

    def __deepcopy__(self, memo: modules.Memo) -> Any:
        return copy.copy(self)


class CellWritesIntoOneCopyOfBothStates(PlainLSTMCell):
    """Writes h and c into copies of those given, of which there is one if both are one tensor."""

    bug = ""
    caught_by = "form_of_states_does_not_matter"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        copies = {id(each): each.clone() for each in (h, c)}
        new_h, new_c = super().step(x, h, c, w)
        old_h, old_c = copies[id(h)], copies[id(c)]
        return old_h.copy_(new_h), old_c.copy_(new_c)


class CellTellsProductsByTheirInput(PlainLSTMCell):
    """Keeps each product by what was multiplied, and so has one where x is h."""

    bug = ""
    caught_by = "form_of_states_does_not_matter"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        products: dict[int, Tensor] = {}
        for given, weight, bias in ((x, w.ih, w.b_ih), (h, w.hh, w.b_hh)):
            products.setdefault(id(given), self.linear(given, weight, bias))
        return products[id(x)] + products[id(h)]
