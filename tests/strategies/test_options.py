"""Options are checked before anything is drawn."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis.errors import InvalidArgument

from reference import Configuration
from strategies import (
    Support,
    configurations,
    initial_states,
    inputs,
    lengths,
    lstm_cases,
    parameters,
    recipes,
)

UNMEETABLE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"dtypes": ("float32",)}, {"dtypes": ["float16"]}),
    ({}, {"dtypes": "int8"}),
    ({}, {"dtypes": []}),
    ({}, {"devices": "cuda"}),
    ({"bias": (True,)}, {"bias": False}),
    ({"batch_first": (True,)}, {"batch_first": False}),
    ({"bidirectional": (False,)}, {"bidirectional": True}),
    ({"projection": False}, {"projection": True}),
    ({"dropout": False}, {"dropout": True}),
    ({"states": (True,)}, {"states": False}),
    ({"lengths": False}, {"lengths": True}),
    ({"batched": (True,)}, {"batched": False}),
    ({"batched": (False,)}, {"lengths": True}),
    ({"batched": (False,)}, {"batch_size": (2, 3)}),
    ({"max_layers": 2}, {"num_layers": (3, 4)}),
    ({"empty_batch": False}, {"batch_size": (0, 3)}),
    ({}, {"batched": False, "lengths": True}),
    ({}, {"batched": False, "batch_size": (2, 5)}),
    ({}, {"lengths": True, "batch_size": (0, 0)}),
    ({}, {"projection": True, "hidden_size": (1, 1)}),
    ({}, {"dropout": True, "num_layers": (1, 1)}),
    ({}, {"seq_len": (0, 3)}),
    ({}, {"seq_len": (4, 3)}),
    ({}, {"input_size": 3}),
    ({}, {"hidden_size": (1.0, 2.0)}),
    ({}, {"weights": ["huge"]}),
    ({}, {"weights": []}),
]


@pytest.mark.parametrize(("limits", "options"), UNMEETABLE)
def test_lstm_cases_refuse_what_cannot_be_met(
    limits: dict[str, Any], options: dict[str, Any]
) -> None:
    """A request that the support or another option rules out is refused, with one sentence."""
    with pytest.raises(InvalidArgument) as caught:
        lstm_cases(Support(**limits), **options)
    assert "\n" not in str(caught.value)


def test_configurations_refuse_more_layers_than_supported() -> None:
    """A least number of layers above the support's is refused, and a largest one cut."""
    with pytest.raises(InvalidArgument, match="max_layers"):
        configurations(Support(max_layers=1), num_layers=(2, 3))
    configurations(Support(max_layers=1), num_layers=(1, 3))


def test_other_strategies_refuse_wrong_arguments() -> None:
    """Negative sizes, unknown types and unknown recipes are refused."""
    configuration = Configuration(2, 3)
    with pytest.raises(InvalidArgument):
        lengths(seq_len=3, batch_size=0)
    with pytest.raises(InvalidArgument):
        parameters(configuration, dtype="int8")
    with pytest.raises(InvalidArgument):
        inputs(configuration, seq_len=-1, batch_size=2)
    with pytest.raises(InvalidArgument):
        initial_states(configuration, batch_size=-1)
    with pytest.raises(InvalidArgument):
        recipes(names=["sevens"])


@pytest.mark.parametrize("name", ["dtypes", "batched", "states"])
def test_support_refuses_to_list_nothing(name: str) -> None:
    """A support without any value for an option is refused."""
    values: dict[str, Any] = {name: ()}
    with pytest.raises(ValueError, match=name):
        Support(**values)
