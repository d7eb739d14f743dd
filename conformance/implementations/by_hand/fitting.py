"""From any case to one of the sizes and axes that an LSTM takes, and back from its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from conformance.implementations.by_hand.square import (
    resized_gradients,
    resized_results,
    wide,
    widened,
)
from reference import Array, Case, Result


@dataclass(frozen=True)
class Fitting:
    """What an LSTM takes.

    - `square`: whether the input has as many features as a state;
    - `one_row`: whether it takes batches of one row only, for cases without a batch axis;
    - `batch_first`: whether that row comes before the steps.
    """

    square: bool
    one_row: bool
    batch_first: bool

    def sized(self, case: Case) -> Case:
        """Give `case` the sizes that the LSTM takes."""
        return widened(case) if self.square else case

    def case(self, case: Case) -> Case:
        """Give `case` the sizes and the axes that the LSTM takes."""
        case = self.sized(case)
        if not self.one_row:
            return case
        configuration = replace(case.configuration, batch_first=self.batch_first)
        x = case.input[None] if self.batch_first else case.input[:, None]
        h_0, c_0 = (None if each is None else each[:, None] for each in (case.h_0, case.c_0))
        return replace(case, configuration=configuration, input=x, h_0=h_0, c_0=c_0)

    def cotangents(self, cotangents: Result, case: Case) -> Result:
        """Give the cotangents of `case` the sizes and the axes of what the LSTM returns."""
        if self.square:
            cotangents = resized_results(cotangents, wide(case.configuration))
        if not self.one_row:
            return cotangents
        output = cotangents.output[None] if self.batch_first else cotangents.output[:, None]
        return Result(output, cotangents.h_n[:, None], cotangents.c_n[:, None])

    def result(self, result: Result, case: Case) -> Result:
        """Give what the LSTM returned the sizes and the axes of the results of `case`."""
        if self.one_row:
            output = result.output[0] if self.batch_first else result.output[:, 0]
            result = Result(output, result.h_n[:, 0], result.c_n[:, 0], result.devices)
        return resized_results(result, case.configuration) if self.square else result

    def gradients(self, found: Mapping[str, Array], case: Case) -> dict[str, Array]:
        """Give gradients, by PyTorch's names, the shapes of what `case` has."""
        found = resized_gradients(found, case.configuration) if self.square else found
        shapes = {name: array.shape for name, array in case.arguments().items()}
        return {name: each.reshape(shapes.get(name, each.shape)) for name, each in found.items()}
