"""Coarser arithmetics in which a right LSTM gives the wrong results."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from conformance.checking.activations import MARGIN, measured
from conformance.checking.comparison import Truth, truth
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
    bounds = (b if name in returned else b + np.inf for name, b in known.bound.items())
    return Truth(known.result, Result.of(bounds))


def returns_numbers_of(observed: Sequence[Observation], returned: Collection[str]) -> DType | None:
    """Find the coarsest dtype, coarser than that of the cases, that holds every number returned."""
    for dtype in reversed(coarser(observed[0][0].dtype)):
        with np.errstate(all="ignore"):
            if all(
                (array.astype(dtype.numpy).astype(array.dtype) == array).all()
                for _, result in observed
                for name, array in result.items()
                if name in returned
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

    Only errors above those that any right LSTM may have count, and none from :data:`LARGE` on.
    """
    case, implementation = observed[0][0], recording.implementation
    if case.dtype.unit_roundoff > DTYPES["float32"].unit_roundoff:
        return ""  # where everything fits within the bounds of a few units more
    found = measured(implementation, case.dtype, case.device)
    own = precision(implementation)
    if found is None or own.described():
        return ""
    units = {n: e.units for n, e in found.errors.items() if e.units > own.activation}
    if not units or max(units.values()) * case.dtype.unit_roundoff >= LARGE:
        return ""
    loose = replace(own, **{name: MARGIN * each for name, each in units.items()})
    model = Arithmetic.of(case.dtype, loose)
    for each, got in observed:
        evaluated = trace(each)
        known = Truth(evaluated.result, forward_bound(evaluated, model))
        if not right(got, claimed(known, recording.supports.results)):
            return ""
    return " and ".join(f"{name} off by {each:.3g} units" for name, each in units.items())


def _in(case: Case, dtype: DType) -> Truth:
    """Give the true result and the bound for `dtype`, doubled as cutting errs twice as much."""
    u = 2 * dtype.unit_roundoff
    evaluated = trace(case)
    arithmetic = Arithmetic(u, u / 2, u, u, dtype.subnormal, dtype.largest)
    return Truth(evaluated.result, forward_bound(evaluated, arithmetic))
