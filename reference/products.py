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


class Products(NamedTuple):
    """W_ih x and W_hh h, each (..., 4 * hidden_size)."""

    of_x: Array
    of_h: Array

    @classmethod
    def of(cls, x: Array, h: Array, w: Weights) -> Products:
        """Multiply `x` (..., input_size) and `h` (..., R) by their weights."""
        return cls(x @ w.weight_ih.T, h @ w.weight_hh.T)

    def preactivations(self, w: Weights) -> Array:
        """Add both products and the biases."""
        a: Array = self.of_x + w.bias_ih + self.of_h + w.bias_hh
        return a


def preactivation_error(
    x: Array,
    h: Array,
    products: Products,
    w: Weights,
    dx: Array,
    dh: Array,
    arithmetic: Arithmetic,
    taken: Array | None = None,
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

    A bias that the implementation adds by itself makes one more sum, and larger sums.
    """
    u, n = arithmetic.unit_roundoff, w.weight_ih.shape[1] + w.weight_hh.shape[1] + 4
    w_ih, w_hh = np.abs(w.weight_ih).T, np.abs(w.weight_hh).T
    added = np.zeros(w_ih.shape[1])
    added[len(added) // 4 : len(added) // 2] = abs(arithmetic.added_bias)
    sums = 3 + (added > 0)
    biases = np.abs(w.bias_ih) + np.abs(w.bias_hh)
    inherited, recurrent = _through(dx, w_ih), _through(dh, w_hh)
    moved = inherited + recurrent
    absolute = np.abs(x) @ w_ih + np.abs(w.bias_ih) + np.abs(h) @ w_hh
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


def _through(error: Array, weight: Array) -> Array:
    """Multiply errors, which are often all zero, by absolute weights."""
    if error.any():
        moved: Array = error @ weight
        return moved
    return np.zeros((*error.shape[:-1], weight.shape[1]))


def projection_error(
    step: Step, weight_hr: Array, deviation: Array, arithmetic: Arithmetic
) -> Array:
    """Bound the fresh error (N, R) of h' = W_hr h', for an h' that can be off by `deviation`."""
    u, n, w_hr = arithmetic.unit_roundoff, weight_hr.shape[1], np.abs(weight_hr).T
    absolute = (np.abs(step.h_full) + deviation) @ w_hr
    moved = deviation @ w_hr
    rough: Array | float = 0.0
    if not arithmetic.factors.exact:
        rough = arithmetic.factors.product_error(step.h_full, deviation, weight_hr)
        absolute = absolute + rough
    error = (1 + u) * gamma(n, arithmetic) * absolute + u * (np.abs(step.h) + moved + rough)
    error = error + n * arithmetic.subnormal + rough
    return np.where(absolute < arithmetic.largest / 2, error, np.inf)
