"""What adapters share: layers one after another, their states, and masks."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings

from conformance.checking.comparison import agree, close
from conformance.implementations.frameworks.networks import (
    Layer,
    chain,
    chain_gradients,
    layers,
    mask_of,
)
from conformance.implementations.implementation import without_padding
from conformance.implementations.layouts import Layout, Stored
from reference import (
    Array,
    Case,
    Configuration,
    Result,
    backward,
    forward_bound,
    gradient_bound,
    lstm,
    trace,
)
from strategies import lstm_cases
from tests.reference.autograd import random_cotangents
from tests.support.cases import random_case

CASES = lstm_cases(dtypes=["float64"], num_layers=(1, 3), projection=False, seq_len=(1, 5))


def part(case: Case, layer: Layer, x: Array) -> Case:
    """A layer of `case` as a case of its own."""
    c = case.configuration
    configuration = Configuration(
        x.shape[-1],
        c.hidden_size,
        bias=c.bias,
        batch_first=c.batch_first,
        bidirectional=c.bidirectional,
    )
    parameters: dict[str, Array] = {}
    for suffix, stored in zip(configuration.suffixes(), layer.directions, strict=True):
        parameters.update(Layout().restored(stored, suffix))
    return Case(configuration, parameters, x, layer.h_0, layer.c_0, case.lengths)


def alone(case: Case, layer: Layer, x: Array) -> tuple[Array, Array, Array]:
    """Results of a layer, computed by the reference."""
    output, h_n, c_n = (each.astype(np.float64) for _, each in lstm(part(case, layer, x)).items())
    return output, h_n, c_n


def pulled_back(case: Case, layer: Layer, x: Array, weights: Result) -> tuple[Layer, Array]:
    """Gradients of a layer, computed by the reference."""
    its = part(case, layer, x)
    found = {n: a.astype(np.float64) for n, a in backward(trace(its), weights).items()}
    directions = []
    for suffix in its.configuration.suffixes():
        biases = ("bias_ih", "bias_hh") if case.configuration.bias else ()
        w_ih, w_hh, *bias = (found[name + suffix] for name in ("weight_ih", "weight_hh", *biases))
        directions.append(Stored(w_ih, w_hh, tuple(bias)))
    states = found.get("h_0"), found.get("c_0")
    return Layer(layer.number, directions, *states), found["input"]


@settings(max_examples=20)
@given(CASES)
def test_chain_of_layers_is_the_network(case: Case) -> None:
    """The layers of a case, each computed by the reference, give the case's own result."""

    evaluated = trace(case)
    agree(chain(case, Layout(), partial(alone, case)), evaluated.result, forward_bound(evaluated))


@settings(max_examples=20)
@given(CASES)
def test_chained_gradients_are_those_of_the_network(case: Case) -> None:
    """Layers pulled back by the reference from the top give the case's own gradients."""
    cotangents, evaluated = random_cotangents(case), trace(case)
    layer, back = partial(alone, case), partial(pulled_back, case)
    got = chain_gradients(case, Layout(), layer, back, cotangents)
    expected, bound = backward(evaluated, cotangents), gradient_bound(evaluated, cotangents)
    assert got.keys() == expected.keys()
    for name, array in expected.items():
        close(name, got[name], array, bound[name])


def test_layers_have_the_states_of_their_directions() -> None:
    """Of (D * L, N, H), each layer has the D states that are its own; without them, none."""
    case = random_case(Configuration(3, 2, num_layers=3, bidirectional=True))
    assert case.h_0 is not None
    found = layers(case, Layout())
    assert [layer.number for layer in found] == [0, 1, 2]
    np.testing.assert_array_equal(
        np.concatenate([layer.h_0 for layer in found if layer.h_0 is not None]), case.h_0
    )
    assert all(len(layer.directions) == 2 for layer in found)


@given(lstm_cases(lengths=True, seq_len=(1, 6)))
def test_valid_steps_are_those_within_the_lengths(case: Case) -> None:
    """As many steps of each row are valid as its length says, the first ones."""
    mask = mask_of(case)
    assert mask is not None
    assert case.lengths is not None
    np.testing.assert_array_equal(mask.sum(axis=1), case.lengths)
    assert mask[:, 0].all()
    assert (np.diff(mask.astype(int), axis=1) <= 0).all()


@pytest.mark.parametrize("batch_first", [False, True])
def test_padding_is_set_to_zero_and_nothing_else(batch_first: bool) -> None:
    """What is beyond a length becomes zero; what is within stays, and so does the argument."""
    configuration = Configuration(1, 1, batch_first=batch_first)
    parameters = {n: np.zeros(s) for n, s in configuration.parameter_shapes().items()}
    x = np.zeros((2, 3, 1) if batch_first else (3, 2, 1))
    case = Case(configuration, parameters, x, lengths=np.array([1, 3]))
    ones = Result(np.ones(case.output_shape()), np.ones((1, 2, 1)), np.ones((1, 2, 1)))
    cut = without_padding(ones, case)
    np.testing.assert_array_equal(case.time_major(cut.output)[:, :, 0].T, [[1, 0, 0], [1, 1, 1]])
    assert ones.output.all()
    assert cut.h_n is ones.h_n
