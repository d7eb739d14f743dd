"""LSTMs whose dropout is wrong where p is neither 0 nor 1: in masks, in scale or in gradients."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from .plain import PlainLSTM, States, Weights, unbatched
from .training import Backward


class Masking(PlainLSTM):
    """A right LSTM that multiplies by masks of its own."""

    packed_batch = False

    def network(self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Any) -> Any:
        self.packed_batch = lengths is not None
        return super().network(x, h_0, c_0, lengths)

    @property
    def draws(self) -> bool:
        return self.training and 0 < self.dropout < 1

    def mask(self, like: Tensor, layer: int) -> Tensor:
        """0 where a value of the shape of `like` is dropped, else 1 / (1 - p)."""
        return F.dropout(torch.ones_like(like), self.dropout)

    def masked(self, x: Tensor, mask: Tensor) -> Tensor:
        return x * mask

    def between_layers(self, x: Tensor, layer: int) -> Tensor:
        if not self.draws or layer == self.num_layers - 1:
            return super().between_layers(x, layer)
        return self.masked(x, self.mask(x.detach(), layer))


class DropsTheForwardHalfOnly(Masking):
    """Drops nothing of the reverse direction."""

    bug = ""
    caught_by = "dropout_rate_is_p"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        mask = super().mask(like, layer)
        if self.bidirectional:
            mask[..., self.output_size :] = 1
        return mask


class SharesMasksOverStepsWithBatchFirst(Masking):
    """Draws one mask for all steps with batch_first."""

    bug = ""
    caught_by = "dropout_is_drawn_anew"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        return super().mask(like[:1] if self.batch_first else like, layer)


class SharesMasksOverStepsWhenPacked(Masking):
    """Draws one mask for all steps of a packed batch."""

    bug = ""
    caught_by = "dropout_is_drawn_anew"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        return super().mask(like[:1] if self.packed_batch else like, layer)


class DrawsAMaskForEachDirection(Masking):
    """Draws the mask of a layer's input once for each direction that reads it, as cuDNN does."""

    bug = ""
    caught_by = "directions_read_the_same_mask"

    def between_layers(self, x: Tensor, layer: int) -> Tensor:
        return x

    def scan(
        self, x: Tensor, h: Tensor, c: Tensor, w: Weights, lengths: Any, reverse: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        if self.draws and w.ih is not self.weights(0, int(reverse)).ih:
            x = self.masked(x, self.mask(x.detach(), 0))
        return super().scan(x, h, c, w, lengths, reverse)


class RepeatsRandomNumbersInTheNextLayer(Masking):
    """Draws for half of the features what it drew for the other half in the layer below."""

    bug = ""
    caught_by = "dropout_is_drawn_anew"
    last: Tensor | None = None

    def mask(self, like: Tensor, layer: int) -> Tensor:
        mask = super().mask(like, layer)
        half = like.shape[-1] // 2
        if layer and self.last is not None and half:
            mask[..., :half] = self.last[..., half : 2 * half]
        self.last = mask
        return mask


class SharesMasksOverStepsInReverse(Masking):
    """Draws one mask for all steps of the reverse direction."""

    bug = ""
    caught_by = "dropout_is_drawn_anew"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        mask = super().mask(like, layer)
        mask[..., self.output_size :] = mask[:1, ..., self.output_size :].clone()
        return mask


class SharesMasksOverStepsAboveTheSecondLayer(Masking):
    """Draws one mask for all steps in the second gap between layers."""

    bug = ""
    caught_by = "dropout_is_drawn_anew"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        return super().mask(like[:1] if layer == 1 else like, layer)


class SharesMasksOverStepsInFloat16(Masking):
    """Draws one mask for all steps in float16."""

    bug = ""
    caught_by = "dropout_is_drawn_anew"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        return super().mask(like[:1] if like.dtype == torch.float16 else like, layer)


class SharesMasksBetweenDirections(Masking):
    """Drops the same features of both directions."""

    bug = ""
    caught_by = "dropout_is_drawn_anew"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        half = super().mask(like[..., : self.output_size], layer)
        return torch.cat([half] * self.directions, -1)


class FlipsTheMaskForTheReverseDirection(Masking):
    """Drops of the reverse direction what it dropped of the forward one, in the order of steps."""

    bug = ""
    caught_by = "dropout_is_drawn_anew"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        half = super().mask(like[..., : self.output_size], layer)
        return torch.cat([half, half.flip(0)][: self.directions], -1)


class SharesMasksBetweenGaps(Masking):
    """Draws one mask in a call, for all gaps between layers."""

    bug = ""
    caught_by = "dropout_rate_is_p"
    drawn: Tensor

    def mask(self, like: Tensor, layer: int) -> Tensor:
        if layer == 0:
            self.drawn = super().mask(like, layer)
        return self.drawn


class SharesMasksBetweenTwoRows(Masking):
    """Draws one mask for each two rows that follow one another."""

    bug = ""
    caught_by = "dropout_is_drawn_anew"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        half = super().mask(like[:, ::2], layer)
        return half.repeat_interleave(2, 1)[:, : like.shape[1]]


class RepeatsMasksEveryFourthStep(Masking):
    """Draws masks for four steps, and repeats them."""

    bug = ""
    caught_by = "dropout_is_drawn_anew"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        four = super().mask(like[:4], layer)
        return four.repeat(1 + len(like) // 4, 1, 1)[: len(like)]


class RepeatsMasksAtEverySecondCall(Masking):
    """Draws masks at every other call, and uses each once more."""

    bug = ""
    caught_by = "dropout_is_drawn_anew"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        kept = self.__dict__.setdefault("kept", {})
        key = layer, like.shape
        return kept.pop(key) if key in kept else kept.setdefault(key, super().mask(like, layer))


class DropsWholeFeatures(Masking):
    """Drops a feature of a row at all steps or at none, as Dropout1d does."""

    bug = ""
    caught_by = "dropout_is_drawn_anew"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        whole: Tensor = F.dropout1d(torch.ones_like(like.permute(1, 2, 0)), self.dropout)
        return whole.permute(2, 0, 1)


class DropsInTheFirstGapOnly(Masking):
    """Drops nothing above the second layer."""

    bug = ""
    caught_by = "survivors_are_scaled"

    def between_layers(self, x: Tensor, layer: int) -> Tensor:
        return x if layer and self.draws else super().between_layers(x, layer)


class NeverDropsTheLastFeature(Masking):
    """Keeps the last feature, as if it had one fewer."""

    bug = ""
    caught_by = "dropout_rate_is_p"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        mask = super().mask(like, layer)
        mask[..., -1] = 1 / (1 - self.dropout)
        return mask


class DropsOneInTwo(Masking):
    """Drops with probability 1/2 whatever p is, and scales by 1 / (1 - p)."""

    bug = ""
    caught_by = "dropout_rate_is_p"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        return (torch.rand_like(like) < 0.5).to(like.dtype) / (1 - self.dropout)


class DropsATenthTooMany(Masking):
    """Drops with probability 1.1 p, and scales by 1 / (1 - p)."""

    bug = ""
    caught_by = "dropout_rate_is_p"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        drawn = torch.rand(like.shape, dtype=torch.float64, device=like.device)
        return (drawn >= 1.1 * self.dropout).to(like.dtype) / (1 - self.dropout)


class KeepsWithProbabilityPInFloat16(Masking):
    """Takes p in float16 for the probability to keep."""

    bug = ""
    caught_by = "dropout_rate_is_p"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        if like.dtype != torch.float16:
            return super().mask(like, layer)
        return (torch.rand(like.shape) < self.dropout).to(like.dtype) / (1 - self.dropout)


class DoesNotScaleAboveTheSecondLayer(Masking):
    """Drops in the second gap without multiplying what is left by 1 / (1 - p)."""

    bug = ""
    caught_by = "survivors_are_scaled"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        mask = super().mask(like, layer)
        return mask * (1 - self.dropout) if layer == 1 else mask


class DoesNotScaleTheReverseDirection(Masking):
    """Does not multiply what is left of the reverse direction by 1 / (1 - p)."""

    bug = ""
    caught_by = "survivors_are_scaled"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        mask = super().mask(like, layer)
        mask[..., self.output_size :] *= 1 - self.dropout
        return mask


class ScalesTwice(Masking):
    """Multiplies what is left by 1 / (1 - p) squared."""

    bug = ""
    caught_by = "survivors_are_scaled"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        return super().mask(like, layer) / (1 - self.dropout)


class ScalesInFloat16(Masking):
    """Rounds 1 / (1 - p) to float16."""

    bug = ""
    caught_by = "survivors_are_scaled"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        return super().mask(like, layer).half().to(like.dtype)


class ScalesByWhatIsLeft(Masking):
    """Divides what is left by the share that is left instead of by 1 - p."""

    bug = ""
    caught_by = "survivors_are_scaled"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        kept = (super().mask(like, layer) > 0).to(like.dtype)
        return kept / kept.mean().clamp(min=1 / 1024)


class KeepsAHundredthOfWhatItDrops(Masking):
    """Multiplies what it drops by a hundredth instead of 0."""

    bug = ""
    caught_by = "survivors_are_scaled"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        mask = super().mask(like, layer)
        return torch.where(mask > 0, mask, torch.full_like(mask, 0.01))


class DropsToANegativeNumber(Masking):
    """Replaces what it drops by a negative number and keeps the variance, as AlphaDropout does."""

    bug = ""
    caught_by = "survivors_are_scaled"

    def masked(self, x: Tensor, mask: Tensor) -> Tensor:
        return F.alpha_dropout(x, self.dropout, training=True)


class DropsUpperRecurrences(Masking):
    """Applies dropout to the hidden state that the next step of an upper layer sees."""

    bug = ""
    caught_by = "dropout_acts_between_layers_only"
    upper = False

    def layer(self, x: Tensor, h_0: Tensor, c_0: Tensor, layer: int, lengths: Any) -> Any:
        self.upper = layer > 0
        return super().layer(x, h_0, c_0, layer, lengths)

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        drops = self.upper and self.draws
        return super().step(x, F.dropout(h, self.dropout) if drops else h, c, w)


class DropsItsOutputTooWherePIsSmall(Masking):
    """Applies dropout to the last layer's output too, but where p is 1."""

    bug = ""
    caught_by = "dropout_acts_between_layers_only"

    def network(self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Any) -> Any:
        output, h_n, c_n = super().network(x, h_0, c_0, lengths)
        drops = self.draws and self.num_layers > 1
        return F.dropout(output, self.dropout) if drops else output, h_n, c_n


class DropsItsInputTooWherePIsSmall(Masking):
    """Applies dropout to the input of the first layer too, but where p is 1."""

    bug = ""
    caught_by = "dropout_acts_between_layers_only"

    def network(self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Any) -> Any:
        drops = self.draws and self.num_layers > 1
        return super().network(F.dropout(x, self.dropout) if drops else x, h_0, c_0, lengths)


class DropsInEvalWherePIsSmall(Masking):
    """Applies dropout in eval mode as well, but where p is 1/4 or more."""

    bug = ""
    caught_by = "dropout_is_identity_in_eval"

    @property
    def draws(self) -> bool:
        return 0 < self.dropout < (1 if self.training else 0.25)


class Multiplied(torch.autograd.Function):
    """A product with a mask whose gradient has another mask."""

    @staticmethod
    def forward(context: Any, x: Tensor, mask: Tensor, other: Tensor) -> Tensor:
        context.save_for_backward(other)
        return x * mask

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return gradient * context.saved_tensors[0], None, None


class MaskingBackwards(Masking):
    """A right LSTM that multiplies by one mask, and its gradients by another."""

    def other(self, mask: Tensor) -> Tensor:
        return mask

    def masked(self, x: Tensor, mask: Tensor) -> Tensor:
        product: Tensor = Multiplied.apply(x, mask, self.other(mask))
        return product


class DrawsAnotherMaskForBackward(MaskingBackwards):
    """Draws a mask for the gradients anew, as recomputation without the random state does."""

    bug = ""
    caught_by = "gradients_have_the_mask_of_the_results"

    def other(self, mask: Tensor) -> Tensor:
        return self.mask(mask, 0)


class DoesNotScaleGradients(MaskingBackwards):
    """Does not multiply the gradients of what is left by 1 / (1 - p)."""

    bug = ""
    caught_by = "gradients_have_the_mask_of_the_results"

    def other(self, mask: Tensor) -> Tensor:
        return (mask > 0).to(mask.dtype)


class PassesGradientsToWhatItDropped(MaskingBackwards):
    """Passes a tenth of the gradient to what it dropped."""

    bug = ""
    caught_by = "gradients_have_the_mask_of_the_results"

    def other(self, mask: Tensor) -> Tensor:
        return torch.where(mask > 0, mask, torch.full_like(mask, 0.1))


class MisalignsMasksOfPackedGradients(MaskingBackwards):
    """Multiplies gradients of a packed batch by the masks of the rows beside."""

    bug = ""
    caught_by = "gradients_have_the_mask_of_the_results"

    def other(self, mask: Tensor) -> Tensor:
        return mask.roll(1, 1) if self.packed_batch else mask


class ScalesGradientsInBfloat16(MaskingBackwards):
    """Rounds the 1 / (1 - p) of its gradients to bfloat16."""

    bug = ""
    caught_by = "gradients_have_the_mask_of_the_results"

    def other(self, mask: Tensor) -> Tensor:
        return mask.bfloat16().to(mask.dtype)


class DropsInThreeGapsOnly(Masking):
    """Drops nothing above the fourth layer."""

    bug = ""
    caught_by = "large_networks_drop_everywhere"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        return super().mask(like, layer) if layer < 3 else torch.ones_like(like)


class RepeatsMasksEvery64Features(Masking):
    """Draws masks for 64 features, and repeats them."""

    bug = ""
    caught_by = "large_networks_drop_everywhere"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        return super().mask(like[..., :64], layer)[..., torch.arange(like.shape[-1]) % 64]


class DropsNothingInRowsFrom64On(Masking):
    """Drops nothing in rows from 64 on."""

    bug = ""
    caught_by = "large_networks_drop_everywhere"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        return torch.cat([super().mask(like[:, :64], layer), torch.ones_like(like[:, 64:])], 1)


class DropsNothingWithoutBiases(Masking):
    """Drops nothing without biases."""

    bug = ""
    caught_by = "large_networks_drop_everywhere"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        return super().mask(like, layer) if self.bias else torch.ones_like(like)


class SharesMasksOverStepsWithoutABatch(Masking):
    """Draws one mask for all steps without a batch."""

    bug = ""
    caught_by = "large_networks_drop_everywhere"
    alone = False

    def forward(self, sequence: Any, hx: States | None = None) -> Any:
        self.alone = unbatched(sequence)
        return super().forward(sequence, hx)

    def mask(self, like: Tensor, layer: int) -> Tensor:
        return super().mask(like[:1] if self.alone else like, layer)


class MaskingLater(Masking):
    """A right LSTM that finds its mask anew in the backward pass."""

    def found(self, mask: Tensor) -> Tensor:
        return mask

    def masked(self, x: Tensor, mask: Tensor) -> Tensor:
        passed: Tensor = Backward.apply(x, lambda gradient: gradient * self.found(mask))
        return x.detach() * mask + (passed - passed.detach())


class LooksAtItsModeInBackward(MaskingLater):
    """Passes all gradients where the module is in eval mode by then."""

    bug = ""
    caught_by = "gradients_have_the_mask_of_the_results"

    def found(self, mask: Tensor) -> Tensor:
        return mask if self.training else torch.ones_like(mask)


class TakesTheMaskOfItsLastCall(MaskingLater):
    """Multiplies gradients by the mask that was drawn last, in networks of two layers."""

    bug = ""
    caught_by = "gradients_have_the_mask_of_the_results"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        self.__dict__["last"] = super().mask(like, layer)
        return self.__dict__["last"].clone()

    def found(self, mask: Tensor) -> Tensor:
        last: Tensor = self.__dict__["last"]
        return last if self.num_layers == 2 and last.shape == mask.shape else mask


class SharesMasksInRowsOfOneStep(PlainLSTM):
    """Draws one number for all features of the packed rows that have one step."""

    bug = ""
    caught_by = "dropout_is_drawn_anew"
    alone: Any = None

    def network(self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Any) -> Any:
        self.alone = None if lengths is None else (lengths == 1)[:, None]
        return super().network(x, h_0, c_0, lengths)

    def dropped(self, x: Tensor) -> Tensor:
        if self.alone is None or not (self.training and 0 < self.dropout < 1):
            return super().dropped(x)
        mask = F.dropout(torch.ones_like(x[..., :1]), self.dropout)
        return torch.where(self.alone, x * mask, super().dropped(x))


class DropsTwiceInRowsOfOneStep(SharesMasksInRowsOfOneStep):
    """Drops values a second time in the packed rows that have one step, and scales them once."""

    bug = ""
    caught_by = "dropout_rate_is_p"

    def dropped(self, x: Tensor) -> Tensor:
        dropped = super(SharesMasksInRowsOfOneStep, self).dropped(x)
        if self.alone is None or not (self.training and 0 < self.dropout < 1):
            return dropped
        kept = F.dropout(torch.ones_like(x), self.dropout) > 0
        return torch.where(self.alone, dropped * kept, dropped)


class DrawsTheMasksOfAnotherModule(Masking):
    """Draws from a generator of its own, which begins as every other does from a seed of torch."""

    bug = ""
    caught_by = "dropout_is_drawn_anew"

    def mask(self, like: Tensor, layer: int) -> Tensor:
        begun = torch.initial_seed(), hash(bytes(torch.get_rng_state().tolist()))
        if self.__dict__.get("begun") != begun:
            self.__dict__["drawn"] = torch.Generator().manual_seed(begun[0] % 2**32)
        self.__dict__["begun"] = begun
        numbers = torch.rand(like.shape, generator=self.__dict__["drawn"])
        return (numbers >= self.dropout).to(like.dtype) / (1 - self.dropout)
