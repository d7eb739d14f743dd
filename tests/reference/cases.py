"""The cases that the reference's own tests are drawn from."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from reference import DTYPES, Array, Case, Configuration

KINDS: dict[str, dict[str, Any]] = {
    "one_layer": {"num_layers": 1},
    "two_layers": {"num_layers": 2},
    "three_layers": {"num_layers": 3},
    "one_direction": {"bidirectional": False},
    "two_directions": {"bidirectional": True},
    "projection": {"projection": True},
    "no_bias": {"bias": False},
    "batch_first": {"batch_first": True, "batched": True},
    "unbatched": {"batched": False},
    "lengths": {"ragged": True, "batched": True},
    "lengths_of_two_directions": {"ragged": True, "batched": True, "bidirectional": True},
    "no_state": {"state": False},
    "dropout_masks": {"dropout": 0.25, "num_layers": 2},
}
"""Options of :func:`lstm_cases` that fix one trait each and leave the others to chance."""


@st.composite
def lstm_cases(
    draw: st.DrawFn,
    /,
    *,
    dtypes: tuple[str, ...] = tuple(DTYPES),
    scales: tuple[float, ...] = (1.0, 3.0, 0.25, 30.0),
    sizes: tuple[int, int] = (1, 4),
    steps: tuple[int, int] = (1, 5),
    **fixed: Any,
) -> Case:
    """Cases with parameters uniform in ``scale / sqrt(hidden_size)`` and normal input and states.

    `sizes` are the least and largest `input_size` and `hidden_size`, `steps` those of T. `fixed`
    names options that are not drawn: num_layers, bias, batch_first, bidirectional, dropout,
    projection, batched, ragged, state. Shrinks towards few and small sizes, without options.
    """

    def option(name: str, values: st.SearchStrategy[Any]) -> Any:
        return fixed[name] if name in fixed else draw(values)

    dtype = DTYPES[draw(st.sampled_from(dtypes))]
    hidden_size = draw(st.integers(*sizes))
    projection = option("projection", st.booleans())
    if projection:
        hidden_size = max(hidden_size, 2)
    configuration = Configuration(
        input_size=draw(st.integers(*sizes)),
        hidden_size=hidden_size,
        num_layers=option("num_layers", st.integers(1, 3)),
        bias=option("bias", st.sampled_from([True, False])),
        batch_first=option("batch_first", st.booleans()),
        dropout=option("dropout", st.just(0.0)),
        bidirectional=option("bidirectional", st.booleans()),
        proj_size=draw(st.integers(1, hidden_size - 1)) if projection else 0,
    )
    seq_len = draw(st.integers(*steps))
    batched = option("batched", st.sampled_from([True, False]))
    batch_size = draw(st.integers(1, 3)) if batched else 1
    lengths = None
    if batched and option("ragged", st.booleans()):
        lengths = np.array([draw(st.integers(1, seq_len)) for _ in range(batch_size)])
        lengths[draw(st.integers(0, batch_size - 1))] = seq_len
    state = option("state", st.sampled_from([True, False]))
    scale = draw(st.sampled_from(scales)) / np.sqrt(hidden_size)
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))

    def normal(*shape: int) -> Array:
        return rng.standard_normal(shape).astype(dtype.numpy)

    rows = (batch_size,) if batched else ()
    count = configuration.num_layers * configuration.num_directions
    steps_and_rows = (seq_len, *rows)
    if configuration.batch_first:
        steps_and_rows = steps_and_rows[::-1]
    return Case(
        configuration,
        {
            name: rng.uniform(-scale, scale, shape).astype(dtype.numpy)
            for name, shape in configuration.parameter_shapes().items()
        },
        normal(*steps_and_rows, configuration.input_size),
        normal(count, *rows, configuration.output_size) if state else None,
        normal(count, *rows, hidden_size) if state else None,
        lengths,
    )


def dropout_masks(case: Case) -> list[Array] | None:
    """Masks for `case`, always the same ones; None for a case without dropout."""
    c = case.configuration
    if not c.dropout:
        return None
    shape = (c.num_layers - 1, case.seq_len, case.batch_size, c.num_directions * c.output_size)
    kept = np.random.default_rng(0).random(shape) >= c.dropout
    return list((kept / (1 - c.dropout)).astype(case.dtype.numpy))
