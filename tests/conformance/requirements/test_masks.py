"""Masks of dropout that are read off results are those that were applied."""

import numpy as np
import pytest
from hypothesis import given, settings

from conformance.requirements.helpers.chance import Counts, most_surprising, surprise
from conformance.requirements.helpers.masks import agreeing, dropped
from conformance.requirements.helpers.readable import LAYERS, readable, uniform
from reference import DTYPES, Case, Configuration, Result, forward_bound, trace
from strategies import lstm_cases


@settings(max_examples=30)
@given(
    lstm_cases(
        dropout=True,
        bias=True,
        num_layers=(2, LAYERS),
        hidden_size=(1, 9),
        seq_len=(1, 12),
        batch_size=(1, 6),
    )
)
def test_masks_are_read_right_off_results_at_the_edge_of_their_bounds(case: Case) -> None:
    """Results that are off by their whole bound, up or down, still show which values are dropped.

    What a drop above hides makes no difference to the results.
    """
    network = readable(case)
    configuration = case.configuration
    rng = np.random.default_rng(0)
    features = configuration.num_directions * configuration.output_size
    shape = (configuration.num_layers - 1, case.seq_len, case.batch_size, features)
    masks = (rng.random(shape) >= configuration.dropout) / (1 - configuration.dropout)
    evaluated = trace(network.case, list(masks))
    result, bound = evaluated.result, forward_bound(evaluated)
    pairs = zip(result.items(), bound.items(), strict=True)
    off = Result.of(
        each + rng.choice([-1, 1], each.shape) * allowed for (_, each), (_, allowed) in pairs
    )
    h_n = off.h_n if case.batched else off.h_n[:, None]
    read = network.masks(case.time_major(off.output), h_n)
    again = trace(network.case, read).result
    for (name, expected), (_, got) in zip(result.items(), again.items(), strict=True):
        np.testing.assert_array_equal(got, expected, err_msg=name)
    valid = case.valid_steps()
    np.testing.assert_array_equal((read[-1] > 0)[valid], (masks[-1] > 0)[valid])


@pytest.mark.parametrize("dtype", list(DTYPES))
def test_uniform_network_shows_what_was_dropped(dtype: str) -> None:
    """In both directions and with a projection, of rows of different lengths."""
    configuration = Configuration(
        1, 2, num_layers=3, dropout=0.3, bidirectional=True, proj_size=1, batch_first=True
    )
    shapes = configuration.parameter_shapes()
    numpy = DTYPES[dtype].numpy
    parameters = {name: np.zeros(shape, numpy) for name, shape in shapes.items()}
    case = Case(configuration, parameters, np.zeros((1, 1, 1), numpy), lengths=np.array([1]))
    network = uniform(case, 6, 5, 4)
    rng = np.random.default_rng(0)
    masks = [(rng.random((6, 5, 8)) >= 0.3) / 0.7 for _ in range(2)]
    output = network.case.time_major(trace(network.case, masks).result.output)
    highest = network.highest(output)
    true = np.where(masks[1] == 0, 2, np.where(masks[0] == 0, 1, 0))
    true[~network.case.valid_steps()] = 3
    np.testing.assert_array_equal(highest, true)


def test_surprise_bounds_the_probability_of_a_count() -> None:
    """Ten heads in ten throws have the probability exp(-surprise), and five surprise nobody."""
    assert np.exp(-surprise(np.array(10), np.array(10), 0.5)) == pytest.approx(2.0**-10)
    assert surprise(np.array(5), np.array(10), 0.5) == pytest.approx(0)
    assert surprise(np.array(0), np.array(0), 0.5) == 0


@pytest.mark.parametrize("counted", [dropped, agreeing])
@pytest.mark.parametrize("p", [0.01, 0.5, 0.99])
def test_independent_masks_surprise_nobody(counted: object, p: float) -> None:
    """What is drawn as it should be stays far below the limit."""
    assert callable(counted)
    drawn = np.random.default_rng(1).random((2, 3, 8, 8, 2, 8)) < p
    highest = np.where(drawn[1], 2, drawn[0] * 1)
    counts: list[Counts] = list(counted(highest, 2, p))
    *_, found, limit = most_surprising(counts)
    assert found < limit / 2


def test_equal_steps_are_a_surprise() -> None:
    """The pairs that agree too often are named."""
    highest = (np.random.default_rng(1).random((3, 8, 8, 1, 8)) < 0.5) * 1
    highest[:, 5] = highest[:, 2]
    of, place, found, limit = most_surprising(list(agreeing(highest, 1, 0.5)))
    assert found > limit
    assert str(of.where[place]) == "after layer 0, direction 0, steps 2 and 5"
