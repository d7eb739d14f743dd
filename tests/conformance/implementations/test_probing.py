"""Finding out what a torch module class takes."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from conformance import REQUIREMENTS, Budget, Passed, StackedLSTMCells, Support, UsageError, check
from conformance.errors import Unlike, file_of_adapter
from conformance.implementations import loading
from conformance.implementations.probing import dtypes_taken, small_case, takes
from conformance.implementations.pytorch.modules import TorchLSTM, TorchLSTMCell, torch_devices
from conformance.implementations.pytorch.probing import adapt, cell_list_name
from reference import Case, Result, lstm
from tests.support import specimens
from tests.support.devices import CPU_DTYPES

EVERYTHING = Support(devices=torch_devices(), dtypes=CPU_DTYPES)
CELL = replace(
    EVERYTHING,
    max_layers=1,
    batch_first=(False,),
    bidirectional=(False,),
    projection=False,
    dropout=False,
    lengths=False,
)


@pytest.mark.parametrize(
    ("cls", "support"),
    [
        (nn.LSTM, EVERYTHING),
        (specimens.ForgetsBiasHH, EVERYTHING),
        (nn.LSTMCell, CELL),
        (specimens.PlainCell, CELL),
        (
            StackedLSTMCells,
            replace(
                EVERYTHING, bidirectional=(False,), projection=False, dropout=False, lengths=False
            ),
        ),
        (
            specimens.OneWay,
            replace(
                EVERYTHING,
                batch_first=(False,),
                bidirectional=(False,),
                projection=False,
                dropout=False,
                lengths=False,
            ),
        ),
        (
            specimens.Careful,
            replace(CELL, bias=(True,), states=(True,), batched=(True,), empty_batch=False),
        ),
        (specimens.OnlyFloat32, replace(CELL, dtypes=("float32",), batched=(True,))),
        (specimens.OnlyFloat64, replace(CELL, dtypes=("float64",), batched=(True,))),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_adapt_finds_out_what_a_class_takes(cls: type[nn.Module], support: Support) -> None:
    """Every option that the class does not accept is declared as not supported, and no other."""
    implementation = adapt(cls, "mine")
    assert implementation.name == "mine"
    assert implementation.supports == support


@pytest.mark.parametrize(
    "cls", [specimens.OneWay, specimens.Careful, specimens.OnlyFloat32, StackedLSTMCells]
)
def test_adapted_classes_are_asked_only_what_they_take(cls: type[nn.Module]) -> None:
    """A right LSTM that takes little passes on all cases within that."""
    verdict = check(
        REQUIREMENTS["results_match_reference"], adapt(cls, "mine"), budget=Budget(30, seed=1)
    )
    assert isinstance(verdict, Passed), verdict
    assert verdict.cases >= 30


@pytest.mark.parametrize("cls", [specimens.Raises, specimens.Exits, specimens.Segfaults])
def test_adapt_trusts_subclasses_of_torch(cls: type[nn.Module]) -> None:
    """Of a subclass of ``torch.nn.LSTM`` no forward runs before it is verified."""

    class Worse(cls):  # type: ignore[misc, valid-type]
        def forward(self, *arguments: object) -> None:
            raise AssertionError("was called")

    assert adapt(Worse, "mine").supports == EVERYTHING


def test_adapt_takes_cells_and_layers_by_their_parameters() -> None:
    """Names without _l0 make a cell, names with it a sequence."""
    assert isinstance(adapt(specimens.Careful, "mine"), TorchLSTMCell)
    assert type(adapt(specimens.OneWay, "mine")) is TorchLSTM


@pytest.mark.parametrize(
    ("cls", "told"),
    [
        (nn.Linear, r"its parameters are weight \(3, 2\), bias \(3,\); expected"),
        (nn.ReLU, "raised TypeError: "),
        (nn.GRU, r"its parameters are weight_ih_l0 \(9, 2\), .*expected weight_ih_l0 \(12, 2\)"),
        (nn.GRUCell, r"its parameters are weight_ih \(9, 2\)"),
        (nn.RNN, r"its parameters are weight_ih_l0 \(3, 2\)"),
        (nn.RNNCell, r"its parameters are weight_ih \(3, 2\)"),
        (nn.Identity, "its parameters are none; expected"),
        (specimens.NeedsThreeArguments, r"NeedsThreeArguments\(input_size, hidden_size\) raised"),
        (dict, "is neither a torch.nn.Module nor an Implementation"),
    ],
)
def test_adapt_refuses_what_is_no_lstm(cls: type, told: str) -> None:
    """A class that is no LSTM is refused in one line that says why."""
    with pytest.raises(UsageError, match=told) as caught:
        adapt(cls, "mine")
    assert str(caught.value).startswith("'mine' is n")
    assert "\n" not in str(caught.value)


class OfOneCell(nn.Module):
    """What the following share: an ``nn.LSTMCell`` by the names of an LSTM of one layer."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        for name, parameter in [*nn.LSTMCell(input_size, hidden_size).named_parameters()]:
            self.register_parameter(f"{name}_l0", parameter)

    def forward(self, x: Any, hx: Any = None) -> Any:
        h, c = (each[0] for each in hx) if hx else [x.new_zeros(x.shape[1], self.hidden_size)] * 2
        outputs = []
        for step in x:
            a = step @ self.weight_ih_l0.T + self.bias_ih_l0 + self.bias_hh_l0
            i, f, g, o = (a + h @ self.weight_hh_l0.T).chunk(4, -1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
        return torch.stack(outputs), (h[None], c[None])


class KeepsAxisOfOneRow(OfOneCell):
    """Takes input without rows, and answers with one row."""

    def forward(self, x: Any, hx: Any = None) -> Any:
        if x.ndim == 2:
            return super().forward(x[:, None], hx and [each[:, None] for each in hx])
        return super().forward(x, hx)


@pytest.mark.parametrize(
    ("cls", "batched"), [(OfOneCell, (True,)), (KeepsAxisOfOneRow, (True, False))]
)
def test_unbatched_input_is_not_taken_by_accident(
    cls: type[nn.Module], batched: tuple[bool, ...]
) -> None:
    """What broadcasts to an output of another size is not taken; an axis too many is a fault."""
    implementation = adapt(cls, "mine")
    assert implementation.supports.batched == batched
    verdict = check("shapes_are_as_documented", implementation, budget=Budget(30, seed=1))
    assert verdict.conformant == (False not in batched), verdict


def test_cell_list_name_puts_the_layer_first() -> None:
    """Parameters of a list of cells are found by the layer's number."""
    assert cell_list_name("weight_ih_l0") == "cells.0.weight_ih"
    assert cell_list_name("bias_hh_l12") == "cells.12.bias_hh"


class Never:
    """Raises whatever it is given."""

    def run(self, case: Case) -> Result:
        raise RuntimeError("no")


def test_dtypes_stay_where_nothing_runs() -> None:
    """It is not for its dtype that such a class raises, and a verdict has to show it."""
    assert dtypes_taken(Never(), ("float64", "float16")) == ("float64", "float16")


class Wide:
    """Runs, and returns an output in float16."""

    def run(self, case: Case) -> Result:
        result = lstm(case)
        return replace(result, output=result.output.astype("float16"))


def test_takes_looks_at_the_dtype_where_it_is_asked_to() -> None:
    """A case that runs is taken, unless its results must have its dtype and have not."""
    case = small_case()
    assert takes(Wide(), case)
    assert not takes(Wide(), case, kept=True)
    assert not takes(Never(), case)


MUST_BE_INFERRED = """
import numpy as np
import torch
from torch import nn


def function(x, h, c, W, U, b):
    pass


class WithCells(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.cells = nn.ModuleList(nn.LSTMCell(n, hidden_size) for n in (input_size, hidden_size))


class OfTokens(nn.Module):
    def __init__(self, vocabulary, input_size, hidden_size):
        super().__init__()


class OfNumPy:
    def __init__(self, input_size, hidden_size):
        self.W = np.zeros((4 * hidden_size, input_size + hidden_size))


class OfTensors(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.W = torch.zeros(4 * hidden_size, input_size + hidden_size)
"""


@pytest.mark.parametrize("name", ["function", "WithCells", "OfTokens", "OfNumPy", "OfTensors"])
def test_what_can_only_be_inferred_is_refused_with_what_to_type(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command that finds the adapter, and the one that verifies it, end the message."""
    (tmp_path / "mine_is.py").write_text(MUST_BE_INFERRED)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        loading.load(f"mine_is.py:{name}")
    assert str(caught.value).endswith(
        f"; `lstm-conformance infer mine_is.py:{name} > mine.py` may find out how, "
        "for `lstm-conformance verify mine.py:mine`"
    )


@pytest.mark.parametrize("name", ["mine.py:A", "a/mine.py:A", "mine.A", "mine:A", "mine.py"])
def test_file_of_an_adapter_is_not_that_of_the_class(name: str) -> None:
    """What a message says to type overwrites nothing."""
    assert file_of_adapter(name) == "adapter.py"
    assert file_of_adapter(f"of_{name}".replace("of_a/", "a/of_")) == "mine.py"
    assert "> adapter.py` may find out how" in str(Unlike(name, "it is not an LSTM"))


@pytest.mark.parametrize("parts", [1, 3])
def test_answer_of_another_form_is_refused_with_what_to_do(parts: int) -> None:
    """Three parts, or h alone, is one message, and not a red for each requirement."""

    class Flat(nn.Module):
        def __init__(self, input_size: int, hidden_size: int) -> None:
            super().__init__()
            inner = nn.LSTM(input_size, hidden_size)
            for name, parameter in inner.named_parameters():
                self.register_parameter(name, parameter)
            self.inner = [inner]

        def forward(self, x: Any, hx: Any = None) -> Any:
            output, (h, c) = self.inner[0](x, hx)
            return h if parts == 1 else (output, h, c)

    with pytest.raises(UsageError, match=r"returns=.*lstm-conformance infer"):
        adapt(Flat, "flat")
