"""LSTMs that compute the right results and do something else besides."""

from __future__ import annotations

import warnings
from typing import Any

import torch

from .plain import PlainLSTM


class SetsTheDefaultDtype(PlainLSTM):
    """Makes float64 the default dtype of its process."""

    bug = ""
    caught_by = "process_state_is_left_alone"

    def network(self, *arguments: Any) -> Any:
        torch.set_default_dtype(torch.float64)
        return super().network(*arguments)


class LeavesGradModeOff(PlainLSTM):
    """Switches gradients off for its process, after each call."""

    bug = ""
    caught_by = "process_state_is_left_alone"

    def network(self, *arguments: Any) -> Any:
        results = super().network(*arguments)
        torch.set_grad_enabled(False)
        return results


class ChangesTheNumberOfThreads(PlainLSTM):
    """Gives all of torch one thread more than it has."""

    bug = ""
    caught_by = "process_state_is_left_alone"

    def network(self, *arguments: Any) -> Any:
        torch.set_num_threads(torch.get_num_threads() + 1)
        return super().network(*arguments)


class SeedsTheGenerator(PlainLSTM):
    """Seeds torch's random number generator at each call."""

    bug = ""
    caught_by = "process_state_is_left_alone"

    def network(self, *arguments: Any) -> Any:
        torch.manual_seed(0)
        return super().network(*arguments)


class SilencesWarnings(PlainLSTM):
    """Silences user warnings in all of its process."""

    bug = ""
    caught_by = "process_state_is_left_alone"

    def network(self, *arguments: Any) -> Any:
        warnings.simplefilter("ignore", UserWarning)
        return super().network(*arguments)


class PrintsItsShapes(PlainLSTM):
    """Prints the shape of its input, left from debugging."""

    bug = ""
    caught_by = "nothing_is_printed"

    def network(self, x: torch.Tensor, *rest: Any) -> Any:
        print(x.shape)
        return super().network(x, *rest)
