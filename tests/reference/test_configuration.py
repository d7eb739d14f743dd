"""Configurations: what they refuse, and the parameters that follow from them."""

import itertools
from typing import Any

import pytest
import torch

from reference import Configuration


@pytest.mark.parametrize("name", ["input_size", "hidden_size", "num_layers"])
@pytest.mark.parametrize("value", [0, -1])
def test_configuration_refuses_sizes_below_one(name: str, value: int) -> None:
    """Sizes and the number of layers are positive."""
    sizes: dict[str, Any] = {"input_size": 3, "hidden_size": 2, name: value}
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got {value}"):
        Configuration(**sizes)


@pytest.mark.parametrize("dropout", [-0.1, 1.1, float("nan")])
def test_configuration_refuses_a_dropout_that_is_no_probability(dropout: float) -> None:
    """A dropout lies between 0 and 1."""
    with pytest.raises(ValueError, match="dropout must lie in"):
        Configuration(3, 2, dropout=dropout)


@pytest.mark.parametrize("proj_size", [-1, 2, 3])
def test_configuration_refuses_a_projection_that_does_not_shrink(proj_size: int) -> None:
    """A projection is smaller than the hidden state, as ``torch.nn.LSTM`` demands."""
    with pytest.raises(ValueError, match="proj_size must lie in"):
        Configuration(3, 2, proj_size=proj_size)


def test_configuration_accepts_the_ends_of_each_range() -> None:
    """Sizes of 1, a dropout of 0 or 1 and the largest possible projection are configurations."""
    Configuration(1, 1, num_layers=1, dropout=0)
    Configuration(1, 2, dropout=1, proj_size=1)


def test_unchecked_takes_what_the_constructor_refuses() -> None:
    """Options are kept as given, others are at their defaults, and can be listed."""
    impossible = Configuration.unchecked(input_size=3, hidden_size=0, dropout=2.0)
    assert (impossible.hidden_size, impossible.dropout, impossible.num_layers) == (0, 2.0, 1)
    assert impossible.arguments() == {"input_size": 3, "hidden_size": 0, "dropout": 2.0}


def test_configuration_has_pytorchs_defaults() -> None:
    """One layer, one direction, biases, no projection, no dropout, time first."""
    ours, theirs = Configuration(3, 2), torch.nn.LSTM(3, 2)
    for name in vars(ours):
        assert getattr(ours, name) == getattr(theirs, name), name


@pytest.mark.parametrize(
    ("proj_size", "bidirectional", "output_size", "num_directions"),
    [(0, False, 4, 1), (3, False, 3, 1), (0, True, 4, 2), (3, True, 3, 2)],
)
def test_configuration_derives_output_size_and_directions(
    proj_size: int, bidirectional: bool, output_size: int, num_directions: int
) -> None:
    """The output size is that of the projection if there is one, of one direction in any case."""
    c = Configuration(2, 4, proj_size=proj_size, bidirectional=bidirectional)
    assert (c.output_size, c.num_directions) == (output_size, num_directions)


def test_arguments_are_those_that_are_not_default() -> None:
    """A class whose constructor lacks an option can be built without it."""
    assert Configuration(3, 4).arguments() == {"input_size": 3, "hidden_size": 4}
    configuration = Configuration(3, 4, num_layers=2, bias=False, dropout=0.5)
    assert configuration.arguments() == {
        "input_size": 3,
        "hidden_size": 4,
        "num_layers": 2,
        "bias": False,
        "dropout": 0.5,
    }
    assert Configuration(**configuration.arguments()) == configuration


def test_suffixes_are_layer_major() -> None:
    """Both directions of one layer come before the next layer."""
    assert Configuration(3, 2, num_layers=2).suffixes() == ["_l0", "_l1"]
    assert Configuration(3, 2, num_layers=2, bidirectional=True).suffixes() == [
        "_l0",
        "_l0_reverse",
        "_l1",
        "_l1_reverse",
    ]


OPTIONS: list[dict[str, Any]] = [
    {"num_layers": num_layers, "bias": bias, "bidirectional": both, "proj_size": proj_size}
    for num_layers, bias, both, proj_size in itertools.product(
        (1, 2, 3), (True, False), (False, True), (0, 1, 3)
    )
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(str(v) for v in o.values()))
def test_parameter_shapes_are_those_of_torchs_state_dict(options: dict[str, Any]) -> None:
    """Names, shapes and order of the parameters are PyTorch's."""
    theirs = torch.nn.LSTM(5, 4, **options).state_dict()
    ours = Configuration(5, 4, **options).parameter_shapes()
    assert list(ours.items()) == [(name, tuple(p.shape)) for name, p in theirs.items()]
