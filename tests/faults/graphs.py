"""LSTMs that go wrong as a part of a larger graph: of computed, shared or changed tensors."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from torch.autograd import Function

from .plain import PlainLSTM, States, Weights
from .training import Backward, Three


def attached(tensor: Tensor) -> bool:
    return tensor.grad_fn is not None


class ChangesStates(PlainLSTM):
    """What several faults derive from: initial states that are given pass through a function."""

    def changed(self, h_0: Tensor, c_0: Tensor) -> States:
        raise NotImplementedError

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        given = None if hx is None else self.changed(*hx)
        return super().initial_states(sequence, x, given)


class DetachesComputedStates(ChangesStates):
    """Passes no gradient to initial states that come out of a computation, as a call before."""

    bug = ""
    caught_by = "gradients_pass_through_what_was_computed"

    def changed(self, h_0: Tensor, c_0: Tensor) -> States:
        return (h_0.detach(), c_0.detach()) if attached(h_0) else (h_0, c_0)


class TakesTheMeanGradientOfExpandedStates(ChangesStates):
    """Divides the gradient of an h_0 that is expanded over the rows by their number."""

    bug = ""
    caught_by = "gradients_pass_through_what_was_computed"

    def changed(self, h_0: Tensor, c_0: Tensor) -> States:
        if h_0.dim() == 3 and h_0.stride(1) == 0:
            rows = h_0.shape[1]
            h_0 = Backward.apply(h_0, lambda gradient: gradient / rows)
        return h_0, c_0


class DetachesAStateThatIsGivenTwice(ChangesStates):
    """Passes no gradient to c_0 where it is the same tensor as h_0."""

    bug = ""
    caught_by = "shared_parameters_learn_together"

    def changed(self, h_0: Tensor, c_0: Tensor) -> States:
        return h_0, c_0.detach() if c_0 is h_0 else c_0


class DetachesComputedWeights(PlainLSTM):
    """Passes no gradient to weights that come out of a computation."""

    bug = ""
    caught_by = "gradients_pass_through_what_was_computed"

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        return Weights._make(None if t is None else t.detach() if attached(t) else t for t in w)


class LearnsASharedParameterOnce(PlainLSTM):
    """Passes the gradient of a parameter that several layers share from the lowest layer alone."""

    bug = ""
    caught_by = "shared_parameters_learn_together"

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        return w._replace(hh=w.hh.detach()) if layer and w.hh is self.weight_hh_l0 else w


class Accumulated(Function):
    """The identity, whose backward adds the gradient to that in the parameter itself."""

    @staticmethod
    def forward(ctx: Any, parameter: Tensor) -> Tensor:
        ctx.parameter = parameter
        return parameter.view_as(parameter)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> None:
        before = ctx.parameter.grad
        ctx.parameter.grad = gradient.clone() if before is None else before + gradient


class WritesGradientsItself(PlainLSTM):
    """Adds the gradient of weight_ih to that in the parameter, and hands none to autograd."""

    bug = ""
    caught_by = "gradients_pass_through_what_was_computed"

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        return w._replace(ih=Accumulated.apply(w.ih)) if w.ih.requires_grad else w


class Kept(Function):
    """A right product that keeps its factors in a way that goes unnoticed when they change."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.factors = x.detach(), weight.detach()
        return F.linear(x, weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.factors
        return gradient @ weight, gradient.T @ x


class TakesChangedWeightsForThoseOfTheCall(PlainLSTM):
    """Multiplies in backward with weight_hh as it is then, without a word."""

    bug = ""
    caught_by = "later_changes_are_not_taken_for_earlier_values"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        a: Tensor = self.linear(x, w.ih, w.b_ih) + Kept.apply(h, w.hh)
        return a if w.b_hh is None else a + w.b_hh


class TakesChangedInputForThatOfTheCall(PlainLSTM):
    """Multiplies in backward with the input as it is then, without a word."""

    bug = ""
    caught_by = "later_changes_are_not_taken_for_earlier_values"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        a: Tensor = Kept.apply(x, w.ih) + self.linear(h, w.hh, w.b_hh)
        return a if w.b_ih is None else a + w.b_ih


class DifferentiatesInItsOwnThread(PlainLSTM):
    """Passes no gradient to its input in another thread than that of the call."""

    bug = ""
    caught_by = "calls_before_training_change_no_gradient"

    def network(self, x: Tensor, *rest: Any) -> Three:
        called = threading.get_ident()
        passed = Backward.apply(x, lambda each: each * (called == threading.get_ident()))
        return super().network(passed, *rest)


class MixesUpTheCallsOfThreads(PlainLSTM):
    """Keeps for backward which thread called last, and passes no gradient in another one."""

    bug = ""
    caught_by = "calls_before_training_change_no_gradient"

    def network(self, x: Tensor, *rest: Any) -> Three:
        self.__dict__["called"] = threading.get_ident()
        alone: Callable[[Tensor], Tensor] = lambda each: (  # noqa: E731
            each * (self.__dict__["called"] == threading.get_ident())
        )
        return super().network(Backward.apply(x, alone), *rest)


class BuildsAGraphWithoutGradients(PlainLSTM):
    """Computes with gradients under no_grad as well."""

    bug = ""
    caught_by = "grad_mode_changes_nothing"

    def network(self, *arguments: Any) -> Three:
        with torch.set_grad_enabled(not torch.is_inference_mode_enabled()):
            return super().network(*arguments)


class FlipsGradientsOfTransposedInput(PlainLSTM):
    """Gives the gradient of an input that is not contiguous the opposite order of time."""

    bug = ""
    caught_by = "layout_of_cotangents_does_not_matter"

    def network(self, x: Tensor, *rest: Any) -> Three:
        if not (x.is_contiguous() or x.transpose(0, 1).is_contiguous()):
            x = Backward.apply(x, lambda gradient: gradient.flip(0))
        return super().network(x, *rest)


class DetachesTheStatesItReturned(PlainLSTM):
    """Detaches initial states that its last call returned, to truncate back-propagation."""

    bug = ""
    caught_by = "gradients_pass_through_states_handed_on"

    def forward(self, sequence: Any, hx: States | None = None) -> Any:
        last = self.__dict__.get("last", ())
        if hx is not None and any(each is own for each in hx for own in last):
            hx = hx[0].detach(), hx[1].detach()
        output, states = super().forward(sequence, hx)
        self.__dict__["last"] = states
        return output, states


class WritesIntoTheStatesItReturned(PlainLSTM):
    """Puts its new states into the tensors that its last call returned, if it is given these."""

    bug = ""
    caught_by = "gradients_pass_through_states_handed_on"

    def forward(self, sequence: Any, hx: States | None = None) -> Any:
        last = self.__dict__.get("last", ())
        output, states = super().forward(sequence, hx)
        if hx is not None and any(each is own for each in hx for own in last):
            for old, new in zip(hx, states, strict=True):
                old.data.copy_(new.data)
        self.__dict__["last"] = states
        return output, states


class LearnsNoStatesAlone(PlainLSTM):
    """Makes no graph where neither the input nor a parameter requires gradients."""

    bug = ""
    caught_by = "frozen_leaves_change_no_other_gradient"

    def network(self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Any) -> Any:
        learns = x.requires_grad or any(each.requires_grad for each in self.parameters())
        with torch.set_grad_enabled(torch.is_grad_enabled() and learns):
            return super().network(x, h_0, c_0, lengths)


class LearnsNoBiasesAlone(PlainLSTM):
    """Makes no graph where no argument and no weight requires gradients."""

    bug = ""
    caught_by = "frozen_leaves_change_no_other_gradient"

    def network(self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Any) -> Any:
        weights = [each for name, each in self.named_parameters() if "weight" in name]
        learns = any(each.requires_grad for each in (x, h_0, c_0, *weights))
        with torch.set_grad_enabled(torch.is_grad_enabled() and learns):
            return super().network(x, h_0, c_0, lengths)
