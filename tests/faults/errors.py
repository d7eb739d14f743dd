"""LSTMs that accept what makes no sense, or refuse it in a way nobody expects."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from .plain import PlainLSTM, States, refuse_unless, unbatched


class CutsWrongFeatureSizes(PlainLSTM):
    """Cuts or pads the input to input_size where no states are given, instead of refusing it."""

    bug = "EC-input-size-tolerated"
    caught_by = "wrong_feature_size_is_refused"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        if hx is None and isinstance(sequence, Tensor):
            sequence = F.pad(sequence, (0, self.input_size))[..., : self.input_size]
        return super().forward(sequence, hx)


class FoldsFurtherDimensions(PlainLSTM):
    """Takes the first element of a 4-D input instead of refusing it."""

    bug = ""
    caught_by = "wrong_input_rank_is_refused"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        four = isinstance(sequence, Tensor) and sequence.dim() == 4
        return super().forward(sequence[0] if four else sequence, hx)


class PadsStates(PlainLSTM):
    """Pads initial states of too few features with zeros."""

    bug = "ML-paddle-unified-api"
    caught_by = "wrong_state_features_are_refused"

    def forward(self, sequence: Any, hx: Any = None) -> tuple[Any, States]:
        if isinstance(hx, tuple):
            sizes = self.output_size, self.hidden_size
            hx = tuple(F.pad(s, (0, n - s.shape[-1])) for s, n in zip(hx, sizes, strict=True))
        return super().forward(sequence, hx)


class BroadcastsStates(PlainLSTM):
    """Uses initial states of one row for all rows."""

    bug = "HW-broadcast-h0 EC-cell-broadcast"
    caught_by = "wrong_state_batch_is_refused"

    def forward(self, sequence: Any, hx: Any = None) -> tuple[Any, States]:
        if isinstance(hx, tuple) and isinstance(sequence, Tensor) and sequence.dim() == 3:
            rows = sequence.shape[0 if self.batch_first else 1]
            hx = tuple(s.repeat(1, rows, 1) if s.shape[1] == 1 else s for s in hx)
        return super().forward(sequence, hx)


class StartsUpperLayersFromZeros(PlainLSTM):
    """Adds zeros for layers that the initial states have none for."""

    bug = ""
    caught_by = "wrong_state_layers_are_refused"

    def forward(self, sequence: Any, hx: Any = None) -> tuple[Any, States]:
        if isinstance(hx, tuple):
            states = self.directions * self.num_layers
            hx = tuple(torch.cat([s, s.new_zeros(states, *s.shape[1:])])[:states] for s in hx)
        return super().forward(sequence, hx)


class GivesAllRowsUnbatchedStates(PlainLSTM):
    """Uses initial states without a batch dimension for all rows."""

    bug = ""
    caught_by = "wrong_state_rank_is_refused"

    def forward(self, sequence: Any, hx: Any = None) -> tuple[Any, States]:
        if isinstance(hx, tuple) and isinstance(sequence, Tensor) and sequence.dim() == 3:
            rows = sequence.shape[0 if self.batch_first else 1]
            hx = tuple(s[:, None].repeat(1, rows, 1) if s.dim() == 2 else s for s in hx)
        return super().forward(sequence, hx)


class SqueezesStatesOfUnbatchedInput(PlainLSTM):
    """Takes states with a batch dimension for input without one."""

    bug = "EC-cell-rank"
    caught_by = "batched_states_with_unbatched_input_are_refused"

    def forward(self, sequence: Any, hx: Any = None) -> tuple[Any, States]:
        if isinstance(hx, tuple) and unbatched(sequence):
            hx = tuple(s[:, 0] if s.dim() == 3 else s for s in hx)
        return super().forward(sequence, hx)


class ConvertsStates(PlainLSTM):
    """Converts initial states of another dtype."""

    bug = ""
    caught_by = "wrong_state_dtype_is_refused"

    def forward(self, sequence: Any, hx: Any = None) -> tuple[Any, States]:
        if isinstance(hx, tuple):
            hx = tuple(state.to(self.weight_ih_l0.dtype) for state in hx)
        return super().forward(sequence, hx)


class ConvertsItsInput(PlainLSTM):
    """Converts input of another dtype, integers included."""

    bug = ""
    caught_by = "wrong_input_dtype_is_refused"

    def forward(self, sequence: Any, hx: States | None = None) -> tuple[Any, States]:
        return super().forward(sequence.to(self.weight_ih_l0.dtype), hx)


class TakesOneStateForBoth(PlainLSTM):
    """Uses a single tensor given in place of the pair for h_0, and zeros for c_0."""

    bug = "EC-cell-not-tuple"
    caught_by = "single_state_tensor_is_refused"

    def forward(self, sequence: Any, hx: Any = None) -> tuple[Any, States]:
        if isinstance(hx, Tensor):
            hx = hx, hx.new_zeros(*hx.shape[:-1], self.hidden_size)
        return super().forward(sequence, hx)


class AcceptsEmptySequences(PlainLSTM):
    """Returns no output, and the initial states as final ones, for a sequence of no steps."""

    bug = ""
    caught_by = "empty_sequence_is_refused"

    def check_steps(self, x: Tensor) -> None:
        pass

    def scan(self, x: Tensor, h: Tensor, c: Tensor, *rest: Any) -> tuple[Tensor, Tensor, Tensor]:
        return super().scan(x, h, c, *rest) if len(x) else (h[None][:0], h, c)


class TakesNoHiddenUnitsForOne(PlainLSTM):
    """Makes a hidden unit where none or fewer were asked for."""

    bug = "IN-hidden-zero"
    caught_by = "sizes_that_are_not_positive_are_refused"

    def __init__(self, input_size: int, hidden_size: int, *rest: Any, **options: Any) -> None:
        super().__init__(input_size, max(1, hidden_size), *rest, **options)


class RaisesForNoHiddenUnitsByAccident(PlainLSTM):
    """Divides by hidden_size before it looks at it."""

    bug = "IN-hidden-zero"
    caught_by = "sizes_that_are_not_positive_are_refused"

    def __init__(self, input_size: int, hidden_size: int, *rest: Any, **options: Any) -> None:
        input_size * (1 / hidden_size)
        super().__init__(input_size, hidden_size, *rest, **options)


class ClampsDropout(PlainLSTM):
    """Clamps dropout to what is possible."""

    bug = "EC-heap-overflow"
    caught_by = "impossible_dropout_is_refused"

    def __init__(self, *sizes: Any, dropout: float = 0.0, **options: Any) -> None:
        super().__init__(*sizes, dropout=min(max(dropout, 0.0), 1.0), **options)


class IgnoresImpossibleProjections(PlainLSTM):
    """Takes a proj_size that is negative or too large for none."""

    bug = "EC-tvm-optional-ignored"
    caught_by = "impossible_projection_is_refused"

    def __init__(self, *arguments: Any, proj_size: int = 0, **options: Any) -> None:
        hidden_size = options.get("hidden_size", arguments[1] if len(arguments) > 1 else 1)
        possible = 0 < proj_size < hidden_size
        super().__init__(*arguments, proj_size=proj_size if possible else 0, **options)


class BreaksInItsErrorPath(PlainLSTM):
    """Raises NameError where it means to complain about the input's rank."""

    bug = "EC-nameerror"
    caught_by = "wrong_input_rank_is_refused"

    def check_rank(self, x: Tensor) -> None:
        if x.dim() not in (2, 3):
            raise ValueError(f"expected {expected_rank}-D input")  # type: ignore[name-defined]  # noqa: F821


class RaisesKeyErrors(PlainLSTM):
    """Looks up the checked shapes in a dict, and so raises KeyError for wrong ones."""

    bug = ""
    caught_by = "wrong_state_features_are_refused"

    def check_states(self, sequence: Any, hx: States) -> None:
        known = {self.output_size: "h_0", self.hidden_size: "c_0"}
        for state in hx:
            known[state.shape[-1]]
        super().check_states(sequence, hx)


class ExitsOnWrongStates(PlainLSTM):
    """Ends the program when the initial states have the wrong number of rows."""

    bug = ""
    caught_by = "wrong_state_batch_is_refused"

    def check_states(self, sequence: Any, hx: States) -> None:
        try:
            super().check_states(sequence, hx)
        except ValueError as error:
            raise SystemExit(1) from error


class StaysBrokenAfterARefusal(PlainLSTM):
    """Keeps refusing everything once it has refused something."""

    bug = ""
    caught_by = "wrong_feature_size_is_refused"
    broken = False

    def check(self, sequence: Any, hx: States | None) -> None:
        refuse_unless(not self.broken, "broken")
        self.broken = True
        super().check(sequence, hx)
        self.broken = False


class KeepsRefusedStates(PlainLSTM):
    """Remembers a state that it refused, and starts from its first row next time."""

    bug = ""
    caught_by = "wrong_state_batch_is_refused"
    refused: States | None = None

    def check_states(self, sequence: Any, hx: States) -> None:
        try:
            super().check_states(sequence, hx)
        except ValueError:
            self.refused = hx
            raise

    def initial_states(self, sequence: Any, x: Tensor, hx: States | None) -> States:
        h_0, c_0 = super().initial_states(sequence, x, hx)
        return (h_0, c_0) if self.refused is None else (h_0 + 1, c_0)
