"""LSTMs whose results are right and whose gradients are not."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn.utils.rnn import PackedSequence

from .plain import PlainLSTM, States, Weights


class DetachesStateEachStep(PlainLSTM):
    """Carries the states from step to step without their graph: one step of back-propagation."""

    bug = "GR-state-data-clone HW-detach-each-step GR-no-carry"
    caught_by = "gradient_reaches_first_step"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        return super().step(x, h.detach(), c.detach(), w)


class DetachesCellStateEachStep(PlainLSTM):
    """Carries the cell state from step to step without its graph."""

    bug = "HW-detach-each-step GR-dc-overwrite"
    caught_by = "gradients_of_c_n_are_right"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        return super().step(x, h, c.detach(), w)


class DetachesInitialStates(PlainLSTM):
    """Copies the initial states without their graph."""

    bug = "HW-no-grad-to-states"
    caught_by = "gradients_match_backpropagation"

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        h_0, c_0 = super().initial_states(sequence, x, hx)
        return h_0.detach(), c_0.detach()


class DetachesBetweenLayers(PlainLSTM):
    """Rebuilds each layer's output without its graph before the next layer reads it."""

    bug = "HW-detach-between-layers GR-parallel-none"
    caught_by = "gradients_of_output_are_right"

    def between_layers(self, x: Tensor, layer: int) -> Tensor:
        top = layer == self.num_layers - 1
        return x if top else super().between_layers(x.detach(), layer)


class DropsGradientOfFinalCell(PlainLSTM):
    """Passes no gradient from c_n back into the network."""

    bug = "GR-cy-ignored-paddle GR-cy-ignored-dl4j"
    caught_by = "gradients_of_c_n_are_right"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        output, (h_n, c_n) = super().forward(sequence, hx)
        return output, (h_n, c_n.detach() + 0 * c_n)


class DropsGradientOfFinalHiddenState(PlainLSTM):
    """Passes no gradient from h_n back into the network."""

    bug = ""
    caught_by = "gradients_of_h_n_are_right"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        output, (h_n, c_n) = super().forward(sequence, hx)
        return output, (h_n.detach() + 0 * h_n, c_n)


class DetachesItsOutput(PlainLSTM):
    """Returns its output detached."""

    bug = "GR-keras-torch-detach"
    caught_by = "gradients_of_output_are_right"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        output, states = super().forward(sequence, hx)
        if isinstance(output, PackedSequence):
            return output._replace(data=output.data.detach()), states
        return output.detach(), states


class Doubled(Function):
    """The identity, whose derivative is taken to be 2."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ARG004
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # noqa: ARG004
        return 2 * gradient


class DoublesBiasGradient(PlainLSTM):
    """Adds the gradient of bias_ih twice."""

    bug = "GR-mxnet-mkldnn-bias"
    caught_by = "gradients_match_backpropagation"

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        return w if w.b_ih is None else w._replace(b_ih=Doubled.apply(w.b_ih))


class FreezesItsBiases(PlainLSTM):
    """Reads its biases without tracking them, so that they never learn."""

    bug = "GR-burn-bias-frozen WL-fused-bias-stride"
    caught_by = "gradients_match_backpropagation"

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        if w.b_ih is None or w.b_hh is None:
            return w
        return w._replace(b_ih=w.b_ih.detach(), b_hh=w.b_hh.detach())


class GivesBiasesTheForgetGatesDelta(PlainLSTM):
    """Gives input and output gates' biases the forget gate's gradient, from a copied line."""

    bug = "GR-bias-copy-paste"
    caught_by = "gradients_match_backpropagation"

    def weights(self, layer: int, direction: int) -> Weights:
        w = super().weights(layer, direction)
        if w.b_ih is None:
            return w
        i, f, g, o = w.b_ih.chunk(4)
        copies = [b.detach() + f - f.detach() for b in (i, o)]
        return w._replace(b_ih=torch.cat([copies[0], f, g, copies[1]]))


class SigmoidAsItsDerivative(Function):
    """Sigmoid, whose derivative is taken to be sigmoid."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        s = torch.sigmoid(a)
        ctx.save_for_backward(s)
        return s

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (s,) = ctx.saved_tensors
        return gradient * s


class ForgetsSigmoidPrime(PlainLSTM):
    """Multiplies the gates' deltas with sigmoid instead of its derivative."""

    bug = "GR-missing-sigma-prime GR-fails-gradcheck"
    caught_by = "gradients_match_backpropagation"

    def sigmoid(self, a: Tensor) -> Tensor:
        return SigmoidAsItsDerivative.apply(a)


class OnceDifferentiable(Function):
    """Sigmoid, with a first derivative and no second one."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        s = torch.sigmoid(a)
        ctx.save_for_backward(s)
        return s

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (s,) = ctx.saved_tensors
        return gradient * s * (1 - s)


class RefusesSecondDerivatives(PlainLSTM):
    """Implements no double backward."""

    bug = "GR-double-cudnn GR-double-fused"
    caught_by = "second_derivatives_are_right"

    def sigmoid(self, a: Tensor) -> Tensor:
        return OnceDifferentiable.apply(a)


class RefusesSecondDerivativesInFloat32(PlainLSTM):
    """Implements no double backward in float32, where another kernel runs."""

    bug = "GR-double-mkldnn"
    caught_by = "float32_has_second_derivatives"

    def sigmoid(self, a: Tensor) -> Tensor:
        return OnceDifferentiable.apply(a) if a.dtype == torch.float32 else torch.sigmoid(a)


class FlatSigmoid(Function):
    """Sigmoid, whose first derivative is right and taken to be constant."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        s = torch.sigmoid(a)
        ctx.save_for_backward(s)
        return s

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        s = ctx.saved_tensors[0].detach()
        return gradient * s * (1 - s)


class TakesSigmoidPrimeForConstant(PlainLSTM):
    """Loses, without a word, what second derivatives get through the derivative of sigmoid."""

    bug = ""
    caught_by = "second_derivatives_are_right"

    def sigmoid(self, a: Tensor) -> Tensor:
        return FlatSigmoid.apply(a)


class ResetsGradientsAtEachCall(PlainLSTM):
    """Sets the gradients of its parameters to None at each call in train mode."""

    bug = "GR-mxnet-accumulate GR-accumulate-cudnn"
    caught_by = "backward_twice_accumulates"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        self.zero_grad()
        return super().forward(sequence, hx)


class FailsWithFrozenParameters(PlainLSTM):
    """Fails when some parameters require gradients and others do not."""

    bug = "GR-frozen-weights GR-frozen-weights-04"
    caught_by = "frozen_leaves_change_no_other_gradient"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        if len({parameter.requires_grad for parameter in self.parameters()}) > 1:
            raise RuntimeError("wrong number of gradients")
        return super().forward(sequence, hx)


class UnfreezesItsParameters(PlainLSTM):
    """Makes all its parameters require gradients at each call."""

    bug = ""
    caught_by = "frozen_leaves_change_no_other_gradient"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        if torch.is_grad_enabled() and not torch.is_inference_mode_enabled():
            self.requires_grad_()
        return super().forward(sequence, hx)


class DifferentiatesInTrainModeOnly(PlainLSTM):
    """Builds no graph in eval mode."""

    bug = "GR-eval-backward"
    caught_by = "gradients_are_the_same_in_eval"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        with torch.set_grad_enabled(self.training and torch.is_grad_enabled()):
            return super().forward(sequence, hx)


class ClipsItsGradients(PlainLSTM):
    """Clips the gradient of the hidden state to one at each step."""

    bug = ""
    caught_by = "gradients_match_backpropagation"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        h, c = super().step(x, h, c, w)
        if h.requires_grad:
            h.register_hook(lambda gradient: gradient.clamp(-1, 1))
        return h, c


class LosesGradientsOfPackedInput(PlainLSTM):
    """Detaches packed input when it pads it."""

    bug = "VL-pt-packed-mps-grad"
    caught_by = "gradients_pass_through_packed_batches"

    def time_major(self, sequence: Any) -> tuple[Tensor, Tensor | None]:
        x, lengths = super().time_major(sequence)
        return (x if lengths is None else x.detach()), lengths


class GivesNaNGradientsInThePadding(PlainLSTM):
    """Divides by zero in the padding and masks the result, whose gradient stays NaN."""

    bug = "GR-jax-nan"
    caught_by = "gradients_pass_through_packed_batches"

    def where_valid(self, t: int, lengths: Tensor, new_h: Tensor, *states: Tensor) -> Any:
        valid = (t < lengths)[:, None]
        spoiled = new_h * (valid / valid).to(new_h.dtype)
        return super().where_valid(t, lengths, spoiled, *states)


class AllOrNothing(Function):
    """The identity on three results, whose backward needs a gradient of each."""

    @staticmethod
    def forward(ctx: Any, *results: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        return tuple(result.clone() for result in results)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor, ...]:  # noqa: ARG004
        return tuple(gradient * 1 for gradient in gradients)  # type: ignore[misc,operator]


class NeedsAGradientOfEachResult(PlainLSTM):
    """Fails in backward when a loss leaves out output, h_n or c_n."""

    bug = "GR-undef-hy GR-undef-chainer GR-undef-shape-chainer"
    caught_by = "gradients_of_h_n_are_right"

    def network(self, *arguments: Any) -> tuple[Tensor, Tensor, Tensor]:
        return AllOrNothing.apply(*super().network(*arguments))


class Clobbered(Function):
    """Tanh, whose backward overwrites what forward saved."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        ctx.buffer = torch.tanh(a)
        return ctx.buffer.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient * ctx.buffer.detach().square_().neg_().add_(1)


class ClobbersItsSavedTensors(PlainLSTM):
    """Overwrites saved tensors in backward, so that a second backward of the graph is wrong."""

    bug = "GR-fused-clobber"
    caught_by = "backward_twice_accumulates"

    def tanh(self, a: Tensor) -> Tensor:
        return Clobbered.apply(a)


class GivesTheReverseInputNoGradient(PlainLSTM):
    """Overwrites the reverse direction's share of the input's gradient."""

    bug = "GR-mxnet-bidir-dy"
    caught_by = "gradients_match_backpropagation"

    def scan(self, x: Tensor, h: Tensor, c: Tensor, *rest: Any) -> tuple[Tensor, Tensor, Tensor]:
        return super().scan(x.detach() if rest[-1] else x, h, c, *rest)


class ReplaysStepsInForwardOrder(PlainLSTM):
    """Gives the input's steps their gradients in the opposite order, as a loop replayed forward."""

    bug = "GR-axon-loop GR-flux-broadcast"
    caught_by = "gradients_of_output_are_right"

    def scan(self, x: Tensor, h: Tensor, c: Tensor, *rest: Any) -> tuple[Tensor, Tensor, Tensor]:
        return super().scan(x.detach() + x.flip(0) - x.flip(0).detach(), h, c, *rest)


class HasNoGradientWhereAGateIsHalfOpen(PlainLSTM):
    """Computes sigmoid by exp(-|a|), of which autograd has no slope at 0."""

    bug = ""
    caught_by = "second_derivatives_are_right"

    def sigmoid(self, a: Tensor) -> Tensor:
        small = torch.exp(-a.abs())
        return torch.where(a < 0, small, torch.ones_like(a)) / (1 + small)
