"""Finding out what a hand-written LSTM takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from reference import DTYPES, Case, Configuration, Result
from strategies import Support


class Tried(Protocol):
    """What is asked of it: its form, and to run."""

    batch_first: bool
    batched: bool
    biased: bool

    def run(self, case: Case) -> Result:
        """The result of a case."""
        ...


def supported(
    mine: Tried, *, torch: bool, states: tuple[bool, ...], results: tuple[str, ...]
) -> Support:
    """What `mine` takes; a dtype or an empty batch that raises when tried is not supported."""
    declared: tuple[str, ...] = tuple(DTYPES) if torch else ("float64", "float32")
    working = tuple(
        dtype
        for dtype in declared
        if all(_takes(mine, small_case(mine, dtype, states=given)) for given in states)
    )
    dtypes = working or declared
    empty = small_case(mine, dtypes[0], states=states[0], rows=0) if mine.batched else None
    devices: tuple[str, ...] = ("cpu",)
    if torch:
        from conformance.implementations.pytorch.modules import torch_devices

        devices = torch_devices()
    return Support(
        dtypes=dtypes,
        devices=devices,
        max_layers=1,
        bias=(mine.biased,),
        batch_first=(mine.batch_first,),
        bidirectional=(False,),
        projection=False,
        dropout=False,
        lengths=False,
        states=states,
        batched=(mine.batched,),
        empty_batch=empty is not None and _takes(mine, empty),
        gradients=torch,
        results=results,
    )


def small_case(
    mine: Tried,
    dtype: str,
    *,
    states: bool,
    rows: int = 2,
    fill: Callable[[tuple[int, ...]], object] = np.zeros,
    sizes: tuple[int, int, int] = (2, 3, 2),
) -> Case:
    """A case that `mine` takes, of these input_size, hidden_size and steps."""
    input_size, hidden_size, steps = sizes
    configuration = Configuration(
        input_size, hidden_size, bias=mine.biased, batch_first=mine.batch_first
    )
    batch = (rows,) if mine.batched else ()
    leading = (*batch, steps) if mine.batch_first else (steps, *batch)

    def some(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
        return np.asarray(fill(shape), DTYPES[dtype].numpy)

    shapes = configuration.parameter_shapes()
    return Case(
        configuration,
        {name: some(*shape) for name, shape in shapes.items()},
        some(*leading, input_size),
        some(1, *batch, hidden_size) if states else None,
        some(1, *batch, hidden_size) if states else None,
    )


def _takes(mine: Tried, case: Case) -> bool:
    """Whether a case runs, and an empty one with the right shape."""
    try:
        result = mine.run(case)
    except (Exception, SystemExit):
        return False
    return bool(case.batch_size) or result.output.shape == case.output_shape()
