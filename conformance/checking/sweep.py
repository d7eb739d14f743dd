"""How accurate sigmoid and tanh are, measured through an implementation itself.

One step of five hidden units that differ in their weights shows each activation alone, where the
other gates are saturated::

    unit 0   h = tanh(c_0)       i shut, f and o open
    unit 1   c = tanh(x)         i open, f shut
    unit 2   c = sigmoid(x)      f shut, g one: the input gate
    unit 3   c = sigmoid(x)      i shut, from c_0 = 1: the forget gate
    unit 4   h = sigmoid(x)      i shut, f open, from a c_0 whose tanh is one: the output gate

Every row of the batch has another x and c_0. An x has at most eight significant bits, so that
products in a narrower format, such as TF32, lose nothing of it and are not taken for an activation.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from conformance.implementations.implementation import Implementation
from reference import (
    DTYPES,
    Arithmetic,
    Array,
    Case,
    Configuration,
    DType,
    Precision,
    Result,
    forward_bound,
    trace,
)

SATURATED = 64.0
"""The pre-activation of an open gate, minus that of a shut one, and a cell state with tanh 1."""
ROWS = 2048
"""How many numbers are tried."""
LIMIT = 2.0**-12
"""The largest error of an approximation. That of a wrong function is larger: sigmoid that is cut
off at 5 has one of 2^-7, one from a table for every 64th part 2^-9, the hard one 2^-3."""


@dataclass(frozen=True)
class Place:
    """A hidden unit that shows one activation: what, in which result, and how it is set up.

    `biases` are the pre-activations of i, f, g, o; x is added to that of the gate `swept`. `c_0`
    is None where it is what varies.
    """

    what: str
    function: str
    result: str
    biases: tuple[float, float, float, float]
    swept: int | None
    c_0: float | None


OPEN, SHUT = SATURATED, -SATURATED
PLACES = (
    Place("tanh of the cell state", "tanh", "h_n", (SHUT, OPEN, 0, OPEN), None, None),
    Place("tanh of the candidate", "tanh", "c_n", (OPEN, SHUT, 0, OPEN), 2, 0.0),
    Place("sigmoid of the input gate", "sigmoid", "c_n", (0, SHUT, OPEN, OPEN), 0, 0.0),
    Place("sigmoid of the forget gate", "sigmoid", "c_n", (SHUT, 0, 0, OPEN), 1, 1.0),
    Place("sigmoid of the output gate", "sigmoid", "h_n", (SHUT, OPEN, 0, 0), 3, SATURATED),
)


def sweep(implementation: Implementation, dtype: DType, device: str, seed: int = 0) -> Case:
    """One step of all places, each row with another number, as `implementation` takes it.

    The last row has :data:`SATURATED` itself.
    """
    x, c = _numbers(dtype, 8, 2 * seed), _numbers(dtype, 53, 2 * seed + 1)
    supports = implementation.supports
    return step(PLACES, x, c, device, supports.bias[0], supports.batch_first[0])


def step(
    places: Sequence[Place], x: Array, c: Array, device: str, bias: bool, batch_first: bool
) -> Case:
    """One step of a hidden unit for each of `places`, a row for each number of `x` and `c` (N,).

    The second input feature is one and brings the pre-activations in, so that no `bias` is needed.
    """
    dtype = DTYPES[x.dtype.name]
    configuration = Configuration(2, len(places), bias=bias, batch_first=batch_first)
    shapes = configuration.parameter_shapes()
    parameters = {name: np.zeros(shape, dtype.numpy) for name, shape in shapes.items()}
    weights = parameters["weight_ih_l0"].reshape(4, len(places), 2)
    c_0 = np.empty((1, len(x), len(places)), dtype.numpy)
    for unit, place in enumerate(places):
        weights[:, unit, 1] = place.biases
        if place.swept is not None:
            weights[place.swept, unit, 0] = 1
        c_0[0, :, unit] = c if place.c_0 is None else place.c_0
    given = np.expand_dims(np.stack([x, np.ones_like(x)], axis=-1), 1 if batch_first else 0)
    given = given.astype(dtype.numpy)
    return Case(configuration, parameters, given, np.zeros_like(c_0), c_0, device=device)


def _numbers(dtype: DType, bits: int, seed: int) -> Array:
    """Numbers of both signs with so many significant bits: evenly up to 12, normal, far, and tiny.

    Far ones, up to 20, are those where tanh in float64 rounds to one.
    """
    rng = np.random.default_rng(seed)
    even = np.linspace(-12, 12, ROWS // 2) + rng.uniform(-6, 6) / ROWS
    normal = rng.standard_normal(ROWS // 8) * 0.5
    far = rng.uniform(12, 20, ROWS // 8) * rng.choice([-1, 1], ROWS // 8)
    tiny = 10.0 ** rng.uniform(-8, 0, ROWS // 4 - 1) * rng.choice([-1, 1], ROWS // 4 - 1)
    mantissa, exponent = np.frexp(np.concatenate([even, normal, far, tiny, [SATURATED]]))
    kept = np.ldexp(np.round(mantissa * 2.0**bits) / 2.0**bits, exponent)
    numbers: Array = kept.astype(dtype.numpy)
    return numbers


@dataclass(frozen=True)
class Error:
    """The largest error of a function in unit roundoffs: absolute, at which argument; relative."""

    units: float
    at: float
    relative: float

    def __lt__(self, other: Error) -> bool:
        return self.units < other.units

    def __str__(self) -> str:
        return f"{self.units:.3g} units at {self.at:.3g} (relative {self.relative:.3g})"


def errors(result: Result, case: Case, returned: Collection[str]) -> dict[str, Error]:
    """Of the results of a sweep the largest error of each function, at all places that come back.

    What a place shows is divided by what the saturated gate or tanh that it is multiplied with
    is, as far as that is known: so one function's error there is not taken for the other's.
    """
    found: dict[str, Error] = {}
    known, x = trace(case).result, case.time_major(case.input)[0, :, 0]
    assert case.c_0 is not None
    rows = {name: getattr(result, name)[0].astype(case.dtype.wide) for name in returned}
    gate = rows["c_n"][-1, 3] if "c_n" in rows else 1.0
    for unit, place in enumerate(PLACES):
        if place.result not in rows:
            continue
        with np.errstate(all="ignore"):
            other = gate
            if place.function == "sigmoid":
                other = 1.0 if unit == 3 else rows[place.result][-1, unit] / gate
            shown = rows[place.result][:, unit] / (other if abs(other - 1) < LIMIT else 1.0)
        true = getattr(known, place.result)[0, :, unit]
        if place.swept is None and "c_n" in rows:
            true = np.tanh(rows["c_n"][:, unit])  # of c as it came through the forget gate
        error = _error(shown, true, x if place.swept is not None else case.c_0[0, :, unit], case)
        if place.function not in found or found[place.function] < error:
            found[place.function] = error
    return found


def _error(shown: Array, true: Array, argument: Array, case: Case) -> Error:
    with np.errstate(all="ignore"):
        off = np.abs(shown - true) / case.dtype.unit_roundoff
        off = np.where(np.isnan(off), np.inf, off).astype(np.float64)
        normal = np.abs(true) > case.dtype.subnormal / case.dtype.unit_roundoff
        relative = np.where(normal, off / np.abs(true).astype(np.float64), 0).max()
    worst = int(np.argmax(off))
    return Error(float(off[worst]), float(argument[worst]), float(relative))


def known(case: Case, declared: Precision) -> tuple[Result, Result]:
    """The true results of a step, and how far off they may be by the precision `declared`."""
    evaluated = trace(case)
    return evaluated.result, forward_bound(evaluated, Arithmetic.of(case.dtype, declared))


def shares(
    result: Result, case: Case, declared: Precision, returned: Collection[str]
) -> dict[str, Array]:
    """Errors of a step's `returned` results, by name, each (N, places), as shares of the bound."""
    true, bound = known(case, declared)
    found = {}
    for name in (name for name in ("h_n", "c_n") if name in returned):
        got, should, allowed = (getattr(each, name)[0] for each in (result, true, bound))
        with np.errstate(all="ignore"):
            share = np.abs(got.astype(case.dtype.wide) - should) / allowed
        found[name] = np.where(np.isnan(share), np.inf, share).astype(np.float64)
    return found
