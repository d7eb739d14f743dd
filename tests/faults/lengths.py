"""LSTMs that mistreat rows of different lengths."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from conformance import Case, Result, Support, TorchLSTM
from conformance.requirements.parts import last_steps

from .numerics import as_if_contiguous
from .plain import PlainLSTM, States


class RunsThroughThePadding(PlainLSTM):
    """Computes all steps for all rows, so that the final states are those after the padding."""

    bug = "VL-mxnet-cpu-varlen HW-hn-padding VL-ort-gpu-padded VL-dl4j-mask-null"
    caught_by = "h_n_is_last_valid_step"

    def where_valid(
        self, t: int, lengths: Tensor, new_h: Tensor, new_c: Tensor, *old: Tensor
    ) -> Any:
        output, _, _ = super().where_valid(t, lengths, new_h, new_c, *old)
        return output, new_h, new_c


class StartsReverseInThePadding(PlainLSTM):
    """Runs the reverse direction over each row's padding before its last step."""

    bug = "VL-ner-lengths-missing VL-dl4j-bidir BI-ngraph-seqlens-reverse"
    caught_by = "packed_batch_equals_rows_alone"

    def scan(self, x: Tensor, h: Tensor, c: Tensor, w: Any, lengths: Any, reverse: bool) -> Any:
        output, h_n, c_n = super().scan(x, h, c, w, None if reverse else lengths, reverse)
        if lengths is not None:
            beyond = torch.arange(len(x))[:, None] >= lengths
            output = output.masked_fill(beyond[..., None], 0)
        return output, h_n, c_n


class KeepsStatesInOrderOfLength(PlainLSTM):
    """Returns final states in the order of lengths in which it computed."""

    bug = "ST-permute-tuple"
    caught_by = "order_of_lengths_does_not_matter"

    def result(self, sequence: Any, lengths: Any, output: Tensor, h_n: Tensor, c_n: Tensor) -> Any:
        if isinstance(sequence, PackedSequence) and sequence.sorted_indices is not None:
            h_n, c_n = h_n[:, sequence.sorted_indices], c_n[:, sequence.sorted_indices]
        return super().result(sequence, lengths, output, h_n, c_n)


class TakesStatesInOrderOfLength(PlainLSTM):
    """Takes the initial states to be in the order of lengths."""

    bug = ""
    caught_by = "order_of_lengths_does_not_matter"

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        h_0, c_0 = super().initial_states(sequence, x, hx)
        if isinstance(sequence, PackedSequence) and sequence.unsorted_indices is not None:
            h_0, c_0 = h_0[:, sequence.unsorted_indices], c_0[:, sequence.unsorted_indices]
        return h_0, c_0


class RepeatsLastOutputInThePadding(PlainLSTM):
    """Returns full rows whose steps beyond their length carry the last output instead of zero."""

    bug = "VL-keras-masked-nonzero VL-tf-cudnn-mask"
    caught_by = "output_beyond_length_is_zero"

    def where_valid(
        self, t: int, lengths: Tensor, new_h: Tensor, new_c: Tensor, h: Tensor, c: Tensor
    ) -> Any:
        _, h, c = super().where_valid(t, lengths, new_h, new_c, h, c)
        return h, h, c

    def packed(self, sequence: PackedSequence, lengths: Tensor, output: Tensor) -> PackedSequence:
        full = torch.full_like(lengths, len(output)).cpu()
        return pack_padded_sequence(output, full, enforce_sorted=sequence.sorted_indices is None)


class CutsRowsToTheShortest(PlainLSTM):
    """Computes as many steps as the shortest row has."""

    bug = ""
    caught_by = "packed_batch_equals_rows_alone"

    def where_valid(self, t: int, lengths: Tensor, *states: Tensor) -> Any:
        return super().where_valid(t, lengths.min().expand_as(lengths), *states)


class LosesTheLastStepOfPackedRows(PlainLSTM):
    """Stops one step early in packed rows of more than one step."""

    bug = ""
    caught_by = "full_lengths_equal_no_lengths"

    def where_valid(self, t: int, lengths: Tensor, *states: Tensor) -> Any:
        return super().where_valid(t, (lengths - 1).clamp(min=1), *states)


class ReadsOneLengthPastTheEnd(PlainLSTM):
    """Looks up the length of the row after the last, in the reverse direction."""

    bug = "VL-lookahead-index"
    caught_by = "full_lengths_equal_no_lengths"

    def scan(self, x: Tensor, h: Tensor, c: Tensor, w: Any, lengths: Any, reverse: bool) -> Any:
        if reverse and lengths is not None and bool((lengths == len(x)).all()):
            lengths[len(lengths)]
        return super().scan(x, h, c, w, lengths, reverse)


class ForgetsInitialStatesOfPackedRows(PlainLSTM):
    """Starts from zeros when the input is packed."""

    bug = ""
    caught_by = "full_lengths_equal_no_lengths"

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        packed = isinstance(sequence, PackedSequence)
        return super().initial_states(sequence, x, None if packed else hx)


class PermutesThePairOfStates(PlainLSTM):
    """Sorts the pair (h_0, c_0) by length as if it were one tensor, which fails."""

    bug = "ST-permute-tuple VL-flax-seqlens"
    caught_by = "order_of_lengths_does_not_matter"

    def initial_states(self, sequence: Any, x: Tensor, hx: Any) -> States:
        if isinstance(sequence, PackedSequence) and hx is not None:
            hx.index_select(1, sequence.sorted_indices)
        return super().initial_states(sequence, x, hx)


class Padded(TorchLSTM):
    """A base for implementations that take padded rows and their lengths, as most others do."""

    supports = Support()

    def __init__(self) -> None:
        super().__init__(PlainLSTM, type(self).__name__, self.supports)


class ComputesThePaddedInput(Padded):
    """Computes the padded input as it is and zeroes what is beyond the lengths afterwards."""

    bug = "VL-ner-lengths-missing VL-keras-bidir-mask"
    caught_by = "padding_is_irrelevant"

    def run(self, case: Case) -> Result:
        result = super().run(replace(case, lengths=None))
        if case.lengths is None:
            return result
        output = case.time_major(result.output).copy()
        output[np.arange(case.seq_len)[:, None] >= case.lengths] = 0
        output = output.swapaxes(0, 1) if case.configuration.batch_first else output
        h_n = result.h_n.copy()
        h_n[-case.configuration.num_directions :] = last_steps(case, output)
        return Result(output, h_n, result.c_n, result.devices)


class ClampsImpossibleLengths(Padded):
    """Clamps lengths to what is possible instead of refusing them."""

    bug = "VL-pt-pack-len-check"
    caught_by = "impossible_lengths_are_refused"

    def run(self, case: Case) -> Result:
        if case.lengths is not None:
            lengths = case.lengths[: case.batch_size].clip(1, case.seq_len)
            case = replace(case, lengths=lengths)
        return super().run(case)


class SkipsStateChecksWhenPacked(PlainLSTM):
    """Broadcasts initial states of one row where the input is packed."""

    bug = "VL-pt-packed-validate"
    caught_by = "wrong_state_batch_is_refused_when_packed"

    def check_states(self, sequence: Any, hx: States) -> None:
        if not isinstance(sequence, PackedSequence):
            super().check_states(sequence, hx)


class ReadsPackedDataAsIfContiguous(PlainLSTM):
    """Reads the data of a packed sequence as if there were no gaps in memory."""

    bug = ""
    caught_by = "layout_of_packed_data_does_not_matter"

    def time_major(self, sequence: Any) -> tuple[Tensor, Tensor | None]:
        if isinstance(sequence, PackedSequence):
            sequence = sequence._replace(data=as_if_contiguous(sequence.data))
        return super().time_major(sequence)
