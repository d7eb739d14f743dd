"""The arithmetic that a bound assumes, and the errors of sigmoid and tanh in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from reference.case import Array
from reference.cell import sigmoid
from reference.dtypes import DTYPES, DType
from reference.factors import EXACT, Factors
from reference.precision import DTYPES_OWN, PRODUCTS, Precision


@dataclass(frozen=True)
class Arithmetic:
    """The arithmetic that a bound assumes.

    - `unit_roundoff`: of each stored intermediate quantity (u);
    - `accumulation`: unit roundoff of sums of products (u_acc);
    - `sigmoid`, `tanh`: their absolute errors (K u);
    - `sigmoid_slope`, `tanh_slope`: absolute errors of the derivatives of an own formula for them;
    - `subnormal`: the smallest positive number; `largest`: the largest finite one;
    - `factors`: what happens to the factors of a product before they are multiplied;
    - `entry`: unit roundoff with which parameters, inputs and states are taken in;
    - `added_bias`: what is added to the forget gate's bias inside;
    - `flushes`: whether a subnormal factor may be taken for zero, see :meth:`flushing`.
    """

    unit_roundoff: float
    accumulation: float
    sigmoid: float
    tanh: float
    subnormal: float
    largest: float
    factors: Factors = EXACT
    entry: float = 0.0
    added_bias: float = 0.0
    sigmoid_slope: float = 0.0
    tanh_slope: float = 0.0
    flushes: bool = False

    @classmethod
    def of(cls, dtype: DType, precision: Precision = DTYPES_OWN) -> Arithmetic:
        """The arithmetic of a correct implementation in `dtype` that declares `precision`.

        Sigmoid and tanh are off by ``precision.units()`` times u, by default 4 u.
        Weights of so many bits are steps from -max|W| to max|W|, one number left out, as the
        lowest of two's complement often is.
        """
        inside = DTYPES[precision.storage] if precision.storage else dtype
        if inside.unit_roundoff <= dtype.unit_roundoff and inside.largest >= dtype.largest:
            inside = dtype
        entry = 0.0 if inside is dtype else inside.unit_roundoff
        factors = Factors(
            weight_levels=max(2**precision.weight_bits - 2, 1) if precision.weight_bits else 0,
            input_levels=2**precision.input_bits - 1 if precision.input_bits else 0,
        )
        if entry:
            factors = replace(
                factors, relative=entry, absolute=inside.subnormal, largest=inside.largest
            )
        if precision.products and inside.name == "float32":
            rough = PRODUCTS[precision.products]
            narrow = DTYPES.get(precision.products, inside)
            factors = replace(
                factors,
                relative=factors.relative + rough * (1 + factors.relative),
                absolute=factors.absolute + max(narrow.subnormal, 2.0**-126 * rough),
                largest=narrow.largest,
            )
        u = inside.unit_roundoff
        if u < dtype.unit_roundoff or inside.subnormal < dtype.subnormal:
            u += dtype.unit_roundoff  # what comes back is rounded once more
        sigmoid, tanh = precision.units()
        return cls(
            u,
            inside.accumulation,
            sigmoid * u,
            tanh * u,
            max(inside.subnormal, dtype.subnormal),
            min(inside.largest, dtype.largest),
            factors,
            entry,
            precision.added_bias,
            precision.sigmoid_slope * u,
            precision.tanh_slope * u,
        )

    def scaled(self, factor: float) -> Arithmetic:
        """Make every rounding error of the stored type larger by `factor`."""
        return replace(
            self,
            unit_roundoff=self.unit_roundoff * factor,
            accumulation=self.accumulation * factor,
            sigmoid=self.sigmoid * factor,
            tanh=self.tanh * factor,
            sigmoid_slope=self.sigmoid_slope * factor,
            tanh_slope=self.tanh_slope * factor,
            subnormal=self.subnormal * factor,
        )

    def flushing(self, largest: float) -> Arithmetic:
        """Let operations take subnormal float32 numbers, those below 2^-126, for zero.

        `largest`, at least 1, bounds every number of the forward pass. A product loses at most
        2^-126 times `largest` if a factor is taken for zero, and else at most 2^-126; the addition
        that follows loses at most 2^-126 of its other operand and as much of its sum.
        """
        return replace(self, subnormal=2.0**-126 * (largest + 2), flushes=True)

    def underflow(self, adjoint: Array) -> float:
        """Bound what is lost in a product of an element of `adjoint` and a number of the case."""
        return self.subnormal * (largest(adjoint) if self.flushes else 1.0)

    def with_reference(self, dtype: DType) -> Arithmetic:
        """Add the error of the reference, which computes in the wider type of `dtype`.

        That is the error of the same computation with the unit roundoff of the wider type.
        """
        return self.scaled(1 + dtype.wide_roundoff / dtype.accumulation)


def largest(*arrays: Array) -> float:
    """Give the largest finite absolute value in `arrays`, or 1 if all are smaller."""
    finite = (np.abs(array[np.isfinite(array)]) for array in arrays)
    return max(float(sizes.max(initial=1)) for sizes in finite)


def sigmoid_slope(a: Array) -> Array:
    """Compute the derivative of sigmoid at `a`; it falls as abs(a) grows, and is at most 1/4."""
    s = sigmoid(a)
    slope: Array = s * (1 - s)
    return slope


def tanh_slope(a: Array) -> Array:
    """Compute the derivative of tanh at `a`; it falls as abs(a) grows, and is at most 1."""
    return 4 * sigmoid_slope(2 * a)


@dataclass(frozen=True, eq=False)
class Perturbed:
    """The value of a function whose argument has an error, and how far the value can be off.

    The computed value lies within `deviation` of `value`. That deviation is `slope` times the
    error of the argument plus at most `fresh`.
    """

    value: Array
    slope: Array
    deviation: Array
    fresh: Array

    def parts(self) -> Iterator[Perturbed]:
        """Yield each function of several, which are along the last axis but one."""
        arrays = self.value, self.slope, self.deviation, self.fresh
        for part in range(self.value.shape[-2]):
            yield Perturbed(*(array[..., part, :] for array in arrays))


def perturbed(
    value: Array,
    argument: Array,
    error: Array,
    slope: Callable[[Array], Array],
    span: int | Array,
    k: float | Array,
) -> Perturbed:
    """Bound a sigmoid or tanh, whose true value at `argument` is `value`.

    - `error`: how far the computed argument can be from `argument`;
    - `slope`: the derivative of the function;
    - `span`: the width of the function's range, 1 or 2;
    - `k`: the absolute error of the function itself.

    On the interval the slope is at most that at the point nearest zero. The second derivative is
    sigmoid'' = sigmoid' (1 - 2 sigmoid) or tanh'' = -2 tanh' tanh, so at most `span` times the
    slope. An infinite `error` means that the argument can overflow, or become NaN where infinities
    of both signs meet.
    """
    here = slope(argument)
    steepest = slope(np.maximum(np.abs(argument) - error, 0))
    spread = np.minimum(steepest * error, span)
    remainder = np.minimum(span * steepest * error**2 / 2, spread + here * error)
    spread = np.where(np.isfinite(error), spread, np.inf)
    return Perturbed(value, here, spread + k, remainder + k)
