"""Bounds on the fresh errors in the products of a step: the pre-activations and the projection.

The model is that of :mod:`reference.bounds`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reference.arithmetic import Arithmetic
from reference.case import Array
from reference.cell import Step, Weights


def gamma(terms: int, arithmetic: Arithmetic) -> float:
    """Bound the relative error of a sum of `terms` products in any order (Higham, section 3.1)."""
    return terms * arithmetic.accumulation / (1 - terms * arithmetic.accumulation)


def multiplied(x: Array, matrix: Array) -> Array:
    """Multiply `x` (..., n) by `matrix` (n, m) as one product, which NumPy makes of two axes only.

    With several axes before the last, NumPy multiplies a little at a time, which takes five times
    as long.
    """
    product: Array = x.reshape(-1, x.shape[-1]) @ matrix
    return product.reshape(*x.shape[:-1], matrix.shape[1])


class Products(NamedTuple):
    """W_ih x and W_hh h, each (..., 4 * hidden_size)."""

    of_x: Array
    of_h: Array

    @classmethod
    def of(cls, x: Array, h: Array, w: Weights) -> Products:
        """Multiply `x` (..., input_size) and `h` (..., R) by their weights."""
        return cls(multiplied(x, w.weight_ih.T), multiplied(h, w.weight_hh.T))

    def preactivations(self, w: Weights) -> Array:
        """Add both products and the biases."""
        a: Array = self.of_x + w.bias_ih + self.of_h + w.bias_hh
        return a


LARGE = 2**18
"""How many weights make it worth while to bound sums of absolute values in float32."""


class Magnitudes(NamedTuple):
    """Absolute weights, ``|W_ih|.T`` and ``|W_hh|.T``, by which absolute values are multiplied.

    They are float32 if they are many and float32 has these numbers. Then a product of n terms is
    rounded up: factors are, and a sum of positive terms is at most n u too small, and n times the
    smallest normal number where products underflow.
    """

    ih: Array
    hh: Array

    @classmethod
    def of(cls, w: Weights) -> Magnitudes:
        """Take the absolute values of the weights."""
        return cls(*(_magnitudes(each).T for each in (w.weight_ih, w.weight_hh)))


def _magnitudes(weight: Array) -> Array:
    absolute: Array = np.abs(weight)
    if weight.size < LARGE or weight.dtype != np.float64:
        return absolute
    with np.errstate(over="ignore"):
        narrow = absolute.astype(np.float32)
    return narrow if np.array_equal(narrow, absolute) else absolute


def through(sizes: Array, magnitudes: Array) -> Array:
    """Bound the product of `sizes` (..., n), which may be all zero, and `magnitudes` (n, m)."""
    if not sizes.any():
        return np.zeros((*sizes.shape[:-1], magnitudes.shape[1]))
    if magnitudes.dtype != np.float32:
        return multiplied(sizes, magnitudes)
    with np.errstate(over="ignore", invalid="ignore"):
        up = np.nextafter(sizes.astype(np.float32), np.float32(np.inf))
        n, product = sizes.shape[-1], multiplied(up, magnitudes).astype(np.float64)
    bound: Array = product / (1 - (n + 1) * 2.0**-24) + n * 2.0**-126
    return bound


def preactivation_error(
    x: Array,
    h: Array,
    products: Products,
    w: Weights,
    dx: Array,
    dh: Array,
    arithmetic: Arithmetic,
    taken: Array | None = None,
    magnitudes: Magnitudes | None = None,
) -> tuple[Array, Array]:
    """Bound the fresh error of the pre-activations, and the whole error with that of `h`.

    Both are (N, 4 * hidden_size), and infinite where the pre-activations can overflow. `x` is off
    by `dx` (N, input_size), and `h` by `dh` (N, R); any number of axes may come before.

    With n = fan-in + 4 terms, the error is at most the sum of

    - gamma_n(u_acc) times the sum of the absolute values of the terms;
    - one rounding to the stored type of each of the two products, and of each of the three sums of
      these with the biases. No sum exceeds the sum of the terms of one sign, and an error passes
      through at most four later roundings;
    - the contribution of the error `dx` of the input;
    - the errors of factors that are rounded before they are multiplied; `taken` is that error of
      the input.

    A bias that the implementation adds by itself makes one more sum, and larger sums. `magnitudes`
    are those of `w`, if known already.
    """
    u, n = arithmetic.unit_roundoff, w.weight_ih.shape[1] + w.weight_hh.shape[1] + 4
    w_ih, w_hh = magnitudes or Magnitudes.of(w)
    added = np.zeros(w_ih.shape[1])
    added[len(added) // 4 : len(added) // 2] = abs(arithmetic.added_bias)
    sums = 3 + (added > 0)
    biases = np.abs(w.bias_ih) + np.abs(w.bias_hh)
    inherited, recurrent = through(dx, w_ih), through(dh, w_hh)
    moved = inherited + recurrent
    absolute = through(np.abs(x), w_ih) + np.abs(w.bias_ih) + through(np.abs(h), w_hh)
    absolute = absolute + np.abs(w.bias_hh) + moved + 2 * added
    terms = (*products, w.bias_ih, w.bias_hh)
    of_one_sign = added + np.maximum(
        sum(np.maximum(term, 0) for term in terms), sum(np.maximum(-term, 0) for term in terms)
    )
    stored = np.abs(products[0]) + np.abs(products[1]) + sums * of_one_sign + (sums + 2) * moved
    stored = stored + (biases + added) * (added > 0)
    rough: Array | float = arithmetic.entry * biases
    if not arithmetic.factors.exact:
        factors = arithmetic.factors
        rough = rough + factors.product_error(x, dx, w.weight_ih, taken)
        rough = rough + factors.product_error(h, dh, w.weight_hh)
        absolute, stored = absolute + rough, stored + (sums + 2) * rough
    error = (1 + u) ** (sums + 1) * (gamma(n, arithmetic) * absolute + u * stored)
    error = error + n * arithmetic.subnormal + inherited + rough
    fresh = np.where(absolute < arithmetic.largest / 2, error, np.inf)
    return fresh, fresh + recurrent


def projection_error(
    step: Step, weight_hr: Array, deviation: Array, arithmetic: Arithmetic
) -> Array:
    """Bound the fresh error (N, R) of h' = W_hr h', for an h' that can be off by `deviation`."""
    u, n, w_hr = arithmetic.unit_roundoff, weight_hr.shape[1], np.abs(weight_hr).T
    moved = multiplied(deviation, w_hr)
    absolute = multiplied(np.abs(step.h_full), w_hr) + moved
    rough: Array | float = 0.0
    if not arithmetic.factors.exact:
        rough = arithmetic.factors.product_error(step.h_full, deviation, weight_hr)
        absolute = absolute + rough
    error = (1 + u) * gamma(n, arithmetic) * absolute + u * (np.abs(step.h) + moved + rough)
    error = error + n * arithmetic.subnormal + rough
    return np.where(absolute < arithmetic.largest / 2, error, np.inf)
