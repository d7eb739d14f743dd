"""Parameters, inputs, states, lengths and configurations on their own."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reference import DTYPES, Array, Case, Configuration
from strategies import (
    Recipe,
    configurations,
    initial_states,
    inputs,
    lengths,
    parameters,
    recipes,
)
from strategies.recipes import RECIPES
from strategies.tensors import PARAMETERS, fill, kind

SHAPES = {
    "weight_ih_l0": (12, 2),
    "weight_hh_l0": (12, 3),
    "bias_ih_l0": (12,),
    "bias_hh_l0": (12,),
    "input": (4, 2, 2),
    "h_0": (1, 2, 3),
    "c_0": (1, 2, 3),
}
KINDS = list(map(kind, SHAPES))


@given(st.sampled_from(KINDS), recipes(), recipes(), st.integers(0, 2**16 - 1))
def test_fill_keeps_the_numbers_of_other_tensors(
    changed: str, before: Recipe, after: Recipe, seed: int
) -> None:
    """Another recipe for one tensor leaves every other tensor as it was."""
    styles = dict.fromkeys(KINDS, before)
    first = fill(SHAPES, styles, hidden_size=3, seed=seed, dtype=DTYPES["float64"])
    styles[changed] = after
    second = fill(SHAPES, styles, hidden_size=3, seed=seed, dtype=DTYPES["float64"])
    for name, array in first.items():
        if kind(name) != changed:
            assert np.array_equal(array, second[name])


@given(st.sampled_from([recipe for recipe, _ in RECIPES]), st.integers(0, 99), st.integers(1, 60))
def test_recipes_give_as_many_non_zeros_as_they_say(recipe: Recipe, seed: int, size: int) -> None:
    """A sparse recipe leaves its number of elements, a dense one all of them."""
    numbers = np.random.default_rng(seed).standard_normal(size)
    values = recipe.fill(numbers.copy(), 3)
    assert values.shape == numbers.shape
    expected = size if recipe.nonzeros is None else recipe.nonzeros
    if size >= 12 or recipe.nonzeros in (None, 0, 1):
        assert np.count_nonzero(values) == expected
    if recipe.grid is not None:
        assert np.array_equal(values, np.rint(values / recipe.grid) * recipe.grid)


def test_kind_leaves_out_layer_and_direction() -> None:
    """The kinds of all parameter names are the five documented ones."""
    names = Configuration(2, 3, 2, bidirectional=True, proj_size=1).parameter_shapes()
    assert set(map(kind, names)) == set(PARAMETERS)
    assert kind("h_0") == "h_0"


@given(st.data(), configurations(), st.sampled_from(list(DTYPES)), st.none() | st.integers(0, 4))
def test_parts_make_a_case(
    data: st.DataObject, configuration: Configuration, dtype: str, batch_size: int | None
) -> None:
    """Parameters, an input and states drawn one by one fit together."""
    state = data.draw(initial_states(configuration, batch_size=batch_size, dtype=dtype))
    case = Case(
        configuration,
        data.draw(parameters(configuration, dtype=dtype)),
        data.draw(inputs(configuration, seq_len=3, batch_size=batch_size, dtype=dtype)),
        *state,
    )
    assert case.dtype.name == dtype
    assert case.seq_len == 3
    assert case.batched == (batch_size is not None)


@given(parameters(Configuration(2, 3), names=["unit"], dtype="float64"))
def test_parameters_have_two_different_biases(drawn: dict[str, Array]) -> None:
    """The two biases of a layer differ in every element."""
    assert (drawn["bias_ih_l0"] != drawn["bias_hh_l0"]).all()


@given(st.data(), st.integers(1, 70), st.integers(1, 40))
def test_lengths_reach_the_sequence_length(
    data: st.DataObject, seq_len: int, batch_size: int
) -> None:
    """There is one length a row, each at least 1, and the largest is that of the sequence."""
    drawn = data.draw(lengths(seq_len=seq_len, batch_size=batch_size))
    assert drawn.dtype == np.int64
    assert drawn.shape == (batch_size,)
    assert drawn.min() >= 1
    assert drawn.max() == seq_len
