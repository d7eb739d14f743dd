"""The rounding of the factors of a product before they are multiplied."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from reference.case import Array


@dataclass(frozen=True)
class Factors:
    """The error of each factor of a product W x, beyond that of the stored type.

    - `relative`, `absolute`: a factor v is off by at most ``relative * |v| + absolute``;
    - `largest`: a factor of this size or larger overflows;
    - `weight_levels`: the number of equal steps in [-max|W|, max|W|] to which weights are
      quantized, or 0;
    - `input_levels`: the number of equal steps to which inputs are quantized, or 0. The steps
      divide the range of the inputs in all rows, zero included.

    The range of the inputs at some time steps is within that at all steps, so that the bound holds
    also if each step is quantized alone. A zero point that is rounded to a step moves the ends of
    the range by at most half a step, so an input is off by at most one step.
    """

    relative: float = 0.0
    absolute: float = 0.0
    largest: float = np.inf
    weight_levels: int = 0
    input_levels: int = 0

    @cached_property
    def exact(self) -> bool:
        """Whether factors are used as they are stored."""
        return self == EXACT

    def rounding(self, values: Array) -> Array:
        """Bound the error of `values` by rounding alone; it is infinite where a value overflows."""
        size = np.abs(values)
        return np.where(size < self.largest, self.relative * size + self.absolute, np.inf)

    def weight_error(self, weight: Array) -> Array:
        """Bound the error of each element of `weight`."""
        if not self.weight_levels:
            return self.rounding(weight)
        step = 2 * np.abs(weight).max(initial=0) / self.weight_levels
        error: Array = self.rounding(weight) + step / 2 * (1 + 2**-20)
        return error

    def input_error(self, x: Array, dx: Array) -> Array:
        """Bound the error of each element of an input within `dx` of `x` (..., features)."""
        rounded = self.rounding(np.abs(x) + dx)
        if not self.input_levels:
            return rounded
        top, bottom = (x + dx).max(initial=0), (x - dx).min(initial=0)
        error: Array = rounded + (top - bottom) / self.input_levels * (1 + 2**-20)
        return error

    def product_error(
        self, x: Array, dx: Array, weight: Array, wider: Array | None = None
    ) -> Array:
        """Bound the error in ``x @ weight.T`` (N, m) that the errors of the factors cause.

        The first factor is within `dx` of `x` (N, n); `wider` is its error, if known already.
        """
        of_x = self.input_error(x, dx) if wider is None else wider
        of_w = self.weight_error(weight).T
        error = of_x @ (np.abs(weight).T + of_w) + (np.abs(x) + dx) @ of_w
        return np.where(np.isnan(error), np.inf, error)


EXACT = Factors()
"""Factors without a further error: they are multiplied as they are stored."""
