"""LSTMs that start from other parameters than those documented."""

from __future__ import annotations

import torch
from torch import nn

from .plain import PlainLSTM


class StartsFromZeroParameters(PlainLSTM):
    """Initialises all parameters to zero."""

    bug = ""
    caught_by = "initial_parameters_are_uniform"

    def reset_parameters(self) -> None:
        for parameter in self.parameters():
            nn.init.zeros_(parameter)


class InitialisesNormally(PlainLSTM):
    """Draws normal parameters of the documented variance."""

    bug = ""
    caught_by = "initial_parameters_are_uniform"

    def reset_parameters(self) -> None:
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=(3 * self.hidden_size) ** -0.5)


class InitialisesWithinATenth(PlainLSTM):
    """Draws uniform parameters within 0.1 whatever the hidden size."""

    bug = "IN-init-arg-unused"
    caught_by = "initial_parameters_are_uniform"

    def reset_parameters(self) -> None:
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -0.1, 0.1)


class InitialisesByInputSize(PlainLSTM):
    """Takes each weight's number of columns for the hidden size."""

    bug = ""
    caught_by = "initial_parameters_are_uniform"

    def reset_parameters(self) -> None:
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -(parameter.shape[-1] ** -0.5), parameter.shape[-1] ** -0.5)


class RepeatsOneNumber(PlainLSTM):
    """Draws one number per parameter and fills the parameter with it."""

    bug = ""
    caught_by = "initial_parameters_are_uniform"

    def reset_parameters(self) -> None:
        super().reset_parameters()
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.fill_(parameter.flatten()[0].item())


class OpensForgetGatesOfTheFirstLayer(PlainLSTM):
    """Sets the forget gate's bias to 1, and in the first layer only."""

    bug = "IN-forget-bias-one-layer IN-forget-bias-rest"
    caught_by = "initial_parameters_are_uniform"

    def reset_parameters(self) -> None:
        super().reset_parameters()
        if self.bias:
            with torch.no_grad():
                self.bias_hh_l0[self.hidden_size : 2 * self.hidden_size] = 1


class NeverInitialisesBiases(PlainLSTM):
    """Leaves biases at zero, having handed the initialiser to the weights alone."""

    bug = "IN-bias-init-wrong-branch IN-chainer-bias"
    caught_by = "initial_parameters_are_uniform"

    def reset_parameters(self) -> None:
        super().reset_parameters()
        for name, parameter in self.named_parameters():
            if name.startswith("bias"):
                nn.init.zeros_(parameter)
