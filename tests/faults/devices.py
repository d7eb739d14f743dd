"""LSTMs that put things on the wrong device."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from conformance import Case, Result

from .lengths import Padded
from .plain import PlainLSTM, States


class LeavesResultsOnItsAccelerator(Padded):
    """Leaves its hidden state on the device that it computed on, another than the input's."""

    bug = "GR-keras-torch-detach"
    caught_by = "results_stay_on_device"

    def run(self, case: Case) -> Result:
        result = super().run(case)
        return replace(result, devices={**result.devices, "h_n": "xla:0"})


class MakesDefaultStatesOnTheCPU(PlainLSTM):
    """Makes default states on the CPU, wherever the input is."""

    bug = "HW-default-state-device EC-opacus-device"
    caught_by = "device_and_cpu_agree"

    def zero_state(self, x: Tensor, size: int) -> Tensor:
        return super().zero_state(x, size).cpu()


class MovesItsInput(PlainLSTM):
    """Moves input to the device of its parameters."""

    bug = ""
    caught_by = "input_on_another_device_is_refused"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        return super().forward(sequence.to(self.weight_ih_l0.device), hx)


class MovesInitialStates(PlainLSTM):
    """Moves initial states to the device of its parameters."""

    bug = ""
    caught_by = "states_on_another_device_are_refused"

    def forward(self, sequence: Any, hx: Any = None) -> tuple[Any, States]:
        if hx is not None:
            hx = tuple(state.to(self.weight_ih_l0.device) for state in hx)
        return super().forward(sequence, hx)


class LosesBitsOnTheWay(PlainLSTM):
    """Goes through bfloat16 when it is moved to the CPU."""

    bug = ""
    caught_by = "moving_to_the_cpu_and_back_changes_nothing"

    def cpu(self) -> Any:
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(parameter.bfloat16())
        return super().cpu()
