"""Finding out what an implementation takes, by trying it on small cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np

from reference import DTYPES, Array, Case, Configuration, Result

SMALL = Configuration(input_size=2, hidden_size=3)
"""What is tried, with one option changed at a time."""


class Tried(Protocol):
    """What can be tried."""

    def run(self, case: Case) -> Result:
        """The result of a case."""
        ...


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
    """A case of this configuration, with initial `states` or not, `batched` or not.

    Its arrays are what `fill` makes of their shapes, in `dtype`.
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


def takes(implementation: Tried, case: Case, *, shaped: bool = False) -> bool:
    """Whether `case` runs, and where `shaped` is asked for whether its output has the right shape.

    Nothing else of what comes back is looked at.
    """
    try:
        result = implementation.run(case)
    except (Exception, SystemExit):
        return False
    return not shaped or result.output.shape == case.output_shape()


def dtypes_taken(
    implementation: Tried,
    dtypes: tuple[str, ...],
    cases: Callable[[str], Iterable[Case]] = lambda dtype: [small_case(dtype=dtype)],
) -> tuple[str, ...]:
    """Those of `dtypes` in which all `cases` run, by default one small case.

    All of them where there is none: then it is not for the dtype that something raises.
    """
    taken = [name for name in dtypes if all(takes(implementation, case) for case in cases(name))]
    return tuple(taken) or dtypes
