"""LSTMs that confuse axes."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from .plain import PlainLSTM, States, unbatched


class ReshapesInsteadOfTransposing(PlainLSTM):
    """Makes a batch-first input time-major by a reshape, which mixes rows and steps."""

    bug = "HW-view-for-transpose LY-view-not-permute"
    caught_by = "batch_first_only_swaps_axes"

    def time_major(self, sequence: Any) -> tuple[Tensor, Tensor | None]:
        x, lengths = super().time_major(sequence)
        if lengths is None and self.batch_first and not unbatched(sequence):
            x = sequence.reshape(x.shape)
        return x, lengths


class ReshapesOutputInsteadOfTransposing(PlainLSTM):
    """Makes its output batch-first by a reshape, which mixes rows and steps."""

    bug = "HW-view-for-transpose"
    caught_by = "batch_first_only_swaps_axes"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        output, states = super().forward(sequence, hx)
        if self.batch_first and isinstance(output, Tensor) and output.dim() == 3:
            output = output.transpose(0, 1).reshape(output.shape)
        return output, states


class IgnoresBatchFirst(PlainLSTM):
    """Never reads batch_first unless the states' shapes tell, and so swaps batch and time."""

    bug = "LY-openvino-layout-ignored"
    caught_by = "batch_first_only_swaps_axes"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        if not isinstance(sequence, Tensor):
            return super().forward(sequence, hx)
        told = hx is not None and sequence.shape[0] != sequence.shape[1]
        first, self.batch_first = self.batch_first, self.batch_first and told
        try:
            return super().forward(sequence, hx)
        finally:
            self.batch_first = first


class LeavesOutputTimeMajor(PlainLSTM):
    """Returns its output time-major although batch_first is set."""

    bug = "LY-mps-batch-first LY-tvm-time-major"
    caught_by = "batch_first_only_swaps_axes"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        output, states = super().forward(sequence, hx)
        if self.batch_first and isinstance(output, Tensor) and output.dim() == 3:
            output = output.transpose(0, 1)
        return output, states


class ReturnsStatesRowsFirst(PlainLSTM):
    """Applies batch_first to the final states as well."""

    bug = "LY-emx-states-layout LY-onnx-doc-states"
    caught_by = "batch_first_only_swaps_axes"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        output, (h_n, c_n) = super().forward(sequence, hx)
        if self.batch_first and h_n.dim() == 3:
            h_n, c_n = h_n.transpose(0, 1), c_n.transpose(0, 1)
        return output, (h_n, c_n)


class ReturnsUnbatchedWithBatch(PlainLSTM):
    """Returns results for unbatched input with a batch dimension of one."""

    bug = "HW-unbatched"
    caught_by = "unbatched_is_batch_of_one"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        output: Any
        output, (h_n, c_n) = super().forward(sequence, hx)
        if unbatched(sequence):
            output, h_n, c_n = (each.unsqueeze(1) for each in (output, h_n, c_n))
        return output, (h_n, c_n)


class ReversesUnbatchedTimeWithBatchFirst(PlainLSTM):
    """Turns unbatched input round in time when batch_first is set."""

    bug = ""
    caught_by = "unbatched_is_batch_of_one"

    def time_major(self, sequence: Any) -> tuple[Tensor, Tensor | None]:
        x, lengths = super().time_major(sequence)
        return (x.flip(0) if self.batch_first and unbatched(sequence) else x), lengths


class SqueezesAwayOnes(PlainLSTM):
    """Squeezes its output without naming an axis, which drops every axis of length one."""

    bug = "HW-batch1-squeeze"
    caught_by = "shapes_are_as_documented"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        output, states = super().forward(sequence, hx)
        return (output.squeeze() if isinstance(output, Tensor) else output), states


class AddsALeadingAxis(PlainLSTM):
    """Returns its output with a further leading axis of one."""

    bug = "LY-coreml-extra-dims ST-export-extra-dim"
    caught_by = "shapes_are_as_documented"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        output, states = super().forward(sequence, hx)
        return (output[None] if isinstance(output, Tensor) else output), states


class ReturnsTheFirstStepOnly(PlainLSTM):
    """Returns the output of the first step alone."""

    bug = "ML-mnn-first-step"
    caught_by = "shapes_are_as_documented"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        output, states = super().forward(sequence, hx)
        return (output[:1] if isinstance(output, Tensor) else output), states


class GivesCellStateTheProjectedSize(PlainLSTM):
    """Returns c_n with proj_size features instead of hidden_size."""

    bug = "HW-proj-cell-size"
    caught_by = "shapes_are_as_documented"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        output, (h_n, c_n) = super().forward(sequence, hx)
        return output, (h_n, c_n[..., : h_n.shape[-1]])
