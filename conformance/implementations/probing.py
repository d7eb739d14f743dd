"""Trial runs on small cases, which show what an implementation supports."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np

from conformance.implementations.failures import Failure, blamed
from reference import DTYPES, Array, Case, Configuration, Result

SMALL = Configuration(input_size=2, hidden_size=3)
"""The configuration that is tried, with one option changed at a time."""


class Runnable(Protocol):
    """Anything that can run a case, whether or not its `supports` is known yet."""

    def run(self, case: Case) -> Result:
        """Compute `case`."""


def small_case(
    configuration: Configuration = SMALL,
    dtype: str = "float32",
    *,
    states: bool = True,
    batched: bool = True,
    rows: int = 2,
    steps: int = 2,
    lengths: Array | None = None,
    fill: Callable[[tuple[int, ...]], Array] = np.zeros,
) -> Case:
    """Make a case of `configuration` with `rows` rows, or unbatched, and `steps` time steps.

    `fill` is called with the shape of each array; what it returns is converted to `dtype`.
    """

    def some(*shape: int) -> Array:
        return np.asarray(fill(shape), DTYPES[dtype].numpy)

    batch = (rows,) if batched else ()
    leading = (*batch, steps) if batched and configuration.batch_first else (steps, *batch)
    layers = configuration.num_layers * configuration.num_directions
    shapes = configuration.parameter_shapes()
    return Case(
        configuration,
        {name: some(*shape) for name, shape in shapes.items()},
        some(*leading, configuration.input_size),
        some(layers, *batch, configuration.output_size) if states else None,
        some(layers, *batch, configuration.hidden_size) if states else None,
        lengths,
    )


def tried(implementation: Runnable, case: Case) -> Result | None:
    """Return the result of `case`, None if an exception is raised instead."""
    try:
        with blamed():
            return implementation.run(case)
    except Failure:
        return None


def takes(implementation: Runnable, case: Case, *, kept: bool = False) -> bool:
    """Return whether `case` runs, and with `kept` whether the results have its dtype.

    The numbers are not looked at: an implementation that computes a case wrongly supports it.
    """
    result = tried(implementation, case)
    if result is None or not kept:
        return result is not None
    return all(array.dtype == case.dtype.numpy for _, array in result.items())


def dtypes_taken(
    implementation: Runnable,
    dtypes: tuple[str, ...],
    cases: Callable[[str], Iterable[Case]] = lambda dtype: [small_case(dtype=dtype)],
    kept: bool = False,
) -> tuple[str, ...]:
    """Select those of `dtypes` in which all `cases` run, by default one small case.

    With `kept`, results must also have the dtype of the case. If that leaves none, the dtype is not
    why the cases fail, and all of `dtypes` are returned.
    """
    taken = [
        name
        for name in dtypes
        if all(takes(implementation, case, kept=kept) for case in cases(name))
    ]
    return tuple(taken) or dtypes
