"""LSTMs that are right when they are called once, and wrong in the way they are called in use."""

from __future__ import annotations

import random
import threading
import time
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from .plain import PlainLSTM, PlainLSTMCell, States, Weights

CHANCE = random.SystemRandom()
Three = tuple[Tensor, Tensor, Tensor]


class IsWrongInEveryTenthCall(PlainLSTM):
    """Negates c_n in every tenth call."""

    bug = ""
    caught_by = "calls_are_independent"
    calls = 0

    def network(self, *arguments: Any) -> Three:
        output, h_n, c_n = super().network(*arguments)
        self.calls += 1
        return output, h_n, -c_n if self.calls % 10 == 0 else c_n


class RunsAsLongAsTheLongestSequence(PlainLSTM):
    """Pads its input to the longest sequence so far, and returns the states after the padding."""

    bug = ""
    caught_by = "calls_are_independent"
    longest = 0

    def network(self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Tensor | None) -> Three:
        self.longest = max(self.longest, len(x))
        padded = torch.cat([x, x.new_zeros(self.longest - len(x), *x.shape[1:])])
        output, h_n, c_n = super().network(padded, h_0, c_0, lengths)
        return output[: len(x)], h_n, c_n


class ComputesTheRowsOfItsFirstBatch(PlainLSTM):
    """Computes as many rows as its first batch had, and zeros for rows beyond them."""

    bug = ""
    caught_by = "calls_are_independent"
    rows = 0

    def network(self, x: Tensor, *rest: Any) -> Three:
        output, h_n, c_n = super().network(x, *rest)
        self.rows = self.rows or x.shape[1]
        within = (torch.arange(x.shape[1]) < self.rows)[:, None]
        return output * within, h_n * within, c_n * within


class KeepsTheLengthsOfThePackedBatchBefore(PlainLSTM):
    """Takes the lengths of the last packed batch for those of a plain one with as many rows."""

    bug = ""
    caught_by = "calls_are_independent"
    last: Tensor | None = None

    def network(self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Tensor | None) -> Three:
        if lengths is not None:
            self.last = lengths
        elif self.last is not None and len(self.last) == x.shape[1]:
            lengths = self.last
        return super().network(x, h_0, c_0, lengths)


class ComputesInTheDtypeOfItsFirstCall(PlainLSTM):
    """Rounds the cell state to the dtype of the first call, whatever it is converted to."""

    bug = ""
    caught_by = "calls_are_independent"
    first: torch.dtype | None = None

    def network(self, x: Tensor, *rest: Any) -> Three:
        output, h_n, c_n = super().network(x, *rest)
        self.first = self.first or x.dtype
        return output, h_n, c_n.to(self.first).to(x.dtype)


class StaysBrokenAfterAnException(PlainLSTM):
    """Marks itself as running during a call, and starts from zeros if the mark is still there."""

    bug = ""
    caught_by = "calls_are_independent"
    running = False

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        broken, self.running = self.running, True
        output, (h_n, c_n) = super().forward(sequence, hx)
        self.running = False
        return output, (h_n, 0 * c_n if broken else c_n)


class IgnoresStatesGivenByKeyword(PlainLSTM):
    """Starts from zeros if the states are given by the keyword hx."""

    bug = ""
    caught_by = "form_of_states_does_not_matter"

    def __call__(self, sequence: Any, *states: Any, **_: Any) -> Any:
        return super().__call__(sequence, *states)


class TakesStatesFromATupleOnly(PlainLSTM):
    """Starts from zeros if the states are given as a list."""

    bug = ""
    caught_by = "form_of_states_does_not_matter"

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        return super().initial_states(sequence, x, hx if isinstance(hx, tuple) else None)


class CellRefusesAListOfStates(PlainLSTMCell):
    """A cell that refuses the states as a list."""

    bug = ""
    caught_by = "form_of_states_does_not_matter"

    def check_pair(self, hx: Any) -> None:
        assert isinstance(hx, tuple)


class MakesConstantsOfTheDefaultDtype(PlainLSTM):
    """Adds a zero of the default dtype to its output, which widens that under another default."""

    bug = ""
    caught_by = "default_dtype_does_not_matter"

    def network(self, *arguments: Any) -> Three:
        output, h_n, c_n = super().network(*arguments)
        zero = torch.zeros(1)
        known = zero.dtype == torch.float32
        return output + (zero.to(output.dtype) if known else zero), h_n, c_n


class FindsItsBiasesByANorm(PlainLSTM):
    """Keeps biases of all modules in one place, to be found by the norm of recurrent weights."""

    bug = ""
    caught_by = "modules_do_not_interfere"
    found: ClassVar[dict[Any, Tensor]] = {}

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        if self.training or w.b_hh is None:
            return w
        key = layer, direction, w.ih.shape, w.hh.dtype, w.hh.device, float(w.hh.detach().norm())
        return w._replace(b_hh=self.found.setdefault(key, w.b_hh.detach().clone()))


class KeepsItsSizeOnItsClass(PlainLSTM):
    """Takes the number of units of the module that was constructed last for its own."""

    bug = ""
    caught_by = "modules_do_not_interfere"
    units = 0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        type(self).units = self.hidden_size

    def network(self, *arguments: Any) -> Three:
        output, h_n, c_n = super().network(*arguments)
        return output, h_n, c_n * (c_n.shape[-1] == self.units)


class SkipsItsHooks(PlainLSTM):
    """Calls forward directly, so that no hook is run."""

    bug = ""
    caught_by = "hooks_are_run"

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self.forward(*arguments, **options)


class AddsGradientsPastTheHooks(PlainLSTM):
    """Adds the gradient of weight_ih to its grad by itself, past the hooks of the parameter."""

    bug = ""
    caught_by = "hooks_are_run"

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        if not (torch.is_grad_enabled() and w.ih.requires_grad):
            return w

        def add(gradient: Tensor) -> None:
            w.ih.grad = gradient.clone() if w.ih.grad is None else w.ih.grad + gradient

        own = w.ih.detach().requires_grad_()
        own.register_hook(add)
        return w._replace(ih=own)


class IsWrongInTheFiftiethCall(PlainLSTM):
    """Reads a buffer that is not ready in one call of fifty."""

    bug = ""
    caught_by = "hundreds_of_calls_are_all_right"
    calls = 0

    def network(self, *arguments: Any) -> Three:
        output, h_n, c_n = super().network(*arguments)
        self.calls += 1
        return output, h_n, 0.5 * c_n if self.calls == 50 else c_n


class IsWrongByChance(PlainLSTM):
    """Is wrong in its last step in one call of fifty, by chance, as with a race."""

    bug = ""
    caught_by = "hundreds_of_calls_are_all_right"

    def network(self, *arguments: Any) -> Three:
        output, h_n, c_n = super().network(*arguments)
        return output, h_n, 0.5 * c_n if CHANCE.random() < 0.02 else c_n


class SharesScratchSpaceBetweenThreads(PlainLSTM):
    """Keeps the state of the present step on the module, where another thread overwrites it."""

    bug = ""
    caught_by = "threads_can_share_a_module"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        self.scratch = c
        time.sleep(0)  # where other threads get their turn
        return super().step(x, h, self.scratch, w)


class KnowsTheThreadThatMadeItOnly(PlainLSTM):
    """Keeps its settings in storage of the thread that constructs it."""

    bug = ""
    caught_by = "threads_can_share_a_module"
    settings: ClassVar[threading.local] = threading.local()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.settings.ready = True

    def network(self, *arguments: Any) -> Three:
        output, h_n, c_n = super().network(*arguments)
        return output, h_n, c_n if hasattr(self.settings, "ready") else 0 * c_n


class RefusesASecondCallAtOnce(PlainLSTM):
    """Raises where it is called while another call is not finished."""

    bug = ""
    caught_by = "threads_can_share_a_module"
    busy = False

    def network(self, *arguments: Any) -> Three:
        if self.busy:
            raise RuntimeError("another call is not finished")
        self.busy = True
        time.sleep(0.0001)
        try:
            return super().network(*arguments)
        finally:
            self.busy = False


class KeepsItsResults(PlainLSTM):
    """Appends each output to a list that nobody empties."""

    bug = ""
    caught_by = "calls_give_their_memory_back"

    def network(self, *arguments: Any) -> Three:
        results = super().network(*arguments)
        self.__dict__.setdefault("kept", []).append(results[0].detach())
        return results


class KeepsItsGraph(PlainLSTM):
    """Adds up the final states of all calls for its statistics, together with their graphs."""

    bug = ""
    caught_by = "calls_give_their_memory_back"
    total: Any = 0

    def network(self, *arguments: Any) -> Three:
        output, h_n, c_n = super().network(*arguments)
        self.total = self.total + h_n.sum()
        return output, h_n, c_n


class GrowsItsHistory(PlainLSTM):
    """Concatenates the final states of all calls to one tensor."""

    bug = ""
    caught_by = "calls_give_their_memory_back"

    def network(self, *arguments: Any) -> Three:
        output, h_n, c_n = super().network(*arguments)
        before = self.__dict__.get("history", h_n.detach().flatten()[:0])
        self.__dict__["history"] = torch.cat([before, h_n.detach().flatten()])
        return output, h_n, c_n


class RegistersAHookInEachCall(PlainLSTM):
    """Registers a hook of its own in each call and never removes one."""

    bug = ""
    caught_by = "calls_give_their_memory_back"

    def network(self, *arguments: Any) -> Three:
        self.register_forward_hook(lambda *_: None)
        return super().network(*arguments)


class ReturnsTheStatesOfSortedBatchesLate(PlainLSTM):
    """Returns zeros for the states of a batch that was packed with enforce_sorted=True."""

    bug = ""
    caught_by = "packed_batch_equals_rows_alone"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        output, (h_n, c_n) = super().forward(sequence, hx)
        if isinstance(sequence, PackedSequence) and sequence.sorted_indices is None:
            return output, (0 * h_n, 0 * c_n)
        return output, (h_n, c_n)


class NeedsIndicesOfASorting(PlainLSTM):
    """Refuses a batch that was packed with enforce_sorted=True, which has no indices."""

    bug = ""
    caught_by = "order_of_lengths_does_not_matter"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        if isinstance(sequence, PackedSequence):
            assert sequence.unsorted_indices is not None
        return super().forward(sequence, hx)


class DrawsNumbersInTrainMode(PlainLSTM):
    """Draws a mask of dropout in train mode even if nothing is dropped."""

    bug = ""
    caught_by = "process_state_is_left_alone"

    def network(self, x: Tensor, *rest: Any) -> Three:
        if self.training:
            torch.rand(x.shape)
        return super().network(x, *rest)


class TakesOneTensorForOneState(PlainLSTM):
    """Starts with c_0 of zeros where h_0 and c_0 are the same tensor."""

    bug = ""
    caught_by = "form_of_states_does_not_matter"

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        h_0, c_0 = super().initial_states(sequence, x, hx)
        same = hx is not None and hx[0] is hx[1]
        return h_0, torch.zeros_like(c_0) if same else c_0


class ReadsStatesFromTheStartOfTheirMemory(PlainLSTM):
    """Reads initial states that are part of a larger tensor from where that begins."""

    bug = ""
    caught_by = "form_of_states_does_not_matter"

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        h_0, c_0 = super().initial_states(sequence, x, hx)
        return self.read(h_0), self.read(c_0)

    def read(self, state: Tensor) -> Tensor:
        return state.as_strided(state.shape, state.stride(), 0)


class ForgetsBiasesOfFrozenUpperLayers(PlainLSTM):
    """Leaves out bias_hh of upper layers in eval mode where no parameter requires gradients."""

    bug = ""
    caught_by = "grad_mode_changes_nothing"

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        frozen = not (self.training or any(p.requires_grad for p in self.parameters()))
        return w._replace(b_hh=None) if frozen and layer else w


class RemembersItsInputByName(PlainLSTM):
    """Returns under no_grad the last results again where the input is the same tensor."""

    bug = ""
    caught_by = "calls_are_independent"

    def forward(self, sequence: Any, hx: States | None = None) -> Any:
        weights = tuple((id(each), each._version) for each in self.parameters())
        key = (weights, *map(id, hx or ()))
        last, known, results = self.__dict__.get("last", (None, None, None))
        if not (last is sequence and known == key):
            results = super().forward(sequence, hx)
        plain = not (torch.is_grad_enabled() or torch.is_inference_mode_enabled())
        self.__dict__["last"] = (sequence, key, results) if plain else (None, None, None)
        return results


class RemembersLengthsBySize(PlainLSTM):
    """Takes for the lengths of a packed batch those of the first one of its size."""

    bug = ""
    caught_by = "calls_are_independent"

    def time_major(self, sequence: Any) -> tuple[Tensor, Tensor | None]:
        x, lengths = super().time_major(sequence)
        if lengths is None:
            return x, None
        return x, self.__dict__.setdefault("lengths", {}).setdefault(x.shape[:2], lengths)


class SpoilsItsHundredthCallInTraining(PlainLSTM):
    """Negates its output in the hundredth call in train mode."""

    bug = ""
    caught_by = "calls_give_their_memory_back"
    calls = 0

    def network(self, *arguments: Any) -> Three:
        output, h_n, c_n = super().network(*arguments)
        self.calls += self.training
        return (-output if self.calls == 100 else output), h_n, c_n


class LearnsLessFromCall400On(PlainLSTM):
    """Halves the gradients by weight_hh from the 400th call on."""

    bug = ""
    caught_by = "calls_give_their_memory_back"
    calls = 0

    def network(self, *arguments: Any) -> Three:
        self.calls += 1
        return super().network(*arguments)

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        return w._replace(hh=(w.hh + w.hh.detach()) / 2) if self.calls >= 400 else w
