"""LSTMs that go wrong in training as it is done: many calls, steps, frozen leaves, cotangents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from .gradients import Doubled
from .numerics import as_if_contiguous
from .plain import PlainLSTM, States, Weights

Three = tuple[Tensor, Tensor, Tensor]


class Backward(Function):
    """The identity, whose backward is the function that it is given."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, changed: Callable[[Tensor], Tensor]) -> Tensor:
        ctx.changed = changed
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return ctx.changed(gradient), None


class ChangesGradients(PlainLSTM):
    """What several faults derive from: gradients of the outputs pass through a function."""

    def changed(self, gradient: Tensor) -> Tensor:
        raise NotImplementedError

    def network(self, *arguments: Any) -> Three:
        output, h_n, c_n = super().network(*arguments)
        return Backward.apply(output, self.changed), h_n, c_n


class KeepsWhatBackwardNeedsOnTheModule(PlainLSTM):
    """Keeps its output for backward on the module, where the next call puts another."""

    bug = ""
    caught_by = "calls_before_one_backward_add_up"

    def network(self, *arguments: Any) -> Three:
        output, h_n, c_n = super().network(*arguments)
        self.saved = output.detach()

        def changed(gradient: Tensor, own: Tensor = self.saved) -> Tensor:
            return gradient if self.saved is own else 0 * gradient

        return Backward.apply(output, changed), h_n, c_n


class ReusesItsWorkspaceBySize(PlainLSTM):
    """Keeps its output for backward in a workspace that calls of the same size share."""

    bug = ""
    caught_by = "calls_before_one_backward_add_up"

    def network(self, *arguments: Any) -> Three:
        output, h_n, c_n = super().network(*arguments)
        spaces = self.__dict__.setdefault("spaces", {})
        own = spaces[output.shape] = output.detach()

        def changed(gradient: Tensor) -> Tensor:
            return gradient if spaces[own.shape] is own else 0 * gradient

        return Backward.apply(output, changed), h_n, c_n


class LosesGradientsInTheThirdPass(PlainLSTM):
    """Frees what backward needs after two passes through a graph, whatever is retained."""

    bug = ""
    caught_by = "backward_twice_accumulates"

    def network(self, *arguments: Any) -> Three:
        passes: list[int] = []

        def changed(gradient: Tensor) -> Tensor:
            passes.append(1)
            return gradient if len(passes) < 3 else 0 * gradient

        output, h_n, c_n = super().network(*arguments)
        return Backward.apply(output, changed), h_n, c_n


class DoublesAGradientWithoutThatOfItsInput(PlainLSTM):
    """Doubles the gradient of weight_ih where the input needs none and all parameters do."""

    bug = ""
    caught_by = "frozen_leaves_change_no_other_gradient"

    def network(self, x: Tensor, *rest: Any) -> Three:
        self.doubles = not x.requires_grad and all(p.requires_grad for p in self.parameters())
        return super().network(x, *rest)

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        return w._replace(ih=Doubled.apply(w.ih)) if self.doubles and layer == 0 else w


class DifferentiatesForItsParametersOnly(PlainLSTM):
    """Halves the gradient of its input where no weight requires gradients."""

    bug = ""
    caught_by = "frozen_leaves_change_no_other_gradient"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        if w.ih.requires_grad or w.hh.requires_grad or not x.requires_grad:
            return super().step(x, h, c, w)
        return super().step(0.5 * x + 0.5 * x.detach(), h, c, w)


class RemembersThatItWasFrozen(PlainLSTM):
    """Passes no gradient to parameters that were frozen when it was first called."""

    bug = ""
    caught_by = "frozen_leaves_change_no_other_gradient"
    frozen: bool | None = None

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        if self.frozen is None:
            self.frozen = not w.ih.requires_grad
        return (
            Weights._make(None if each is None else each.detach() for each in w)
            if self.frozen
            else w
        )


class StopsAtFrozenRecurrentWeights(PlainLSTM):
    """Passes no gradient to earlier steps where weight_hh alone is frozen."""

    bug = ""
    caught_by = "frozen_leaves_change_no_other_gradient"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        frozen = w.ih.requires_grad and not w.hh.requires_grad
        return super().preactivations(x, h.detach() if frozen else h, w)


class RemembersThatGradientsWereOff(PlainLSTM):
    """Builds no graph after a call without gradients in train mode, as for an evaluation."""

    bug = ""
    caught_by = "calls_before_training_change_no_gradient"
    off = False

    def network(self, x: Tensor, *rest: Any) -> Three:
        self.off = self.off or (self.training and not torch.is_grad_enabled())
        return super().network(x.detach() + 0 * x if self.off else x, *rest)


class KeepsTensorsOfInferenceMode(PlainLSTM):
    """Keeps a factor of one that it makes in its first call, which may be an inference tensor."""

    bug = ""
    caught_by = "calls_before_training_change_no_gradient"
    one: Tensor | None = None

    def hidden_state(self, o: Tensor, c: Tensor) -> Tensor:
        if self.one is None or self.one.dtype != c.dtype:
            self.one = c.new_ones(())
        return super().hidden_state(o, c) * self.one


class DetachesAfterAnException(PlainLSTM):
    """Passes no gradient to its input after a call that raised."""

    bug = ""
    caught_by = "calls_before_training_change_no_gradient"
    running = False

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        self.broken, self.running = self.running, True
        answer = super().forward(sequence, hx)
        self.running = False
        return answer

    def network(self, x: Tensor, *rest: Any) -> Three:
        return super().network(x.detach() + 0 * x if self.broken else x, *rest)


class ReadsCotangentsAsContiguous(ChangesGradients):
    """Reads the memory of the output's gradient as if it were contiguous."""

    bug = ""
    caught_by = "layout_of_cotangents_does_not_matter"

    def changed(self, gradient: Tensor) -> Tensor:
        return as_if_contiguous(gradient)


class RefusesExpandedCotangents(PlainLSTM):
    """Raises in backward where the gradient of h_n is expanded, as that of a sum is."""

    bug = ""
    caught_by = "layout_of_cotangents_does_not_matter"

    def network(self, *arguments: Any) -> Three:
        output, h_n, c_n = super().network(*arguments)
        return (
            output,
            Backward.apply(h_n, lambda gradient: gradient.view(-1).view_as(gradient)),
            c_n,
        )


class ClipsGradientsAtAHundred(ChangesGradients):
    """Clips the gradient of the output to a hundred."""

    bug = ""
    caught_by = "gradients_scale_with_cotangents"

    def changed(self, gradient: Tensor) -> Tensor:
        return (
            gradient.clamp(-100, 100) if gradient.dtype != torch.float16 else gradient.clamp(-9, 9)
        )


class FlushesSmallGradients(ChangesGradients):
    """Takes gradients of the output below a thousandth of a thousandth for zero."""

    bug = ""
    caught_by = "gradients_scale_with_cotangents"

    def changed(self, gradient: Tensor) -> Tensor:
        return gradient.masked_fill(gradient.abs() < 1e-6, 0)


class ReplacesNaNInGradients(ChangesGradients):
    """Takes NaN in the gradient of the output for zero."""

    bug = ""
    caught_by = "nan_cotangent_stays_in_its_row"

    def changed(self, gradient: Tensor) -> Tensor:
        return gradient.nan_to_num(0.0)


class SpreadsNaNInGradients(ChangesGradients):
    """Subtracts and adds the mean gradient of all rows, which is NaN if one is."""

    bug = ""
    caught_by = "nan_cotangent_stays_in_its_row"

    def changed(self, gradient: Tensor) -> Tensor:
        return gradient + 0 * gradient.mean()


class KeepsAStaleCopyInTraining(PlainLSTM):
    """Keeps a copy of weight_hh from its first call in train mode, which no step refreshes."""

    bug = ""
    caught_by = "changed_weights_take_effect"

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        if not self.training:
            return w
        copies = self.__dict__.setdefault("copies", {})
        copy = copies.setdefault((layer, direction), w.hh.detach().clone())
        return w._replace(hh=w.hh + (copy - w.hh).detach())


class CachesByVersion(PlainLSTM):
    """Copies its weights anew when their version changes, which an edit of .data does not do."""

    bug = ""
    caught_by = "changed_weights_take_effect"

    def stamp(self, w: Weights) -> Any:
        return w.hh._version, w.hh.data_ptr()

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        if torch.is_inference_mode_enabled() or not isinstance(w.hh, torch.nn.Parameter):
            return w
        cache = self.__dict__.setdefault("cache", {})
        stamp, copy = cache.get((layer, direction), (None, w.hh))
        if stamp != self.stamp(w):
            copy = w.hh.detach().clone()
            cache[layer, direction] = self.stamp(w), copy
        return w._replace(hh=w.hh + (copy - w.hh).detach())


class CachesByAddress(CachesByVersion):
    """Copies its weights anew when they lie elsewhere in memory."""

    bug = ""
    caught_by = "changed_weights_take_effect"

    def stamp(self, w: Weights) -> Any:
        return w.hh.data_ptr()


class CachesByIdentity(CachesByVersion):
    """Copies its weights anew when they are other parameters."""

    bug = ""
    caught_by = "changed_weights_take_effect"

    def stamp(self, w: Weights) -> Any:
        return id(w.hh)


class CachesUntilInputWeightsChange(CachesByVersion):
    """Copies its recurrent weights anew when weight_ih is another one than before."""

    bug = ""
    caught_by = "changed_weights_take_effect"

    def stamp(self, w: Weights) -> Any:
        return w.ih.detach().double().sum().item()


class KeepsItsFirstBiases(PlainLSTM):
    """Adds up its two biases once, in the first call in eval mode, and uses that sum there."""

    bug = ""
    caught_by = "changed_weights_take_effect"

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        if self.training or w.b_ih is None or w.b_hh is None:
            return w
        sums = self.__dict__.setdefault("sums", {})
        both = sums.setdefault((layer, direction), (w.b_ih + w.b_hh).detach())
        return w._replace(b_ih=both.to(w.b_ih.dtype), b_hh=0 * w.b_hh)


class ReadsWeightsAsContiguous(PlainLSTM):
    """Reads the memory of weight_ih as if it were contiguous."""

    bug = ""
    caught_by = "layout_of_weights_does_not_matter"

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        return w._replace(ih=w.ih + (as_if_contiguous(w.ih.detach()) - w.ih).detach())


class ListsItsWeightsOnce(PlainLSTM):
    """Lists its parameters when it is first called, and does not see that one is replaced."""

    bug = ""
    caught_by = "changed_weights_take_effect"

    def weights(self, layer: int, direction: int) -> Weights:
        listed = self.__dict__.setdefault("listed", {})
        w = super().weights(layer, direction)
        return (
            w
            if not isinstance(w.ih, torch.nn.Parameter)
            else listed.setdefault((layer, direction, w.ih.dtype), w)
        )

    def __getstate__(self) -> Any:
        state = dict(super().__getstate__())
        state.pop("listed", None)
        return state


class ComesBackInTrainMode(PlainLSTM):
    """Is in train mode when it comes back from a pickle."""

    bug = ""
    caught_by = "pickle_round_trips"

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        self.train()


class IsCopiedInEvalMode(PlainLSTM):
    """Gives a deep copy that is in eval mode."""

    bug = ""
    caught_by = "deepcopy_is_an_independent_equal"

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        self.eval()


class UnfreezesItsCopy(PlainLSTM):
    """Gives a deep copy all of whose parameters require gradients."""

    bug = ""
    caught_by = "deepcopy_is_an_independent_equal"

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        self.requires_grad_()


class LoadsWhateverFits(PlainLSTM):
    """Loads what fits of a state_dict and leaves out the rest."""

    bug = ""
    caught_by = "state_dict_that_does_not_fit_is_refused"

    def load_state_dict(self, state: Any, strict: bool = True, **options: Any) -> Any:
        own = self.state_dict()
        fits = {n: each for n, each in state.items() if n in own and own[n].shape == each.shape}
        return super().load_state_dict({**own, **fits}, strict, **options)


class BroadcastsLoadedWeights(PlainLSTM):
    """Loads a tensor of one row into each row of a parameter."""

    bug = ""
    caught_by = "state_dict_that_does_not_fit_is_refused"

    def load_state_dict(self, state: Any, strict: bool = True, **options: Any) -> Any:
        own = self.state_dict()
        wide = {n: t.expand_as(own[n]) if n in own and len(t) == 1 else t for n, t in state.items()}
        return super().load_state_dict(wide, strict, **options)


class KeepsWeightsUntilItsModeChanges(PlainLSTM):
    """Copies weight_hh in its first call without gradients, until train or eval is called."""

    bug = ""
    caught_by = "changed_weights_take_effect"

    def train(self, mode: bool = True) -> Any:
        self.__dict__["copies"] = {}
        return super().train(mode)

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        if torch.is_grad_enabled():
            return w
        key = layer, direction, w.hh.dtype
        return w._replace(hh=self.__dict__["copies"].setdefault(key, w.hh.clone()))
