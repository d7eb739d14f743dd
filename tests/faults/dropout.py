"""LSTMs that drop the wrong things."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from .plain import PlainLSTM, States, Weights


class DropsInEval(PlainLSTM):
    """Applies dropout in eval mode as well."""

    bug = "HW-dropout-eval DO-inference-cudnn"
    caught_by = "dropout_is_identity_in_eval"

    def dropped(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, training=True)


class RemembersItsMaskInEval(PlainLSTM):
    """Drops in eval mode what it dropped in train mode before, as from a cached graph."""

    bug = "DO-mps-train-eval-cache"
    caught_by = "dropout_is_identity_in_eval"

    def dropped(self, x: Tensor) -> Tensor:
        masks = self.__dict__.setdefault("masks", {})
        if self.training:
            masks[x.shape] = F.dropout(torch.ones_like(x), self.dropout)
        return x * masks[x.shape] if x.shape in masks else x


class DropsItsOutput(PlainLSTM):
    """Applies dropout to the last layer's output too."""

    bug = "HW-dropout-last-layer DO-policy-cudnn"
    caught_by = "dropout_spares_a_single_layer"

    def between_layers(self, x: Tensor, layer: int) -> Tensor:
        return self.dropped(x)


class DropsTheRecurrence(PlainLSTM):
    """Applies dropout to the hidden state that the next step sees."""

    bug = "HW-dropout-recurrent DO-on-hidden"
    caught_by = "dropout_spares_a_single_layer"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        return super().preactivations(x, self.dropped(h), w)


class DropsFinalStates(PlainLSTM):
    """Applies dropout to the final hidden states too."""

    bug = ""
    caught_by = "full_dropout_cuts_layers_apart"

    def network(self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Any) -> Any:
        output, h_n, c_n = super().network(x, h_0, c_0, lengths)
        return output, (self.dropped(h_n) if self.num_layers > 1 else h_n), c_n


class DropsTheSameAtEachCall(PlainLSTM):
    """Draws a mask at its first call and keeps it."""

    bug = "DO-mps-same-mask DO-tf2-mask-cached"
    caught_by = "dropout_is_drawn_anew"

    def dropped(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        masks = self.__dict__.setdefault("masks", {})
        ones = torch.ones_like(x)
        return x * masks.setdefault((x.shape, self.dropout), F.dropout(ones, self.dropout))


class DropsTheSameAtEachStep(PlainLSTM):
    """Draws one mask for all steps, as variational dropout does."""

    bug = ""
    caught_by = "dropout_is_drawn_anew"

    def dropped(self, x: Tensor) -> Tensor:
        return x * F.dropout(torch.ones_like(x[:1]), self.dropout, self.training)


class DropsTheSameInEachRow(PlainLSTM):
    """Draws one mask for all rows."""

    bug = ""
    caught_by = "dropout_is_drawn_anew"

    def dropped(self, x: Tensor) -> Tensor:
        return x * F.dropout(torch.ones_like(x[:, :1]), self.dropout, self.training)


class DropsWholeSteps(PlainLSTM):
    """Drops all features of a row's step together."""

    bug = ""
    caught_by = "dropout_is_drawn_anew"

    def dropped(self, x: Tensor) -> Tensor:
        return x * F.dropout(torch.ones_like(x[..., :1]), self.dropout, self.training)


class DoesNotScaleSurvivors(PlainLSTM):
    """Drops without multiplying what is left by 1 / (1 - p)."""

    bug = "HW-dropout-no-scale"
    caught_by = "survivors_are_scaled"

    def dropped(self, x: Tensor) -> Tensor:
        return super().dropped(x) * (1 - self.dropout) if self.training else x


class ScalesByP(PlainLSTM):
    """Multiplies what is left by 1 / p instead of 1 / (1 - p)."""

    bug = ""
    caught_by = "survivors_are_scaled"

    def dropped(self, x: Tensor) -> Tensor:
        if not self.training or not 0 < self.dropout < 1:
            return super().dropped(x)
        return super().dropped(x) * (1 - self.dropout) / self.dropout


class MultipliesWithGaussianNoise(PlainLSTM):
    """Multiplies with normal random numbers of the same variance instead of dropping."""

    bug = ""
    caught_by = "survivors_are_scaled"

    def dropped(self, x: Tensor) -> Tensor:
        if not self.training or not 0 < self.dropout < 1:
            return super().dropped(x)
        deviation = (self.dropout / (1 - self.dropout)) ** 0.5
        return x * (1 + deviation * torch.randn_like(x))


class KeepsWithProbabilityP(PlainLSTM):
    """Takes dropout for the probability to keep, and scales accordingly."""

    bug = ""
    caught_by = "dropout_rate_is_p"

    def dropped(self, x: Tensor) -> Tensor:
        if not self.training or not 0 < self.dropout < 1:
            return super().dropped(x)
        kept = torch.rand_like(x) < self.dropout
        return x * kept / (1 - self.dropout)


class NeverDrops(PlainLSTM):
    """Accepts dropout and does nothing with it."""

    bug = "DO-cudnn-noop DO-unused-result DO-mask-ignored DO-recurrent-typo"
    caught_by = "full_dropout_cuts_layers_apart"

    def dropped(self, x: Tensor) -> Tensor:
        return x


class GivesNaNForFullDropout(PlainLSTM):
    """Multiplies a mask of zeros with 1 / (1 - p) when p is 1."""

    bug = "DO-mps-p1-nan"
    caught_by = "full_dropout_cuts_layers_apart"

    def dropped(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        kept = torch.rand_like(x) >= self.dropout
        return x * kept * (torch.ones(()) / (1 - self.dropout)).to(x.dtype)


class DropsATenthAtLeast(PlainLSTM):
    """Drops with probability 0.1 where dropout is 0."""

    bug = ""
    caught_by = "zero_dropout_changes_nothing"

    def dropped(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout or 0.1, self.training)


class DrawsFromAGeneratorOfItsOwn(PlainLSTM):
    """Draws its masks from a private generator, which torch.manual_seed does not reach."""

    bug = "DT-dropout-state-cache DT-dropout-reseed DT-lua-cudnn"
    caught_by = "dropout_is_reproducible_under_a_seed"
    calls = 0

    def dropped(self, x: Tensor) -> Tensor:
        if not self.training or not self.dropout:
            return x
        self.calls += 1
        generator = torch.Generator().manual_seed(self.calls)
        kept = torch.rand(x.shape, generator=generator) >= self.dropout
        return F.dropout(x, 1.0) if self.dropout == 1 else x * kept / (1 - self.dropout)


class DropsWeightsForGood(PlainLSTM):
    """Zeroes weights in place in train mode with dropout, and never restores them."""

    bug = "DO-weights-zeroed-forever"
    caught_by = "dropout_spares_a_single_layer"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        if self.training:
            with torch.no_grad():
                for weight in self.parameters():
                    weight.mul_(torch.rand_like(weight) >= self.dropout)
        return super().forward(sequence, hx)


class IgnoresTheDropoutMaskInBackward(PlainLSTM):
    """Passes gradients through what dropout dropped as if nothing had been."""

    bug = "GR-mps-dropout-bwd"
    caught_by = "dropped_values_pass_no_gradient"

    def dropped(self, x: Tensor) -> Tensor:
        return x + (super().dropped(x) - x).detach()


class DropsNothingWithoutGradients(PlainLSTM):
    """Drops nothing in train mode where no gradients are computed."""

    bug = ""
    caught_by = "dropout_rate_is_p"

    def dropped(self, x: Tensor) -> Tensor:
        return super().dropped(x) if torch.is_grad_enabled() else x
