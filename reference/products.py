"""Errors fresh in the products of a step: the pre-activations and the projection.

The model is that of :mod:`reference.bounds`.
"""

from __future__ import annotations

import numpy as np

from reference.arithmetic import Arithmetic
from reference.case import Array
from reference.cell import Step, Weights


def gamma(terms: int, arithmetic: Arithmetic) -> float:
    """Relative error of a sum of so many products in any order (Higham, section 3.1)."""
    return terms * arithmetic.accumulation / (1 - terms * arithmetic.accumulation)


def preactivation_error(
    step: Step,
    w: Weights,
    dx: Array,
    dh: Array,
    arithmetic: Arithmetic,
    taken: Array | None = None,
) -> Array:
    """Error fresh in the pre-activations, (N, 4 * hidden_size); infinite where they can overflow.

    With n = fan-in + 4 terms: gamma_n(u_acc) times the sum of their absolute values; plus one
    rounding to the stored type of each of the two products and of each of three sums of them with
    the biases, none of which exceeds the sum of the terms of one sign, where an error passes
    through at most four later roundings; plus what the error `dx` of the input contributes.

    A bias that is added inside makes one sum more, with terms larger by it. Factors that are
    rounded before they are multiplied add their error, `taken` being that of the input.
    """
    u, n = arithmetic.unit_roundoff, w.weight_ih.shape[1] + w.weight_hh.shape[1] + 4
    w_ih, w_hh = np.abs(w.weight_ih).T, np.abs(w.weight_hh).T
    added = np.zeros(w_ih.shape[1])
    added[len(added) // 4 : len(added) // 2] = abs(arithmetic.added_bias)
    sums = 3 + (added > 0)
    biases = np.abs(w.bias_ih) + np.abs(w.bias_hh)
    inherited = dx @ w_ih
    moved = inherited + dh @ w_hh
    absolute = np.abs(step.x) @ w_ih + np.abs(w.bias_ih) + np.abs(step.h_prev) @ w_hh
    absolute = absolute + np.abs(w.bias_hh) + moved + 2 * added
    products = step.x @ w.weight_ih.T, step.h_prev @ w.weight_hh.T
    terms = (*products, w.bias_ih, w.bias_hh)
    of_one_sign = added + np.maximum(
        sum(np.maximum(term, 0) for term in terms), sum(np.maximum(-term, 0) for term in terms)
    )
    stored = np.abs(products[0]) + np.abs(products[1]) + sums * of_one_sign + (sums + 2) * moved
    stored = stored + (biases + added) * (added > 0)
    rough: Array | float = arithmetic.entry * biases
    if not arithmetic.factors.exact:
        factors = arithmetic.factors
        rough = rough + factors.product_error(step.x, dx, w.weight_ih, taken)
        rough = rough + factors.product_error(step.h_prev, dh, w.weight_hh)
        absolute, stored = absolute + rough, stored + (sums + 2) * rough
    error = (1 + u) ** (sums + 1) * (gamma(n, arithmetic) * absolute + u * stored)
    error = error + n * arithmetic.subnormal + inherited + rough
    return np.where(absolute < arithmetic.largest / 2, error, np.inf)


def projection_error(
    step: Step, weight_hr: Array, deviation: Array, arithmetic: Arithmetic
) -> Array:
    """Error fresh in h' = W_hr h', accumulated and rounded, (N, R), of an h' off by `deviation`."""
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
