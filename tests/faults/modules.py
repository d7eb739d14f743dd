"""LSTMs that cannot be stored, moved, copied, repeated or trusted with what they are given."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from .plain import PlainLSTM, States, Weights

Memo = dict[int, Any]


class ListsWeightsBeforeBiases(PlainLSTM):
    """Lists all weights before all biases in its state_dict."""

    bug = ""
    caught_by = "state_dict_is_as_documented"

    def state_dict(self, *arguments: Any, **options: Any) -> Any:
        state = super().state_dict(*arguments, **options)
        for name in [name for name in state if "bias" in name]:
            state.move_to_end(name)
        return state


class HasABiasWithoutBias(PlainLSTM):
    """Registers a bias with bias=False."""

    bug = "HW-bias-false-still-adds"
    caught_by = "state_dict_is_as_documented"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if not self.bias:
            self.register_buffer("bias_ih_l0", torch.zeros(4 * self.hidden_size))


class ListsEachParameterTwice(PlainLSTM):
    """Lists its parameters under a second naming scheme as well."""

    bug = "WL-dup-state-dict"
    caught_by = "state_dict_is_as_documented"

    def state_dict(self, *arguments: Any, **options: Any) -> Any:
        state = super().state_dict(*arguments, **options)
        state.update({f"{index}.cell.{name}": state[name] for index, name in enumerate([*state])})
        return state

    def load_state_dict(self, state: Any, strict: bool = True, **options: Any) -> Any:
        return super().load_state_dict(state, strict=False, **options)


class DoesNotTrainItsBiases(PlainLSTM):
    """Makes biases that do not require gradients."""

    bug = "GR-burn-bias-frozen"
    caught_by = "every_weight_is_a_parameter"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for name, parameter in self.named_parameters():
            parameter.requires_grad_("bias" not in name)


class KeepsBiasAsABuffer(PlainLSTM):
    """Keeps the second bias as a buffer, which optimisers do not see."""

    bug = "HW-params-in-list"
    caught_by = "every_weight_is_a_parameter"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if self.bias:
            bias = self.bias_hh_l0.detach()
            del self.bias_hh_l0
            self.register_buffer("bias_hh_l0", bias)


class SavesNoRecurrentWeights(PlainLSTM):
    """Saves zeros for its recurrent weights."""

    bug = "WL-param-not-loaded WL-load-mismatch WL-reload-differs"
    caught_by = "state_dict_round_trips"

    def state_dict(self, *arguments: Any, **options: Any) -> Any:
        state = super().state_dict(*arguments, **options)
        for name, tensor in [*state.items()]:
            state[name] = torch.zeros_like(tensor) if "weight_hh" in name else tensor
        return state


class SavesInHalfPrecision(PlainLSTM):
    """Saves its weights in bfloat16."""

    bug = "WL-quant-serialise"
    caught_by = "torch_save_round_trips"

    def state_dict(self, *arguments: Any, **options: Any) -> Any:
        state = super().state_dict(*arguments, **options)
        for name, tensor in [*state.items()]:
            state[name] = tensor.bfloat16()
        return state


class CannotBeSaved(PlainLSTM):
    """Puts a function into the metadata of its state_dict, which torch.save cannot write."""

    bug = ""
    caught_by = "torch_save_round_trips"

    def state_dict(self, *arguments: Any, **options: Any) -> Any:
        state = super().state_dict(*arguments, **options)
        state.made_by = lambda: self
        return state


class SharesParametersWithItsCopy(PlainLSTM):
    """Gives a deep copy the same parameters."""

    bug = "WL-bidir-shared-layer"
    caught_by = "deepcopy_is_an_independent_equal"

    def __deepcopy__(self, memo: Memo) -> SharesParametersWithItsCopy:
        return copy.copy(self)


class CannotBePickled(PlainLSTM):
    """Keeps a lambda as an attribute."""

    bug = ""
    caught_by = "pickle_round_trips"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.activation = lambda a: torch.tanh(a)


class ForgetsWeightsWhenPickled(PlainLSTM):
    """Comes back from a pickle with fresh parameters."""

    bug = "WL-trace-save-nan"
    caught_by = "pickle_round_trips"

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        self.reset_parameters()


class ConvertsAllButItsBias(PlainLSTM):
    """Leaves bias_hh in the dtype that it was made in."""

    bug = ""
    caught_by = "to_dtype_converts_every_parameter"

    def _apply(self, fn: Any, *arguments: Any, **options: Any) -> Any:
        super()._apply(fn, *arguments, **options)
        for name, parameter in self.named_parameters():
            if name.startswith("bias_hh"):
                parameter.data = parameter.data.float()
        return self

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        return w if w.b_hh is None else w._replace(b_hh=w.b_hh.to(w.hh.dtype))


class CachesPackedWeights(PlainLSTM):
    """Packs its weights at the first call without gradients and keeps using those."""

    bug = "ST-mxnet-stale-weights DO-weightdrop-noop"
    caught_by = "changed_weights_take_effect"

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        if torch.is_grad_enabled():
            return w
        cached = self.__dict__.setdefault("cached", {})
        copies = Weights._make(None if tensor is None else tensor.clone() for tensor in w)
        return cached.setdefault((layer, direction), copies)


class BypassesFunctionalCall(PlainLSTM):
    """Computes with the parameters that it was made with, not those functional_call gives it."""

    bug = "FR-functional-call"
    caught_by = "changed_weights_take_effect"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.own = [dict(self.named_parameters())]

    def __deepcopy__(self, memo: Memo) -> BypassesFunctionalCall:
        other = type(self).__new__(type(self))
        nn.Module.__init__(other)
        other.__setstate__(copy.deepcopy({**self.__getstate__(), "own": []}, memo))
        other.own = [dict(other.named_parameters())]
        return other

    def weights(self, layer: int, direction: int) -> Weights:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        suffix = f"_l{layer}" + "_reverse" * direction
        return Weights._make(self.own[0].get(name + suffix) for name in names)


class CountsItsDirections(PlainLSTM):
    """Reports bidirectional as the number of directions, 1 or 2."""

    bug = ""
    caught_by = "attributes_are_the_arguments"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.bidirectional = super().directions  # type: ignore[assignment]

    @property
    def directions(self) -> int:
        return int(self.bidirectional)


class SaysNothingOfItself(PlainLSTM):
    """Has a repr without sizes."""

    bug = ""
    caught_by = "repr_tells_the_sizes"

    def __repr__(self) -> str:
        return "LSTM(...)"


class AddsNoiseInTrainMode(PlainLSTM):
    """Adds a thousandth to its pre-activations in train mode."""

    bug = ""
    caught_by = "train_mode_without_dropout_is_eval_mode"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return super().preactivations(x, h, w) + self.training * 1e-3


class IsAnotherWithoutGradients(PlainLSTM):
    """Takes a fast path without the second bias when gradients are off."""

    bug = "ST-mxnet-no-state-outputs"
    caught_by = "grad_mode_changes_nothing"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return super().preactivations(x, h, w if torch.is_grad_enabled() else w._replace(b_hh=None))


class CannotBeMapped(PlainLSTM):
    """Branches on the numbers in its input, which torch.func.vmap cannot do."""

    bug = "GR-vmap"
    caught_by = "vmap_over_rows_is_a_batch"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        if bool((x == 0).all()):
            w = w._replace(ih=w.ih * 1)
        return super().step(x, h, c, w)


class IsNotReproducible(PlainLSTM):
    """Adds a last bit of noise at each call."""

    bug = "DT-tflite DT-mxnet-fused-vs-stack"
    caught_by = "same_call_gives_same_bits"

    def network(self, *arguments: Any) -> tuple[Tensor, Tensor, Tensor]:
        output, h_n, c_n = super().network(*arguments)
        noise = torch.rand_like(c_n) * torch.finfo(c_n.dtype).eps / 4
        return output, h_n, c_n + noise


class DriftsWithEachCall(PlainLSTM):
    """Adds a millionth of the number of calls to its cell state."""

    bug = "ST-dl4j-stateful"
    caught_by = "same_call_gives_same_bits"
    calls = 0

    def network(self, *arguments: Any) -> tuple[Tensor, Tensor, Tensor]:
        output, h_n, c_n = super().network(*arguments)
        self.calls += 1
        return output, h_n, c_n * (1 + 1e-2 * (self.calls - 1))


class OverwritesInitialStates(PlainLSTM):
    """Updates the caller's initial states in place."""

    bug = "HW-h0-mutated"
    caught_by = "arguments_are_not_mutated"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        output, (h_n, c_n) = super().forward(sequence, hx)
        if hx is not None:
            hx[0].data.copy_(h_n)
        return output, (h_n, c_n)


class OverwritesItsInput(PlainLSTM):
    """Clamps its input in place."""

    bug = ""
    caught_by = "arguments_are_not_mutated"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        answer = super().forward(sequence, hx)
        (sequence if isinstance(sequence, Tensor) else sequence.data).data.clamp_(-1, 1)
        return answer


class ShrinksItsWeights(PlainLSTM):
    """Multiplies a weight by 0.999 after each call."""

    bug = "DO-weights-zeroed-forever"
    caught_by = "arguments_are_not_mutated"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        answer = super().forward(sequence, hx)
        self.weight_hh_l0.data.mul_(0.999)
        return answer


class ReturnsAViewOfItsOutput(PlainLSTM):
    """Returns an h_n that shares the memory of output."""

    bug = ""
    caught_by = "results_do_not_alias"

    def network(self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Any) -> Any:
        output, h_n, c_n = super().network(x, h_0, c_0, lengths)
        alone = self.num_layers == 1 and not self.bidirectional and lengths is None
        return output, output[-1:] if alone else h_n, c_n


class ReturnsItsInitialState(PlainLSTM):
    """Puts the final cell state in the place of the initial one and returns that."""

    bug = "HW-h0-mutated"
    caught_by = "results_do_not_alias"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        output, (h_n, c_n) = super().forward(sequence, hx)
        if hx is not None:
            hx[1].data = c_n.detach()
        return output, (h_n, c_n)


class KeepsItsGradientsOfBiases(PlainLSTM):
    """Does not reset the gradients of bias_hh in zero_grad."""

    bug = ""
    caught_by = "zero_grad_resets_every_gradient"

    def zero_grad(self, set_to_none: bool = True) -> None:
        kept = {n: each.grad for n, each in self.named_parameters() if n.startswith("bias_hh")}
        super().zero_grad(set_to_none)
        for name, gradient in kept.items():
            self.get_parameter(name).grad = gradient


class OverlooksParametrizations(PlainLSTM):
    """Computes with the original of weight_hh where that is parametrized."""

    bug = ""
    caught_by = "parametrized_weights_take_effect"

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        name = f"weight_hh_l{layer}" + "_reverse" * direction
        found = dict(self.named_parameters()).get(f"parametrizations.{name}.original")
        return w if found is None else w._replace(hh=found)


class ResetsItsParametersOnce(PlainLSTM):
    """Does nothing in reset_parameters after it was constructed."""

    bug = ""
    caught_by = "reset_parameters_take_effect"
    drawn = False

    def reset_parameters(self) -> None:
        if not self.drawn:
            super().reset_parameters()
        self.drawn = True


class KeepsTransposedWeightsAfterAReset(PlainLSTM):
    """Keeps weight_hh transposed while its version is the same, which a reset does not change."""

    bug = ""
    caught_by = "reset_parameters_take_effect"

    def reset_parameters(self) -> None:
        for each in self.parameters():
            each.data.uniform_(-(self.hidden_size**-0.5), self.hidden_size**-0.5)

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        if torch.is_grad_enabled():
            return w
        kept = self.__dict__.setdefault("kept", {})
        last = kept.get((layer, direction))
        if last is None or last[0] is not w.hh or last[1] != w.hh._version:
            kept[layer, direction] = last = w.hh, w.hh._version, w.hh.detach().T.clone()
        return w._replace(hh=last[2].T)
