"""Rounding errors of the pieces that gradients are made of: products, slopes and sums.

The model is that of :mod:`reference.bounds`; :mod:`reference.gradient_bounds` uses the pieces.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reference.arithmetic import Arithmetic
from reference.case import Array
from reference.cell import Step
from reference.parts import split
from reference.products import gamma


class Near(NamedTuple):
    """A true value and how far a correct implementation's can be from it."""

    value: Array
    deviation: Array

    @property
    def magnitude(self) -> Array:
        """The largest possible absolute value."""
        return np.abs(self.value) + self.deviation

    def __mul__(self, other: Near) -> Near:  # type: ignore[override]
        """Multiply two true values, and bound the product of any values near them."""
        deviation = np.abs(self.value) * other.deviation + self.deviation * other.magnitude
        return Near(self.value * other.value, deviation)


def sigmoid_slope(s: Near, u: float, off: float = 0.0) -> Near:
    """sigmoid' from the value `s` of the sigmoid, rounded: s (1 - s) or s - s^2.

    Or that of an own formula, which is `off` by as much from the true one: the argument's error
    changes that by no more than the deviation of `s` does.
    The slope of s (1 - s) is 1 - 2 s, its second derivative -2. Rounding adds at most
    (2 u + u^2) s (1 - s) to the product, and u (s^2 + s (1 - s)) + u^2 s^2 to the difference.
    """
    slope = s.value * (1 - s.value)
    exact = s.deviation * (np.abs(1 - 2 * s.value) + s.deviation)
    size = slope + exact
    return Near(slope, exact + off + u * (1 + u) * (np.maximum(s.magnitude**2, size) + size + off))


def tanh_slope(t: Near, u: float, off: float = 0.0) -> Near:
    """tanh' from the value `t` of the tanh, rounded: 1 - t^2 or (1 - t) (1 + t).

    Or that of an own formula, as in :func:`sigmoid_slope`.
    """
    slope = 1 - t.value**2
    exact = t.deviation * (2 * np.abs(t.value) + t.deviation)
    return Near(slope, exact + off + u * (1 + u) * (t.magnitude**2 + 3 * (slope + exact + off)))


class Coefficients(NamedTuple):
    """The factors by which the gradients of a step are multiplied, each (N, hidden_size).

    With them da_i = i dc, da_f = f dc, da_g = g dc, dc_prev = c_prev dc and da_o = o dh_full, and
    dh_full contributes c dh_full to dc.
    """

    i: Near
    f: Near
    g: Near
    o: Near
    c: Near
    c_prev: Near


def coefficients(step: Step, deviation: Step, arithmetic: Arithmetic) -> Coefficients:
    """The coefficients of `step`, whose quantities are off by `deviation`."""
    u = arithmetic.unit_roundoff
    of_sigmoid, of_tanh = arithmetic.sigmoid_slope, arithmetic.tanh_slope
    i, f, g, o, c_prev, tanh_c = (
        Near(getattr(step, name), getattr(deviation, name))
        for name in ("i", "f", "g", "o", "c_prev", "tanh_c")
    )
    return Coefficients(
        i=g * sigmoid_slope(i, u, of_sigmoid),
        f=c_prev * sigmoid_slope(f, u, of_sigmoid),
        g=i * tanh_slope(g, u, of_tanh),
        o=tanh_c * sigmoid_slope(o, u, of_sigmoid),
        c=o * tanh_slope(tanh_c, u, of_tanh),
        c_prev=f,
    )


class Sum(NamedTuple):
    """A sum of stored terms: its fresh error, and its sums of terms of one sign, each (N, n)."""

    fresh: Array
    positive: Array
    negative: Array

    def plus(self, term: Array | float, error: Array | float, additions: int, u: float) -> Array:
        """Bound the fresh error of the sum plus a `term` that is off by `error`.

        `additions` is the number of additions, in any order: no partial sum exceeds the sum of the
        terms of one sign.
        """
        positive, negative = (
            self.positive + np.maximum(term, 0),
            self.negative - np.minimum(term, 0),
        )
        inexact = self.fresh + error
        partial: Array = np.maximum(positive, negative) + inexact
        return inexact + additions * u * (1 + u) ** additions * partial


def transposed_product(
    weight: Array, da: Near, fresh: Array, products: int, arithmetic: Arithmetic
) -> Sum:
    """Bound W^T da for `weight` (m, n) and `da` (N, m), as the sum of `products` equal products.

    Each product is accumulated, with an error of gamma_m(u_acc) times the sum of absolute values,
    and rounded. `fresh` (N, m) is the part of the deviation of `da` that is fresh in the sum.
    """
    m, u = weight.shape[0], arithmetic.unit_roundoff
    parts = zip(split(da.value, products), split(weight, products, axis=0), strict=True)
    terms = np.stack([a @ w for a, w in parts])
    moved = da.deviation @ np.abs(weight)
    absolute = np.abs(da.value) @ np.abs(weight) + moved
    rough: Array | float = 0.0
    if not arithmetic.factors.exact:
        rough = arithmetic.factors.product_error(da.value, da.deviation, weight.T)
        absolute = absolute + rough
    inner = gamma(m, arithmetic) * absolute + m * arithmetic.underflow(da.magnitude) + rough
    stored = u * (np.abs(terms).sum(axis=0) + moved + inner)
    rounding = np.where(absolute < arithmetic.largest / 2, inner + stored, np.inf)
    positive, negative = np.maximum(terms, 0).sum(axis=0), -np.minimum(terms, 0).sum(axis=0)
    return Sum(fresh @ np.abs(weight) + rounding, positive + moved, negative + moved)


def product_error(
    factor: Near, adjoint: Near, arithmetic: Arithmetic, other: Array | float = 1.0
) -> Array:
    """Bound the fresh error of `adjoint` times the coefficient `factor`, in at most two products.

    If a product of some of the factors underflows, the loss may be multiplied by `adjoint` and by
    another factor, at most `other`; the product of these two may overflow.
    """
    u, size = arithmetic.unit_roundoff, adjoint.magnitude
    error = (factor.deviation + 3 * u * factor.magnitude) * size
    error = error + 2 * arithmetic.subnormal * (1 + size) * (1 + other)
    return np.where(size * np.maximum(other, 1) < arithmetic.largest / 2, error, np.inf)


def weight_bound(adjoint: Near, factor: Near, arithmetic: Arithmetic) -> Array:
    """Bound the sum over time and batch of `adjoint` (T, N, m) times `factor` (T, N, n), (m, n).

    The sum may be one accumulated sum, with an error of gamma_(T N)(u_acc) times the sum of
    absolute values. Or each product may be rounded, and all be added up in the stored type in any
    order, in T N - 1 additions, or anything between, such as sums over the batch that are added up
    over time. No partial sum exceeds the sum of the terms of one sign. The errors of factors that
    are rounded before they are multiplied are added.
    """
    u, n = arithmetic.unit_roundoff, adjoint.value.shape[0] * adjoint.value.shape[1]

    def total(first: Array, second: Array) -> Array:
        left, right = (each.reshape(n, each.shape[-1]) for each in (first, second))
        summed: Array = left.T @ right
        return summed

    moved = total(np.abs(adjoint.value), factor.deviation)
    moved = moved + total(adjoint.deviation, factor.magnitude)
    terms = total(np.abs(adjoint.value), np.abs(factor.value))
    of_one_sign = (terms + np.abs(total(adjoint.value, factor.value))) / 2
    absolute, partial = terms + moved, of_one_sign + moved
    rough: Array | float = 0.0
    if not arithmetic.factors.exact:
        of_a = arithmetic.factors.rounding(adjoint.magnitude)
        of_f = arithmetic.factors.rounding(factor.magnitude)
        rough = total(of_a, factor.magnitude + of_f) + total(adjoint.magnitude, of_f)
        absolute, partial = absolute + rough, partial + rough
    stored = u * (absolute + max(n - 1, 0) * partial)
    lost = 2 * n * arithmetic.underflow(adjoint.magnitude)
    summed = gamma(n, arithmetic) * absolute + stored + lost
    rounding = rough + summed * (1 + u) ** n
    return np.where(absolute < arithmetic.largest / 2, moved + rounding, np.inf)
