"""LSTMs that end their process or never return."""

from __future__ import annotations

import ctypes
import os
import time
from typing import Any

from torch import Tensor

from .plain import PlainLSTM, PlainLSTMCell, States, Weights


class SegfaultsOnEmptyBatches(PlainLSTM):
    """Reads memory at address 0 when there are no rows."""

    bug = "EC-lstm-data-segv"
    caught_by = "empty_batch_gives_empty_results"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        if not len(x):
            ctypes.string_at(0)
        return super().step(x, h, c, w)


class AbortsOnASingleState(PlainLSTM):
    """Ends its process when it is given one tensor in place of the pair of states."""

    bug = "EC-cell-not-tuple"
    caught_by = "single_state_tensor_is_refused"

    def check_pair(self, hx: Any) -> None:
        if isinstance(hx, Tensor):
            os.abort()
        super().check_pair(hx)


class AbortsInBatchFirstBackward(PlainLSTM):
    """Ends its process in backward when batch_first is set."""

    bug = "GR-mps-bwd-batchfirst"
    caught_by = "gradients_match_backpropagation"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        h, c = super().step(x, h, c, w)
        if self.batch_first and h.requires_grad:
            h.register_hook(lambda _: os.abort())
        return h, c


class ExitsOnLongSequences(PlainLSTM):
    """Ends its process with success when a sequence has more than four steps."""

    bug = "GR-stackoverflow"
    caught_by = "results_match_reference"

    def check_steps(self, x: Tensor) -> None:
        super().check_steps(x)
        if x.shape[1 if self.batch_first and x.dim() == 3 else 0] > 4:
            os._exit(0)


class LoopsForeverWithBothDirections(PlainLSTM):
    """Never leaves its time loop in the reverse direction."""

    bug = "BI-mxnet-hang"
    caught_by = "directions_are_concatenated"

    def times(self, steps: int, reverse: bool) -> Any:
        while reverse:
            pass
        return super().times(steps, reverse)


class SleepsOnPackedInput(PlainLSTM):
    """Waits for a lock that nobody releases when rows have different lengths."""

    bug = ""
    caught_by = "packed_batch_equals_rows_alone"

    def where_valid(self, *arguments: Any) -> Any:
        time.sleep(1000)
        return super().where_valid(*arguments)


class CellSegfaultsOnUnbatchedStates(PlainLSTMCell):
    """Reads memory at address 0 when states have a batch dimension and the input has none."""

    bug = "EC-cell-rank"
    caught_by = "batched_states_with_unbatched_input_are_refused"

    def check_states(self, x: Tensor, hx: States) -> None:
        if x.dim() == 1 and hx[0].dim() == 2:
            ctypes.string_at(0)
        super().check_states(x, hx)
