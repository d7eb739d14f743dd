"""LSTMs whose rows depend on one another, or on how many there are."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .plain import PlainLSTM, States, Weights


class NormalisesOverTheBatch(PlainLSTM):
    """Subtracts the rows' mean from the pre-activations, when there are several."""

    bug = "HW-shared-batch-norm-stat"
    caught_by = "rows_do_not_interact"

    def preactivations(self, x: Tensor, h: Tensor, w: Weights) -> Tensor:
        a = super().preactivations(x, h, w)
        return a - a.mean(0) if len(a) > 1 else a


class LeaksFromTheRowBefore(PlainLSTM):
    """Adds a thousandth of the previous row's input to each row."""

    bug = ""
    caught_by = "rows_do_not_interact"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        return super().step(x + x.roll(1, 0) / 1000, h, c, w)


class StartsAllRowsFromTheFirst(PlainLSTM):
    """Uses the first row's initial states for all rows."""

    bug = "BI-mps-batch-gt1"
    caught_by = "permuting_rows_permutes_results"

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        h_0, c_0 = super().initial_states(sequence, x, hx)
        return h_0[:, :1].expand_as(h_0), c_0[:, :1].expand_as(c_0)


class ComputesOneRowRight(PlainLSTM):
    """Is right for a batch of one and forgets the recurrence in larger ones."""

    bug = "FR-coreml-batch BI-mps-batch-gt1"
    caught_by = "splitting_a_batch_changes_nothing"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        return super().step(x, h if len(x) <= 1 else 0 * h, c, w)


class SortsRowsByTheirFirstFeature(PlainLSTM):
    """Sorts the rows by their first number and returns them sorted."""

    bug = ""
    caught_by = "permuting_rows_permutes_results"

    def network(self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Tensor | None) -> Any:
        order = x[0, :, 0].argsort()
        if lengths is not None:
            return super().network(x, h_0, c_0, lengths)
        return super().network(x[:, order], h_0[:, order], c_0[:, order], lengths)


class TreatsTheSecondHalfOfABatchAsZeros(PlainLSTM):
    """Reads zeros for the second half of the rows, as when a size is off by a factor of two."""

    bug = ""
    caught_by = "splitting_a_batch_changes_nothing"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        there = (torch.arange(len(x)) < (len(x) + 1) // 2)[:, None]
        return super().step(x * there, h, c, w)


class OverflowsBeyond256Rows(PlainLSTM):
    """Counts rows in eight bits: those from the 257th on get the results of the first ones."""

    bug = "SC-miopen-int32 SC-miopen-grid-y"
    caught_by = "large_batches_agree_with_rows_alone"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        return super().step(x[torch.arange(len(x)) % 256], h, c, w)


class FailsBeyond300Rows(PlainLSTM):
    """Fails on batches of more than 300 rows."""

    bug = "SC-miopen-int32"
    caught_by = "large_batches_agree_with_rows_alone"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        if len(x) > 300:
            raise RuntimeError("miopenStatusUnknownError")
        return super().step(x, h, c, w)


class FailsOnEmptyBatches(PlainLSTM):
    """Divides by the number of rows."""

    bug = ""
    caught_by = "empty_batch_gives_empty_results"

    def step(self, x: Tensor, h: Tensor, c: Tensor, w: Weights) -> States:
        h, c = super().step(x, h, c, w)
        return h, c * (len(x) // len(x))


class PadsEmptyBatches(PlainLSTM):
    """Returns one row of results for a batch of none."""

    bug = ""
    caught_by = "empty_batch_gives_empty_results"

    def network(self, x: Tensor, h_0: Tensor, c_0: Tensor, lengths: Tensor | None) -> Any:
        if x.shape[1]:
            return super().network(x, h_0, c_0, lengths)
        h_0, c_0 = (s.new_zeros(s.shape[0], 1, s.shape[2]) for s in (h_0, c_0))
        return super().network(x.new_zeros(x.shape[0], 1, x.shape[2]), h_0, c_0, lengths)
