"""LSTMs that carry the wrong state, or too much of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from .plain import PlainLSTM, States, unbatched


class IgnoresInitialHiddenState(PlainLSTM):
    """Starts from zeros whatever h_0 is."""

    bug = "ST-opencv-cuda-h0"
    caught_by = "splitting_time_changes_nothing"

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        h_0, c_0 = super().initial_states(sequence, x, hx)
        return 0 * h_0, c_0


class IgnoresInitialCellState(PlainLSTM):
    """Starts from zeros whatever c_0 is."""

    bug = "ST-onnxtf-h-only"
    caught_by = "cell_matches_equations"

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        h_0, c_0 = super().initial_states(sequence, x, hx)
        return h_0, 0 * c_0


class SwapsInitialStates(PlainLSTM):
    """Takes h_0 for c_0 and c_0 for h_0, where their sizes are equal."""

    bug = ""
    caught_by = "cell_matches_equations"

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        h_0, c_0 = super().initial_states(sequence, x, hx)
        return (c_0, h_0) if h_0.shape == c_0.shape else (h_0, c_0)


class KeepsItsStateBetweenCalls(PlainLSTM):
    """Starts from where the last call ended, when no initial states are given."""

    bug = "HW-state-persist ST-epoch-leak ST-dl4j-stateful"
    caught_by = "same_call_gives_same_bits"
    last: States | None = None

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        h_0, c_0 = super().initial_states(sequence, x, hx)
        if hx is None and self.last is not None and self.last[0].shape == h_0.shape:
            return self.last
        return h_0, c_0

    def network(
        self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        output, h_n, c_n = super().network(x, h_0, c_0, lengths)
        self.last = h_n.detach().clone(), c_n.detach().clone()
        return output, h_n, c_n


class StartsFromOnes(PlainLSTM):
    """Starts from ones when no initial states are given."""

    bug = ""
    caught_by = "omitted_states_are_zeros"

    def zero_state(self, x: Tensor, size: int) -> Tensor:
        return super().zero_state(x, size) + 1


class AllocatesStatesForTheFirstBatch(PlainLSTM):
    """Allocates the default state once, for the number of rows that came first."""

    bug = "HW-state-batch-cached"
    caught_by = "calls_are_independent"

    def zero_state(self, x: Tensor, size: int) -> Tensor:
        states = self.__dict__.setdefault("allocated", {})
        return states.setdefault(size, super().zero_state(x, size))


class MakesDefaultStatesInFloat32(PlainLSTM):
    """Makes the default cell state in float32, whatever the module's dtype."""

    bug = "HW-default-state-dtype ST-mxnet-state-dtype"
    caught_by = "dtypes_follow_input"

    def zero_state(self, x: Tensor, size: int) -> Tensor:
        return super().zero_state(x, size).float()


class KnowsDefaultStatesForOneRowOnly(PlainLSTM):
    """Makes default states for a batch of one row, and fails with more."""

    bug = "ST-burn-batch-default ST-ppq-default-shape"
    caught_by = "omitted_states_are_zeros"

    def zero_state(self, x: Tensor, size: int) -> Tensor:
        state = super().zero_state(x[:, :1], size)
        if x.shape[1] > 1:
            raise IndexError(f"state of {state.shape[1]} rows, input of {x.shape[1]}")
        return state


class SwapsFinalStates(PlainLSTM):
    """Returns (c_n, h_n)."""

    bug = "HW-hn-cn-swapped"
    caught_by = "h_n_is_last_output"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        output, (h_n, c_n) = super().forward(sequence, hx)
        return output, (c_n, h_n)


class ReturnsZeroStates(PlainLSTM):
    """Returns zeros for the final states, so that chained calls start again each time."""

    bug = "ST-coreml-state-zero"
    caught_by = "splitting_time_changes_nothing"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        output, (h_n, c_n) = super().forward(sequence, hx)
        return output, (0 * h_n, 0 * c_n)


class ReturnsTopLayersStatesOnly(PlainLSTM):
    """Returns the final states of the top layer alone."""

    bug = "HW-hn-top-only"
    caught_by = "shapes_are_as_documented"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        output, (h_n, c_n) = super().forward(sequence, hx)
        return output, (h_n[-self.directions :], c_n[-self.directions :])


class ReturnsStatesBeforeTheLastStep(PlainLSTM):
    """Returns the states that the last step started from, in each direction."""

    bug = ""
    caught_by = "h_n_is_last_output"

    def scan(self, x: Tensor, h: Tensor, c: Tensor, *rest: Any) -> tuple[Tensor, Tensor, Tensor]:
        output, _, _ = super().scan(x, h, c, *rest)
        first = x[1:] if rest[-1] else x[:-1]
        if len(first):
            _, h, c = super().scan(first, h, c, *rest)
        return output, h, c


class ZonesOutTheStateOnly(PlainLSTM):
    """Mixes the final state with the one it started from, but not the output."""

    bug = "EQ-zoneout-output"
    caught_by = "h_n_is_last_output"

    def scan(self, x: Tensor, h: Tensor, c: Tensor, *rest: Any) -> tuple[Tensor, Tensor, Tensor]:
        output, h_n, c_n = super().scan(x, h, c, *rest)
        return output, 0.9 * h_n + 0.1 * h, c_n


class GivesStatesAsGenerator(PlainLSTM):
    """Returns the final states as a generator instead of a tuple."""

    bug = "EC-allennlp-generator"
    caught_by = "shapes_are_as_documented"

    def forward(self, sequence: Any, hx: States | None = None) -> Any:
        output, states = super().forward(sequence, hx)
        return output, (state for state in states)


class ReshapesStatesInsteadOfTransposing(PlainLSTM):
    """Reads the initial states as if rows came before layers."""

    bug = "ST-reshape-rl-buffer LY-view-seqvae LY-view-onmt-bridge"
    caught_by = "permuting_rows_permutes_results"

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        states = super().initial_states(sequence, x, hx)
        h_0, c_0 = (s.reshape(s.shape[1], s.shape[0], s.shape[2]).transpose(0, 1) for s in states)
        return h_0, c_0


class SkipsTheFirstStep(PlainLSTM):
    """Starts its time loop at the second step, if there is one."""

    bug = ""
    caught_by = "results_match_reference"

    def times(self, steps: int, reverse: bool) -> Iterable[int]:
        return list(super().times(steps, reverse))[steps > 1 :]


class StopsBeforeTheLastStep(PlainLSTM):
    """Ends its time loop one step early, if there are more."""

    bug = ""
    caught_by = "results_match_reference"

    def times(self, steps: int, reverse: bool) -> Iterable[int]:
        return list(super().times(steps, reverse))[: max(1, steps - 1)]


class UnrollsFourSteps(PlainLSTM):
    """Computes four steps, however many there are."""

    bug = "HW-constant-unroll"
    caught_by = "results_match_reference"

    def times(self, steps: int, reverse: bool) -> Iterable[int]:
        return list(super().times(steps, reverse))[:4]


class StartsAnewEveryFourSteps(PlainLSTM):
    """Forgets the hidden state after each chunk of four steps."""

    bug = ""
    caught_by = "splitting_time_changes_nothing"

    def scan(self, x: Tensor, h: Tensor, c: Tensor, *rest: Any) -> tuple[Tensor, Tensor, Tensor]:
        if rest[-1] or rest[-2] is not None or len(x) <= 4:
            return super().scan(x, h, c, *rest)
        head, h, c = super().scan(x[:4], h, c, *rest)
        tail, h, c = self.scan(x[4:], 0 * h, c, *rest)
        return torch.cat([head, tail]), h, c


class FailsWithoutABatch(PlainLSTM):
    """Reads the hidden size off a third dimension, which unbatched states do not have."""

    bug = "HW-unbatched"
    caught_by = "unbatched_is_batch_of_one"

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        if hx is not None and unbatched(sequence):
            hx[0].shape[2]
        return super().initial_states(sequence, x, hx)


class ReturnsACachedBuffer(PlainLSTM):
    """Returns the same output buffer at all calls without gradients; each overwrites the last."""

    bug = "HW-output-alias"
    caught_by = "earlier_results_stay"

    def network(self, *arguments: Any) -> tuple[Tensor, Tensor, Tensor]:
        output, h_n, c_n = super().network(*arguments)
        if output.requires_grad:
            return output, h_n, c_n
        buffers = self.__dict__.setdefault("buffers_by_shape", {})
        buffer = buffers.setdefault((output.shape, output.dtype), torch.empty_like(output))
        return buffer.copy_(output), h_n, c_n


class TakesItsInputForAState(PlainLSTM):
    """Takes the initial states for omitted where the input is one of them."""

    bug = ""
    caught_by = "form_of_states_does_not_matter"

    def forward(self, sequence: Any, hx: States | None = None) -> Any:
        same = hx is not None and any(each is sequence for each in hx)
        return super().forward(sequence, None if same else hx)
