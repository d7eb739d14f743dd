"""The precision of sigmoid and tanh as measured, by which an implementation is then judged.

:mod:`conformance.checking.sweep` has the case that shows both functions through the implementation.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from conformance.checking import process_state
from conformance.checking.sweep import LIMIT, PLACES, Error, errors, shares, sweep
from conformance.implementations.failures import Failure
from conformance.implementations.implementation import (
    Implementation,
    is_differentiable,
    offered_gradients,
    precision,
    run,
)
from conformance.implementations.torch_module import is_torch_module
from conformance.recording.noting import paused
from reference import DTYPES, Array, Case, DType, Result, backward, trace
from reference.precision import DTYPES_OWN, Precision

MARGIN = 1.25
"""How much more than at the numbers tried an activation may be off at others."""
SLOPE_LIMIT = 2.0**-8
"""The largest error of an approximation's derivative. One of a wrong formula is a fourth or so."""


@dataclass(frozen=True)
class Measured:
    """Of one implementation, dtype and device: the largest error of each function.

    `accurate` says whether all is within the bound of what the implementation declares. `judging`
    is the precision by which it is judged: by what was measured of a function where that is more
    than is declared. That is so for some that are accurate, as the bound also has room for the
    errors of gates beside the function.
    """

    errors: Mapping[str, Error]
    accurate: bool
    judging: Precision

    def described(self) -> str:
        """Both functions with their errors."""
        return "; ".join(f"{name} {error}" for name, error in self.errors.items())


def measure(implementation: Implementation, dtype: DType, device: str) -> Measured | None:
    """Run the sweep and measure it; None if the implementation does not take it, or misbehaves."""
    case = sweep(implementation, dtype, device)
    if implementation.supports.lacking_for(case):
        return None
    try:
        with paused(), process_state.restored(random=True):
            result = run(implementation, case)
    except Failure:
        return None
    returned = implementation.supports.results

    def right(by: Precision) -> bool:
        return all((each <= 1).all() for each in shares(result, case, by, returned).values())

    declared, found = precision(implementation), errors(result, case, returned)
    accurate = right(declared)
    judged = declared
    if _of_dtype(declared) and _carries(result, case, found, returned):
        own = declared.activation
        units = {n: MARGIN * each.units + own for n, each in found.items() if each.units > own}
        if max(units.values(), default=np.inf) * dtype.unit_roundoff <= LIMIT:
            errors_of: dict[str, Any] = units | {
                f"{name}_slope": MARGIN * each
                for name, each in _slopes(implementation, case).items()
                if name in units and MARGIN * each * dtype.unit_roundoff <= SLOPE_LIMIT
            }
            rough = replace(declared, **errors_of)
            # else something besides sigmoid and tanh is off as well
            judged = rough if right(rough) else declared
    return Measured(found, accurate, judged)


def _of_dtype(declared: Precision) -> bool:
    """Whether nothing is declared that has to do with sigmoid and tanh."""
    return replace(declared, added_bias=0.0) == DTYPES_OWN


def _carries(
    result: Result, case: Case, found: Mapping[str, Error], returned: Collection[str]
) -> bool:
    """Whether c_0 passes an open forget gate in full precision, as far as that can be seen.

    Where it does not, as in a computation in a narrower type, not only sigmoid and tanh are off.
    """
    if "c_n" not in returned:
        return True
    assert case.c_0 is not None
    u, wide = case.dtype.unit_roundoff, case.dtype.wide
    before, after = (array[0].astype(wide) for array in (case.c_0, result.c_n))
    through = np.prod([error.units * u for error in found.values()])  # i g of the shut gate
    with np.errstate(all="ignore"):
        off = np.abs(after[:, 0] - after[-1, 3] * before[:, 0])
    return bool((off <= 4 * u * np.abs(before[:, 0]) + through + case.dtype.subnormal).all())


def _slopes(implementation: Implementation, case: Case) -> dict[str, float]:
    """The largest error of the derivative of each function in unit roundoffs, by a sweep.

    Nothing for an implementation that offers no gradients.
    """
    found: dict[str, float] = {}
    if not implementation.supports.gradients:
        return found
    evaluated = trace(case)
    for unit, place in enumerate(PLACES):
        if place.result not in implementation.supports.results:
            continue
        of = case.dtype.numpy
        ones = Result.of(np.zeros(each.shape, of) for _, each in evaluated.result.items())
        getattr(ones, place.result)[0, :, unit] = 1
        try:
            with paused(), process_state.restored(random=True):
                got = _gradients(implementation, case, ones, place.result)
        except Failure:
            return {}
        swept = "c_0" if place.swept is None else "input"
        if swept not in got:
            continue
        true = backward(evaluated, ones)[swept]
        with np.errstate(all="ignore"):
            off = np.abs(got[swept].astype(case.dtype.wide) - true)
        largest = float(np.where(np.isnan(off), np.inf, off).max()) / case.dtype.unit_roundoff
        found[place.function] = max(found.get(place.function, 0.0), largest)
    return found


def _gradients(
    implementation: Implementation, case: Case, cotangents: Result, of: str
) -> Mapping[str, Array]:
    if is_torch_module(implementation):
        from conformance.implementations.pytorch.gradients import backward as autograd

        return autograd(implementation, case, cotangents, (of,))
    if not is_differentiable(implementation):
        return {}
    return offered_gradients(implementation, case, cotangents)


_measured: dict[tuple[int, str, str], tuple[Implementation, Measured | None]] = {}


def measured(implementation: Implementation, dtype: DType, device: str) -> Measured | None:
    """What :func:`measure` finds, once a process for each implementation, dtype and device.

    The same in every process, whatever came before: the numbers tried are always the same.
    """
    key = id(implementation), dtype.name, device  # which is kept, so that no other gets its id
    if key not in _measured:
        _measured[key] = implementation, measure(implementation, dtype, device)
    return _measured[key][1]


_in_force: dict[tuple[int, str, str], Precision] = {}
_asked: dict[tuple[int, str, str], tuple[Implementation, DType, str]] = {}
"""By what something was judged of late."""


@contextlib.contextmanager
def judging_anew() -> Iterator[None]:
    """Whatever is judged within is first judged by what is declared."""
    before = dict(_in_force)
    _in_force.clear()
    try:
        yield
    finally:
        _in_force.clear()
        _in_force.update(before)


def loosen(implementation: Implementation, dtype: DType, device: str) -> bool:
    """Judge by sigmoid and tanh as measured from now on; whether that makes a difference.

    It does if they alone are inaccurate, by at most :data:`LIMIT`, nothing is declared of them, and
    they are not judged by already. So an implementation in order is not measured at all, and what
    was decided before, in this process or another, does not matter.
    """
    key = id(implementation), dtype.name, device
    declared = precision(implementation)
    if key in _in_force or not _of_dtype(declared):
        return False
    found = measured(implementation, dtype, device)
    if found is None or found.judging == declared:
        return False
    _in_force[key] = found.judging
    return True


def loosen_all() -> bool:
    """Loosen whatever something was judged by since :func:`forget`, as :func:`loosen` does.

    That can be more than one dtype: some requirements try a case in another one as well.
    """
    return sum(loosen(*each) for each in list(_asked.values())) > 0


def forget() -> None:
    """Forget by what something was judged."""
    _asked.clear()


def judging(implementation: Implementation, dtype: DType, device: str) -> Precision:
    """The precision by which results of `implementation` are judged: declared, or measured."""
    key = id(implementation), dtype.name, device
    _asked[key] = implementation, dtype, device
    return _in_force.get(key, precision(implementation))


def by_dtype(
    implementation: Implementation, dtypes: Iterable[str], device: str
) -> dict[str, Measured]:
    """What is measured in each dtype, as far as anything is."""
    found = {name: measured(implementation, DTYPES[name], device) for name in dtypes}
    return {name: each for name, each in found.items() if each is not None}


def judged_by(implementation: Implementation) -> tuple[str, ...]:
    """What is measured and judged by just now, in words."""
    lines = []
    for (identity, dtype, device), by in _in_force.items():
        found = measured(implementation, DTYPES[dtype], device)
        if identity == id(implementation) and found is not None:
            for function, units in zip(("sigmoid", "tanh"), by.units(), strict=True):
                if units > by.activation:
                    error = found.errors[function]
                    lines.append(f"{dtype} {function} {error.units:.3g} units (measured)")
    return tuple(lines)
