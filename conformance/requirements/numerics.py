"""Requirements at the limits of a dtype: tiny, huge, infinite numbers and NaN."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conformance.checking.comparison import against_reference, close
from conformance.checking.requirement import requirement
from conformance.checking.truth import arithmetic, truth
from conformance.implementations.failures import Quantity
from conformance.implementations.implementation import Implementation, run
from conformance.recording.ending import ending
from conformance.recording.operands import Literal
from reference import Array, Case, Result

ROUNDING = "the equations, rounded as reference.bounds says"


@requirement(source=ROUNDING, level="core", weights=["zeros", "wide", "saturating"])
def saturated_gates_are_exact(implementation: Implementation, case: Case) -> float:
    """Where gates saturate, the results stay within the rounding bound."""
    return against_reference(implementation, case)


@requirement(source=ROUNDING, level="core", share_of_cases=0.5, lengths=False)
def huge_preactivations_saturate(implementation: Implementation, case: Case) -> float:
    """Huge finite pre-activations give the saturated result, with no overflow and no NaN.

    The input is scaled until the sums of absolute products are near the largest number, and in a
    second run the initial hidden state.
    """
    share = against_reference(
        implementation, replace(case, input=_enlarged(case, case.input, "weight_ih_l0"))
    )
    if case.h_0 is None:
        return share
    h_0 = _enlarged(case, case.h_0, "weight_hh")
    return max(share, against_reference(implementation, replace(case, h_0=h_0)))


def _enlarged(case: Case, array: Array, weights: str) -> Array:
    """Scale `array` by a power of two until its products with these weights are near overflow."""
    largest = max(
        np.abs(each.astype(np.float64)).sum(axis=1).max()
        for name, each in case.parameters.items()
        if name.startswith(weights)
    )
    entries = float(np.abs(array.astype(np.float64)).max(initial=0))
    if not largest or not entries:
        return array
    room = case.dtype.largest / 16 / max(largest, 1.0) / entries
    scaled = array.astype(case.dtype.wide) * 2.0 ** np.floor(np.log2(room))
    enlarged: Array = scaled.astype(case.dtype.numpy)
    return enlarged


@requirement(
    source="the equations: c = f c + i g has no limit, and no other row in it",
    level="core",
    share_of_cases=0.5,
    states=True,
    seq_len=(1, 12),
)
def large_cell_states_are_kept(implementation: Implementation, case: Case) -> float:
    """Initial cell states of hundreds, thousands, millions and near the largest number are kept.

    They are neither clipped nor divided by a norm. The largest element of c_0 is given each of
    these sizes.
    """
    assert case.c_0 is not None
    c_0 = case.c_0.astype(case.dtype.wide)
    c_0 = c_0 if c_0.any() else np.ones_like(c_0)
    limit = float(case.dtype.largest) / 16
    share = 0.0
    for size in sorted({min(size, limit) for size in (1e2, 1e4, 1e6, limit)}):
        scaled = (c_0 * (size / np.abs(c_0).max(initial=1e-9))).astype(case.dtype.numpy)
        share = max(share, against_reference(implementation, replace(case, c_0=scaled)))
    return share


@requirement(
    source="the equations: h = o tanh(c) with 0 < o < 1 and |tanh| < 1; c = f c + i g with "
    "0 < f, i < 1 and |g| < 1",
    level="core",
    projection=False,
    weights=["zeros", "unit", "wide", "saturating"],
)
def states_stay_in_range(implementation: Implementation, case: Case) -> None:
    """Without projection, |h_t| <= 1 and |c_t| <= |c_0| + t, up to rounding."""
    result, bound = run(implementation, case), truth(case, implementation).bound
    model = arithmetic(case, implementation)
    u, k = model.unit_roundoff, max(model.sigmoid, model.tanh)
    unclaimed = Result.of(np.where(np.isfinite(each), 0, np.inf) for _, each in bound.items())
    for name in ("output", "h_n"):
        allowed = 2 * k + k**2 + 2 * u + getattr(unclaimed, name)
        _at_most(name, "1", getattr(result, name), np.ones(()), allowed)
    _, c_0 = case.initial_states()
    start = np.abs(c_0.astype(np.float64)) if case.batched else np.abs(c_0[:, 0].astype(np.float64))
    limit = (start * (1 + model.entry) + case.seq_len) * (1 + k + 4 * u) ** case.seq_len
    allowed = (2 * k + 8 * u) * case.seq_len + unclaimed.c_n
    _at_most("c_n", "|c_0| - T", result.c_n, limit, allowed)


def _at_most(name: str, told: str, got: Array, limit: Array, allowed: Array) -> None:
    """Check that absolute values of `got` exceed `limit`, shown as `told`, by at most `allowed`.

    The script of a failure compares `got` with `limit` directly, without the excess.
    """
    excess = np.maximum(np.abs(got.astype(np.float64)) - limit, 0)
    text = "fault = not (np.abs(numbers({it})) <= {limit} + {allowed}).all()"
    text += f'\nprint("largest |{name}|:", np.abs(numbers({{it}})).max())'
    limits = {"limit": limit, "allowed": np.broadcast_to(allowed, got.shape)}
    literals = {gap: Literal(each, tensor=False) for gap, each in limits.items()}
    close(
        f"max(|{name}| - {told}, 0)",
        excess,
        np.zeros(excess.shape),
        allowed,
        quantity=Quantity.OTHER,
        ending=lambda _: ending(text, it=got, **literals),
    )
