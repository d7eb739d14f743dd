"""The arithmetic that a bound assumes, and what it does to sigmoid and tanh."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from reference.case import Array
from reference.cell import sigmoid
from reference.dtypes import DType


@dataclass(frozen=True)
class Arithmetic:
    """The arithmetic that a bound assumes.

    - `unit_roundoff`: of each stored intermediate quantity (u);
    - `accumulation`: unit roundoff of sums of products (u_acc);
    - `activation`: absolute error of sigmoid and tanh (K u);
    - `subnormal`: the smallest positive number; `largest`: the largest finite one.
    """

    unit_roundoff: float
    accumulation: float
    activation: float
    subnormal: float
    largest: float

    @classmethod
    def of(cls, dtype: DType) -> Arithmetic:
        """The arithmetic of a correct implementation in `dtype`, with K = 4."""
        u = dtype.unit_roundoff
        return cls(u, dtype.accumulation, 4 * u, dtype.subnormal, dtype.largest)

    def scaled(self, factor: float) -> Arithmetic:
        """The same arithmetic with every error larger by `factor`."""
        return Arithmetic(
            self.unit_roundoff * factor,
            self.accumulation * factor,
            self.activation * factor,
            self.subnormal * factor,
            self.largest,
        )


def sigmoid_slope(a: Array) -> Array:
    """Derivative of sigmoid at `a`; falls as abs(a) grows, at most 1/4."""
    s = sigmoid(a)
    slope: Array = s * (1 - s)
    return slope


def tanh_slope(a: Array) -> Array:
    """Derivative of tanh at `a`; falls as abs(a) grows, at most 1."""
    return 4 * sigmoid_slope(2 * a)


@dataclass(frozen=True, eq=False)
class Perturbed:
    """A bounded function of a perturbed argument: value, slope, deviation and its fresh part.

    The computed value lies within `deviation` of `value`; that deviation is `slope` times the
    argument's own plus at most `fresh`.
    """

    value: Array
    slope: Array
    deviation: Array
    fresh: Array


def perturbed(
    value: Array,
    argument: Array,
    error: Array,
    slope: Callable[[Array], Array],
    span: int,
    k: float,
) -> Perturbed:
    """`value`, a sigmoid or tanh of `argument`, whose computed argument is off by `error`.

    On the interval the slope is at most that at the point nearest zero. The second derivative is
    sigmoid'' = sigmoid' (1 - 2 sigmoid) or tanh'' = -2 tanh' tanh, so at most `span` times the
    slope, where `span`, 1 or 2, is also the width of the function's range. An infinite `error`
    means that the argument can overflow, to a NaN where infinities of both signs meet.
    """
    here = slope(argument)
    steepest = slope(np.maximum(np.abs(argument) - error, 0))
    spread = np.minimum(steepest * error, span)
    remainder = np.minimum(span * steepest * error**2 / 2, spread + here * error)
    spread = np.where(np.isfinite(error), spread, np.inf)
    return Perturbed(value, here, spread + k, remainder + k)
