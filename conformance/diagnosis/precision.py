"""Coarser arithmetics in which a right LSTM gives the wrong results."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.checking.activations import MARGIN
from conformance.checking.sweep import errors, sweep
from conformance.checking.truth import Truth, truth
from conformance.diagnosis.parting import right
from conformance.diagnosis.recording import Recording
from conformance.implementations.implementation import precision
from reference import DTYPES, Arithmetic, Case, DType, Result, forward_bound, trace

Observation = tuple[Case, Result]

LARGE = 2.0**-6
"""The error of an activation from which another function explains results better."""


def coarser(dtype: DType) -> list[DType]:
    """List the dtypes with a larger unit roundoff, the finest first."""
    return [each for each in DTYPES.values() if each.unit_roundoff > dtype.unit_roundoff]


def claimed(known: Truth, returned: Collection[str]) -> Truth:
    """Allow anything in the results that are not `returned`."""
    return Truth(known.result, known.bound.only(returned, np.inf))


def returns_numbers_of(observed: Sequence[Observation], returned: Collection[str]) -> DType | None:
    """Find the coarsest dtype, coarser than that of the cases, that holds every number returned."""
    for dtype in reversed(coarser(observed[0][0].dtype)):
        with np.errstate(all="ignore"):
            if all(
                (array.astype(dtype.numpy).astype(array.dtype) == array).all()
                for _, result in observed
                for array in (getattr(result, name) for name in returned)
            ):
                return dtype
    return None


def consistent_with(
    recording: Recording, observed: Sequence[Observation], single: Observation, exact: Observation
) -> DType | None:
    """Find the finest coarser dtype in which the results can have been computed, None without one.

    Three things are required: every result is within the bound of an LSTM that rounds or cuts all
    numbers to that dtype; a `single` step is wrong; and `exact`, a step in which such rounding of
    the factors of products loses nothing, is right. This excludes most other faults with a small
    effect, but proves nothing.
    """
    known = truth(single[0], recording.implementation), truth(exact[0], recording.implementation)
    if right(single[1], known[0]) or not right(exact[1], known[1]):
        return None
    for dtype in coarser(exact[0].dtype):
        returned = recording.supports.results
        if all(right(g, claimed(_in(case, dtype), returned)) for case, g in (*observed, single)):
            return dtype
    return None


def consistent_activations(recording: Recording, observed: Sequence[Observation]) -> str:
    """Describe errors of sigmoid and tanh, as measured, that explain all results; else empty.

    One function alone comes first. Only errors above those that any right LSTM may have count, and
    none from :data:`LARGE` on. In 16 bits everything would fit within the bounds of a few units.
    """
    case, implementation = observed[0][0], recording.implementation
    own = precision(implementation)
    if case.dtype.unit_roundoff > DTYPES["float32"].unit_roundoff or own.described():
        return ""
    swept = sweep(implementation, case.dtype, case.device)
    lacking = recording.supports.lacking_for(swept)
    answer = None if lacking else recording.answer(swept)
    if answer is None or any(
        each.shape != of.shape
        for (_, each), (_, of) in zip(answer.items(), trace(swept).result.items(), strict=True)
    ):
        return ""
    if not _row_by_row(recording, swept, answer):
        return ""
    found = errors(answer, swept, recording.supports.results)
    units = {n: MARGIN * e.units for n, e in found.items() if e.units > own.activation}
    if max(units.values(), default=np.inf) * case.dtype.unit_roundoff >= LARGE:
        return ""
    for some in (*([name] for name in sorted(units)), sorted(units)):
        sigmoid, tanh = (units[name] if name in some else None for name in ("sigmoid", "tanh"))
        model = Arithmetic.of(case.dtype, replace(own, sigmoid=sigmoid, tanh=tanh))
        if all(_within(model, each, got, recording.supports.results) for each, got in observed):
            return " and ".join(f"{name} off by {found[name].units:.3g} units" for name in some)
    return ""


def _row_by_row(recording: Recording, case: Case, answer: Result) -> bool:
    """Whether each row has about the same results where all rows are in reverse order.

    A number in a row of its own then has the same sigmoid and tanh: it is not mixed with others.
    """
    parts = {name: getattr(case, name) for name in ("input", "h_0", "c_0")}
    turned: dict[str, Any] = {
        n: np.ascontiguousarray(a[:, ::-1]) for n, a in parts.items() if a is not None
    }
    again = recording.answer(replace(case, **turned))
    few = 16 * case.dtype.unit_roundoff
    return again is not None and all(
        np.allclose(getattr(again, name)[:, ::-1], getattr(answer, name), few, few)
        for name in recording.supports.results
    )


def _within(model: Arithmetic, case: Case, got: Result, returned: Collection[str]) -> bool:
    evaluated = trace(case)
    known = Truth(evaluated.result, forward_bound(evaluated, model))
    return right(got, claimed(known, returned))


def _in(case: Case, dtype: DType) -> Truth:
    """Give the true result and the bound for `dtype`, doubled as cutting errs twice as much."""
    u = 2 * dtype.unit_roundoff
    evaluated = trace(case)
    arithmetic = Arithmetic(u, u / 2, u, u, dtype.subnormal, dtype.largest)
    return Truth(evaluated.result, forward_bound(evaluated, arithmetic))
