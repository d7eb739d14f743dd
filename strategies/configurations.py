"""Strategies for configurations of an LSTM."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument
from hypothesis.strategies import DrawFn, SearchStrategy

from reference import Configuration
from strategies.options import Bounds, at_least, bounds, choices, flags, one_of
from strategies.sizes import FEATURES, LAYERS, MOST_WEIGHTS, REAL, REAL_LAYERS, apart, sizes
from strategies.support import EVERYTHING, Support

DROPOUTS = (0.5, 0.25, 0.75, 0.1, 0.9, 0.4, 0.01, 0.99)
"""The values of ``dropout`` other than 0."""


def configurations(
    support: Support = EVERYTHING,
    *,
    input_size: Bounds = (1, 33),
    hidden_size: Bounds = (1, 33),
    num_layers: Bounds = (1, 5),
    bias: bool | None = None,
    batch_first: bool | None = None,
    bidirectional: bool | None = None,
    projection: bool | None = None,
    dropout: bool | None = False,
    real: bool = False,
) -> SearchStrategy[Configuration]:
    """Draw configurations that `support` allows.

    - `input_size`, `hidden_size`, `num_layers`: the bounds (min, max) of each size; `num_layers` is
      also within ``support.min_layers`` and ``support.max_layers``;
    - `bias`, `batch_first`, `bidirectional`: the options of the same names;
    - `projection`: whether ``proj_size`` is other than 0;
    - `dropout`: whether ``dropout`` is other than 0, which takes two layers or more;
    - `real`: whether sizes are those of networks that are really used, equal ones not avoided.

    An option that is None is drawn, and one that is True or False is fixed. Sizes are usually
    distinct and at most 6, but sometimes one at which kernels switch paths, such as 8, 17 or 32.

    Configurations shrink towards one layer in one direction, without projection, and sizes of 1.
    Raises :class:`InvalidArgument` if the options cannot be met.
    """
    bounds("input_size", input_size)
    bounds("hidden_size", hidden_size)
    bounds("num_layers", num_layers)
    if num_layers[0] > support.max_layers:
        raise InvalidArgument(f"{num_layers=} needs more than {support.max_layers=}")
    if num_layers[1] < support.min_layers:
        raise InvalidArgument(f"{num_layers=} needs fewer than {support.min_layers=}")
    least = max(num_layers[0], support.min_layers)
    num_layers = least, min(num_layers[1], support.max_layers)
    projections = choices("projection", (False, True)[: 1 + support.projection], projection)
    if projections == (True,):
        hidden_size = at_least("hidden_size", hidden_size, 2, "a projection")
    dropouts = choices("dropout", (False, True)[: 1 + support.dropout], dropout)
    if dropouts == (True,):
        num_layers = at_least("num_layers", num_layers, 2, "dropout")
    return _configurations(
        hidden_size,
        sizes("input_size", REAL if real else FEATURES, input_size),
        sizes("hidden_size", REAL if real else FEATURES, hidden_size),
        sizes("num_layers", REAL_LAYERS if real else LAYERS, num_layers),
        flags("bias", choices("bias", support.bias, bias), often=(6, 1)),
        flags("batch_first", choices("batch_first", support.batch_first, batch_first)),
        flags("bidirectional", choices("bidirectional", support.bidirectional, bidirectional)),
        flags("projection", projections, often=(2, 1)),
        one_of("dropout", [0.0] * 4 * (False in dropouts) + list(DROPOUTS) * (True in dropouts)),
        st.just(False) if real else flags("distinct sizes", (False, True), often=(1, 3)),
        one_of("proj_size", range(max(1, hidden_size[1] - 1))),
    )


@st.composite
def _configurations(
    draw: DrawFn,
    hidden_bounds: Bounds,
    input_sizes: SearchStrategy[int],
    hidden_sizes: SearchStrategy[int],
    layers: SearchStrategy[int],
    bias: SearchStrategy[bool],
    batch_first: SearchStrategy[bool],
    bidirectional: SearchStrategy[bool],
    projection: SearchStrategy[bool],
    dropouts: SearchStrategy[float],
    distinct: SearchStrategy[bool],
    projections: SearchStrategy[int],
) -> Configuration:
    num_layers = draw(layers)
    both = draw(bidirectional)
    first = draw(batch_first)
    biased = draw(bias)
    projected = draw(projection)
    dropout = draw(dropouts) if num_layers > 1 else 0.0
    input_size, hidden_size = draw(input_sizes), draw(hidden_sizes)
    input_size = min(input_size, max(1, MOST_WEIGHTS // hidden_size))
    if draw(distinct):
        hidden_size = apart(hidden_size, {input_size}, hidden_bounds)
    proj_size = 0
    if projected and hidden_size > 1:
        largest = hidden_size - 1
        proj_size = 1 + draw(projections) % largest
        if proj_size == input_size:
            proj_size = apart(proj_size, {input_size}, (1, largest))
    return Configuration(
        input_size, hidden_size, num_layers, biased, first, dropout, both, proj_size
    )
