"""Strategies for parameters, inputs and initial states: arrays filled by recipes from one seed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from math import prod
from operator import itemgetter

import numpy as np
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument
from hypothesis.strategies import SearchStrategy

from reference import DTYPES, Array, Configuration, DType
from strategies.recipes import DATA, NAMES, Recipe, recipes

Shape = tuple[int, ...]

PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
"""The kinds of parameters."""

FARTHEST = 4.0
"""The limit to which standard normal numbers are clipped, so that float16 does not overflow."""


LARGE = 2**11
"""The largest size of an array whose numbers are all drawn separately."""

PERIOD = 1021
"""After how many numbers a larger array repeats itself.

It is a prime, so that rows of a matrix do not begin at the same place. A case and its script stay
small then, as both are compressed.
"""


def kind(name: str) -> str:
    """Find the kind of the tensor `name`: ``weight_ih_l0_reverse`` is a ``weight_ih``."""
    return name.partition("_l")[0]


def seeds() -> SearchStrategy[int]:
    """Draw seeds of the numbers in a case; they shrink to 0."""
    return st.sampled_from(range(2**16))


def fill(
    shapes: Mapping[str, Shape],
    styles: Mapping[str, Recipe],
    *,
    hidden_size: int,
    seed: int,
    dtype: DType,
) -> dict[str, Array]:
    """Make an array of each shape, by name, filled by the recipe in `styles` for its :func:`kind`.

    All numbers come from one generator in the order of `shapes`. So another recipe for one kind
    leaves the numbers in all other arrays as they are. A large array repeats :data:`PERIOD`
    numbers.
    """
    counts = [prod(shape) for shape in shapes.values()]
    ends = np.cumsum(counts).tolist()
    generator = np.random.default_rng(seed)
    rounded = np.empty(ends[-1], dtype.numpy)
    for name, count, end in zip(shapes, counts, ends, strict=True):
        numbers = generator.standard_normal(count if count <= LARGE else PERIOD)
        np.clip(numbers, -FARTHEST, FARTHEST, out=numbers)
        style = styles[kind(name)]
        if style.nonzeros is not None:  # which are in places of the whole array
            numbers = np.resize(numbers, count)
        made = style.fill(numbers, hidden_size).astype(dtype.numpy)
        rounded[end - count : end] = np.resize(made, count)
    starts = [0, *ends]
    return {
        name: rounded[start:end].reshape(shape)
        for (name, shape), start, end in zip(shapes.items(), starts, ends, strict=False)
    }


def parameters(
    configuration: Configuration, *, dtype: str = "float32", names: Collection[str] = NAMES
) -> SearchStrategy[dict[str, Array]]:
    """Draw parameters of `configuration`: arrays by PyTorch's names, in PyTorch's layout.

    - `dtype`: a name in :data:`reference.DTYPES`;
    - `names`: the names of the recipes to choose from, see :func:`~strategies.recipes.recipes`.

    Each kind, such as all ``weight_hh``, has a separate recipe, and the two biases differ. They all
    shrink towards zeros, few non-zero elements and simple numbers, one kind at a time.
    """
    return _tensors(configuration.parameter_shapes(), names, configuration, dtype)


def inputs(
    configuration: Configuration, *, seq_len: int, batch_size: int | None, dtype: str = "float32"
) -> SearchStrategy[Array]:
    """Draw inputs of type `dtype`, which shrink like :func:`parameters`.

    They are (seq_len, batch_size, input_size), or (batch_size, seq_len, input_size) with
    ``batch_first``, or (seq_len, input_size) if `batch_size` is None.
    """
    shapes = {"input": input_shape(configuration, seq_len, batch_size)}
    return _tensors(shapes, DATA, configuration, dtype).map(itemgetter("input"))


def initial_states(
    configuration: Configuration, *, batch_size: int | None, dtype: str = "float32"
) -> SearchStrategy[tuple[Array, Array]]:
    """Draw pairs (h_0, c_0) of type `dtype`, which shrink like :func:`parameters`.

    They are (D * num_layers, batch_size, R) and (D * num_layers, batch_size, hidden_size), without
    batch_size if that is None.
    """
    shapes = state_shapes(configuration, batch_size)
    return _tensors(shapes, DATA, configuration, dtype).map(itemgetter("h_0", "c_0"))


def input_shape(configuration: Configuration, seq_len: int, batch_size: int | None) -> Shape:
    """Give the shape of an input; `batch_size` None stands for no batch dimension."""
    if batch_size is None:
        return seq_len, configuration.input_size
    leading = (batch_size, seq_len) if configuration.batch_first else (seq_len, batch_size)
    return *leading, configuration.input_size


def state_shapes(configuration: Configuration, batch_size: int | None) -> dict[str, Shape]:
    """Give the shapes of ``h_0`` and ``c_0``; `batch_size` None stands for no batch dimension."""
    rows = () if batch_size is None else (batch_size,)
    count = configuration.num_layers * configuration.num_directions
    return {
        "h_0": (count, *rows, configuration.output_size),
        "c_0": (count, *rows, configuration.hidden_size),
    }


def _tensors(
    shapes: Mapping[str, Shape], names: Collection[str], configuration: Configuration, dtype: str
) -> SearchStrategy[dict[str, Array]]:
    if dtype not in DTYPES:
        raise InvalidArgument(f"{dtype=} must be one of {list(DTYPES)}")
    if any(size < 0 for shape in shapes.values() for size in shape):
        raise InvalidArgument(f"sizes must not be negative, shapes are {dict(shapes)}")
    styles = {name: recipes(name, names=names) for name in map(kind, shapes)}
    filled = partial(fill, shapes, hidden_size=configuration.hidden_size, dtype=DTYPES[dtype])
    return st.builds(filled, styles=st.fixed_dictionaries(styles), seed=seeds())
