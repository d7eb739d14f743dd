"""Cases without a batch axis for an LSTM that takes batches of one row only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reference import Array, Case, Result


def in_a_row(case: Case, batch_first: bool) -> Case:
    """Give arrays without a batch axis a batch axis of one row."""
    configuration = replace(case.configuration, batch_first=batch_first)
    x = case.input[None] if batch_first else case.input[:, None]
    h_0, c_0 = (None if each is None else each[:, None] for each in (case.h_0, case.c_0))
    return replace(case, configuration=configuration, input=x, h_0=h_0, c_0=c_0)


def results_in_a_row(result: Result, batch_first: bool) -> Result:
    """Give results, or cotangents, a batch axis of one row."""
    output = result.output[None] if batch_first else result.output[:, None]
    return Result(output, result.h_n[:, None], result.c_n[:, None], result.devices)


def out_of_row(result: Result, batch_first: bool) -> Result:
    """Take the batch axis of one row away."""
    output = result.output[0] if batch_first else result.output[:, 0]
    return Result(output, result.h_n[:, 0], result.c_n[:, 0], result.devices)


def gradients_out_of_row(found: Mapping[str, Array], case: Case) -> dict[str, Array]:
    """Take the batch axis away from gradients, by PyTorch's names, of what `case` has."""
    shapes = {name: array.shape for name, array in case.arguments().items()}
    return {name: each.reshape(shapes.get(name, each.shape)) for name, each in found.items()}
