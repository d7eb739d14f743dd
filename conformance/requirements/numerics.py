"""Requirements at the limits of a dtype: tiny, huge, infinite numbers and NaN."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conformance.checking.comparison import against_reference, arithmetic, close, truth
from conformance.checking.requirement import requirement
from conformance.implementations.failures import Quantity
from conformance.implementations.implementation import Implementation, run
from conformance.recording.ending import ending
from conformance.recording.operands import Literal
from conformance.requirements.variations import with_input
from reference import Array, Case, Result

ROUNDING = "the equations, rounded as reference.bounds says"


@requirement(source=ROUNDING, level="core", weights=["zeros", "wide", "saturating"])
def saturated_gates_are_exact(implementation: Implementation, case: Case) -> float:
    """Where gates saturate, the results stay within the rounding bound."""
    return against_reference(implementation, case)


@requirement(source=ROUNDING, level="core", share_of_cases=0.5, lengths=False)
def huge_preactivations_saturate(implementation: Implementation, case: Case) -> float:
    """Huge finite pre-activations give the saturated result, with no overflow and no NaN.

    The input is scaled until the sums of absolute products are near the largest number.
    """
    largest = max(
        np.abs(array.astype(np.float64)).sum(axis=1).max()
        for name, array in case.parameters.items()
        if name.startswith("weight_ih_l0")
    )
    entries = float(np.abs(case.input.astype(np.float64)).max(initial=0))
    if not largest or not entries:
        return against_reference(implementation, case)
    room = case.dtype.largest / 16 / max(largest, 1.0) / entries
    x = (case.input.astype(case.dtype.wide) * 2.0 ** np.floor(np.log2(room))).astype(
        case.dtype.numpy
    )
    return against_reference(implementation, replace(case, input=x))


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


def _spoiled(case: Case, value: float) -> tuple[Case, int]:
    row, step = case.batch_size // 2, case.seq_len // 2
    x = case.time_major(case.input).copy()
    x[step, row, 0] = value
    return with_input(case, x), row


def _other_rows_unchanged(
    implementation: Implementation, case: Case, value: float
) -> tuple[float, Result, Case]:
    spoiled, row = _spoiled(case, value)
    bound = truth(case, implementation).bound
    before, after = run(implementation, case), run(implementation, spoiled)
    worst = 0.0
    for other in range(case.batch_size):
        if other == row:
            continue
        outputs = [case.time_major(each.output)[:, other] for each in (after, before, bound)]
        worst = max(
            worst,
            close(f"output of row {other}", outputs[0], outputs[1], 2 * outputs[2]),
            close("h_n", after.h_n[:, other], before.h_n[:, other], 2 * bound.h_n[:, other]),
            close("c_n", after.c_n[:, other], before.c_n[:, other], 2 * bound.c_n[:, other]),
        )
    return worst, after, spoiled


@requirement(
    source="IEEE 754: operations on NaN give NaN; the equations, which relate no two rows",
    level="core",
    share_of_cases=0.5,
    batched=True,
    lengths=False,
    batch_size=(2, 8),
)
def nan_stays_in_its_row(implementation: Implementation, case: Case) -> float:
    """A NaN in the input of a row makes later results of that row NaN, and those of no other."""
    worst, after, spoiled = _other_rows_unchanged(implementation, case, np.nan)
    known = truth(spoiled, implementation)
    row = case.batch_size // 2
    for (name, got), (_, expected) in zip(after.items(), known.result.items(), strict=True):
        if name == "output":
            got, expected = case.time_major(got), case.time_major(expected)
        got, expected = got[:, row].astype(np.float64), expected[:, row].astype(np.float64)
        where = np.isnan(expected)
        is_nan, all_are = np.isnan(got[where]) * 1.0, np.ones(where.sum())
        close(f"isnan({name})", is_nan, all_are, 0.0, quantity=Quantity.OTHER)
    return worst


@requirement(
    source="IEEE 754 arithmetic with infinities; the equations, which relate no two rows",
    level="core",
    share_of_cases=0.5,
    batched=True,
    lengths=False,
    batch_size=(2, 8),
    num_layers=(1, 1),
)
def infinity_stays_in_its_row(implementation: Implementation, case: Case) -> float:
    """An infinite input saturates the gates: results stay finite, and other rows do not change."""
    nonzero = {
        name: np.where(array == 0, np.ones_like(array), array)
        if name.startswith("weight_ih")
        else array
        for name, array in case.parameters.items()
    }
    worst, after, _ = _other_rows_unchanged(
        implementation, replace(case, parameters=nonzero), np.inf
    )
    for name in implementation.supports.results:
        _all_finite(name, getattr(after, name))
    return worst


def _all_finite(name: str, got: Array) -> None:
    finite = np.isfinite(got.astype(np.float64))
    text = "fault = not np.isfinite(numbers({it})).all()\nprint('expected finite:', {it})"
    close(
        f"isfinite({name})",
        finite * 1.0,
        np.ones(finite.shape),
        0.0,
        quantity=Quantity.OTHER,
        ending=lambda _: ending(text, it=got),
    )
