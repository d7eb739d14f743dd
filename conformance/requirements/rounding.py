"""Results are rounded to the nearest number, and not to one side."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from conformance.checking.requirement import requirement
from conformance.checking.sweep import OPEN, PLACES, SHUT, step
from conformance.implementations.failures import Mismatch
from conformance.implementations.implementation import Implementation, run
from conformance.recording.ending import ending
from conformance.recording.operands import Literal
from reference import Array, Case, Configuration, DType

NEAREST = "IEEE 754: the default is to round to the nearest number; its errors have both signs"
ROWS = 256
"""How many numbers each unit rounds."""
FEWEST, GROUP, GROUPS = 128, 16, 3
"""How many numbers must tell in all, how many of one sign and binade, and in how many of these."""
SHARE = 0.9
"""The share of numbers that are rounded to one side where that is a fault."""


@dataclass(frozen=True, eq=False)
class Rounded:
    """Numbers of the result `name` at the index `at`, and the `true` ones, before rounding.

    `exact` says whether nothing but the last rounding can have made a difference. Else a result of
    float64 or float32 may be one unit nearer to zero, where a gate that is open is not quite 1.
    """

    name: str
    at: tuple[slice | int, ...]
    true: Array
    exact: bool = True


def _sides(true: Array, dtype: DType) -> tuple[Array, Mapping[str, Array]]:
    """Round to nearest, and to each side: always there, or one unit further than the nearest."""
    _, exponent = np.frexp(true)
    unit = np.ldexp(np.asarray(2 * dtype.unit_roundoff, true.dtype), exponent - 1)
    scaled, sign = true / unit, np.sign(true)
    nearest = np.rint(scaled)
    sides = {
        "toward zero": np.trunc(scaled),
        "away from zero": sign * np.ceil(np.abs(scaled)),
        "down": np.floor(scaled),
        "up": np.ceil(scaled),
        "one unit down": nearest - 1,
        "one unit up": nearest + 1,
        "one unit away from zero": nearest + sign,
        "one unit toward zero": nearest - sign,
    }
    return nearest * unit, {name: each * unit for name, each in sides.items()}


def to_one_side(got: Array, numbers: Rounded, dtype: DType) -> Mapping[str, Array]:
    """Find the sides to which nearly all of `got` are rounded, in each binade and of both signs.

    Only numbers tell whose nearest is on the other side; for others the array has NaN.
    """
    nearest, sides = _sides(numbers.true, dtype)
    _, exponent = np.frexp(numbers.true)
    group = 2 * exponent + (numbers.true < 0)
    found = {}
    for name, side in sides.items():
        if name == "one unit toward zero" and not numbers.exact:
            continue
        telling = side != nearest
        shares = [
            float((got == side)[chosen].mean())
            for chosen in (telling & (group == each) for each in np.unique(group))
            if chosen.sum() >= GROUP
        ]
        if telling.sum() >= FEWEST and len(shares) >= GROUPS and min(shares) >= SHARE:
            found[name] = np.where(telling, side, np.nan)
    return found


@requirement(
    source=NEAREST,
    level="core",
    share_of_cases=0.1,
    by_dtype=True,
    bias=True,
    states=True,
    batched=True,
    lengths=False,
)
def results_are_rounded_to_nearest(implementation: Implementation, case: Case) -> None:
    """Gates and states are not all rounded to one side, and do not drift by a unit in a step.

    What one rounding makes of known numbers is compared with what rounding toward zero, away from
    it, up or down would make, where that is not the nearest number. It is a fault if that is the
    same in nine of ten places, in each of several binades and of both signs. An approximation that
    is off by half a unit in each binade would be too, but a smooth one is not. Where each place is
    a matter of chance, of 128 or more, a false alarm has the probability exp(-128 D) < 1e-20, with
    D = 0.9 ln(1.8) + 0.1 ln(0.2), by Hoeffding's inequality; of all in a run below 1e-12.
    """
    rng = np.random.default_rng(zlib.crc32(case.input.tobytes()))
    supports = implementation.supports
    returned = supports.results
    if "c_n" not in returned:
        return
    largest = replace(
        case.configuration,
        num_layers=int(min(3, supports.max_layers)),
        bidirectional=True in supports.bidirectional,
    )
    both = (_states(case, each, rng) for each in (case.configuration, largest))
    for made in (*both, _gates(implementation, case, rng)):
        if supports.lacking_for(made):
            continue
        result = run(implementation, made)
        for numbers in _known(made, result.c_n):
            if numbers.name not in returned:
                continue
            array = getattr(result, numbers.name)
            got = array[numbers.at].astype(made.dtype.wide)
            for side, expected in to_one_side(got, numbers, made.dtype).items():
                share = float((got == expected)[~np.isnan(expected)].mean())
                raise _mismatch(numbers, side, share, array, expected)


def _mismatch(numbers: Rounded, side: str, share: float, array: Array, expected: Array) -> Mismatch:
    index = ", ".join(
        str(each) if isinstance(each, int) else f"{each.start}:{each.stop}" for each in numbers.at
    ).replace("None", "")
    text = f"""got, to_one_side = numbers({{it}})[{index}], {{side}}
telling = ~np.isnan(to_one_side)
share = (got == to_one_side)[telling].mean()
fault = not share < {SHARE}
print("rounded {side} where the nearest number is another:", share, "of", telling.sum())"""
    literal = Literal(expected.astype(np.float64), tensor=False)
    return Mismatch(
        f"share of {numbers.name}[{index}] rounded {side}",
        "",
        f"{share:.3g} where another number is nearer",
        "about 0",
        ending=ending(text, it=array, side=literal),
    )


def _states(case: Case, options: Configuration, rng: np.random.Generator) -> Case:
    """Make one step of four units whose gates are saturated, in each layer and direction.

    Two units keep c_0, of which h is the tanh; they are in the first half, so that they are
    projected. One adds 1 to c_0, and one subtracts 1.
    """
    size = 2 * bool(options.proj_size)
    configuration = replace(options, input_size=1, hidden_size=4, proj_size=size)
    dtype = case.dtype.numpy
    biases = np.array([[SHUT, SHUT, OPEN, OPEN], [OPEN] * 4, [0, 0, OPEN, SHUT], [OPEN] * 4])
    parameters = {}
    for name, shape in configuration.parameter_shapes().items():
        parameters[name] = np.zeros(shape, dtype)
        if name.startswith("bias_ih"):
            parameters[name] = biases.ravel().astype(dtype)
        if name.startswith("weight_hr"):
            parameters[name] = np.eye(*shape, dtype=np.float64).astype(dtype)
    slots = configuration.num_layers * configuration.num_directions
    c_0 = rng.choice([-1, 1], (slots, ROWS, 4)) * np.exp2(rng.uniform(-3, 0, (slots, ROWS, 4)))
    c_0[:, :, 2:] /= 8
    c_0[:, 0, 2:] = 0
    shape = (ROWS, 1, 1) if configuration.batch_first else (1, ROWS, 1)
    return Case(
        configuration,
        parameters,
        np.zeros(shape, dtype),
        np.zeros((slots, ROWS, configuration.output_size), dtype),
        c_0.astype(dtype),
        device=case.device,
    )


def _gates(implementation: Implementation, case: Case, rng: np.random.Generator) -> Case:
    """Make one step of units each of which shows one activation, of random numbers."""
    x, c = rng.uniform(-3, 3, (2, 2 * ROWS)).astype(case.dtype.numpy)
    x[0] = OPEN
    batch_first = implementation.supports.batch_first[0]
    return step(PLACES, x, c, case.device, implementation.supports.bias[0], batch_first)


def _known(made: Case, c_n: Array) -> Iterator[Rounded]:
    """List what is rounded in the step `made`, of which `c_n` came."""
    assert made.c_0 is not None
    wide, narrow = made.dtype.wide, made.dtype.unit_roundoff > 2.0**-12
    c_0, everything = made.c_0.astype(wide), slice(None)
    if made.configuration.hidden_size == len(PLACES):
        x = made.time_major(made.input)[0, :, 0].astype(wide)
        if c_n[0, 0, 1] == c_n[0, 0, 2] == c_n[0, 0, 3] == 1:
            yield Rounded("c_n", (0, everything, 1), np.tanh(x))
            for name, unit in (("c_n", 2), ("c_n", 3), ("h_n", 4)):
                yield Rounded(name, (0, everything, unit), 1 / (1 + np.exp(-x)))
        return
    for slot in range(len(c_0)):
        kept = c_0[slot, :, :2]
        yield Rounded("c_n", (slot, everything, slice(0, 2)), kept, exact=narrow)
        if (c_n[slot, :, :2] == made.c_0[slot, :, :2]).mean() > SHARE:
            yield Rounded("h_n", (slot, everything, slice(0, 2)), np.tanh(kept))
        ones = np.array([1, -1])
        if narrow or (c_n[slot, 0, 2:] == ones).all():
            yield Rounded("c_n", (slot, everything, slice(2, 4)), c_0[slot, :, 2:] + ones)
