"""Torch modules whose answers, state_dict or methods are not what a requirement can work with."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from conformance import REQUIREMENTS, Budget, Support, Verdict, check
from conformance.implementations.pytorch.modules import TorchLSTM, TorchLSTMCell

SUPPORT = Support(dtypes=("float32",))
CELL = Support(
    dtypes=("float32",),
    max_layers=1,
    batch_first=(False,),
    bidirectional=(False,),
    projection=False,
    dropout=False,
    lengths=False,
)


class ListsOutput(nn.LSTM):
    """Returns the output in a list."""

    def forward(self, x: Any, hx: Any = None) -> Any:
        output, states = super().forward(x, hx)
        return [output], states


class SparseOutput(nn.LSTM):
    """Returns the output as a sparse tensor."""

    def forward(self, x: Any, hx: Any = None) -> Any:
        output, states = super().forward(x, hx)
        return (output if isinstance(output, PackedSequence) else output.to_sparse()), states


class ForgetsC(nn.LSTM):
    """Returns None for c_n."""

    def forward(self, x: Any, hx: Any = None) -> Any:
        output, (h_n, _) = super().forward(x, hx)
        return output, (h_n, None)


class Unpacks(nn.LSTM):
    """Returns the numbers of a packed output without its lengths."""

    def forward(self, x: Any, hx: Any = None) -> Any:
        output, states = super().forward(x, hx)
        return (output.data if isinstance(output, PackedSequence) else output), states


class ListsH(nn.LSTMCell):
    """Returns h as a list of numbers."""

    def forward(self, x: Tensor, hx: Any = None) -> Any:
        h, c = super().forward(x, None if hx is None else (torch.as_tensor(hx[0]), hx[1]))
        return h.tolist(), c


class KeepsNotes(nn.LSTM):
    """Has what is no tensor in its state_dict."""

    def get_extra_state(self) -> dict[str, str]:
        return {"made": "by hand"}

    def set_extra_state(self, state: Any) -> None:
        pass


class MovesOnce(nn.LSTM):
    """Can be moved to another dtype once."""

    moved = False

    def to(self, *where: Any, **how: Any) -> Any:
        if self.moved:
            raise RuntimeError("its dtype is settled")
        self.moved = True
        return super().to(*where, **how)


@pytest.mark.slow
@pytest.mark.parametrize(
    "implementation",
    [
        *(
            TorchLSTM(cls, cls.__name__, SUPPORT)
            for cls in (ListsOutput, SparseOutput, ForgetsC, Unpacks, KeepsNotes, MovesOnce)
        ),
        TorchLSTMCell(ListsH, "ListsH", CELL),
    ],
    ids=lambda each: each.name,
)
def test_malformed_answer_is_never_our_fault(implementation: TorchLSTM) -> None:
    """Every requirement comes to a verdict, and one of them at least is not conformant."""
    verdicts: list[Verdict] = [
        check(item, implementation, budget=Budget(4, seed=1, shrink_seconds=0))
        for item in REQUIREMENTS.values()
        if not item.costly
    ]
    assert not all(verdict.conformant for verdict in verdicts)
