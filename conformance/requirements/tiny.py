"""Requirements near zero: numbers close to the smallest of the dtype are not lost."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from conformance.checking.comparison import against_reference, close
from conformance.checking.requirement import requirement
from conformance.implementations.implementation import Implementation, run
from conformance.requirements.parts import steps
from conformance.requirements.variations import with_zero_states
from reference import Array, Case, DType, Result

OPEN = 64.0
"""The pre-activation of an open gate, and minus that of a shut one."""


def _smallest_normal(dtype: DType) -> float:
    return dtype.subnormal / (2 * dtype.unit_roundoff)


def _tiny(dtype: DType) -> float:
    """Choose the largest number of a tiny array: half of it or more are subnormal numbers.

    In bfloat16 they are small normal numbers. Processors that multiply bfloat16 take subnormal ones
    for zero: Intel, Intel 64 and IA-32 Architectures Software Developer's Manual, VDPBF16PS.
    """
    return _smallest_normal(dtype) * (2.0**16 if dtype.name == "bfloat16" else 0.5)


def _scaled(array: Array, largest: float) -> Array:
    """Multiply by a power of two such that the largest element is just below `largest`."""
    top = np.abs(array.astype(np.float64)).max(initial=0)
    exponent = np.floor(np.log2(largest)) - np.ceil(np.log2(top)) if top else 0
    return _times(array, np.exp2(np.longdouble(exponent)))


def _times(array: Array, factor: float | np.longdouble) -> Array:
    """Multiply by a power of two, and round once, to the type of `array`."""
    with np.errstate(all="ignore"):
        wide = array.astype(np.float64).astype(np.longdouble) * factor
        product: Array = wide.astype(np.float64).astype(array.dtype)
    return product


def _exchanged(case: Case, small: Collection[str], large: Collection[str]) -> Case:
    """Make the arrays with names in `small` tiny, and those in `large` as much larger.

    So their products stay about as large as they are.
    """
    arrays = {**case.parameters, **case.arguments()}
    tops = {
        name: float(np.abs(arrays[name].astype(np.float64)).max(initial=0)) or 1.0
        for name in arrays
    }
    tiny = _tiny(case.dtype)
    factor = max(tops[name] for name in small) / tiny
    changed = {name: _scaled(arrays[name], tiny) for name in small}
    changed |= {
        name: _scaled(arrays[name], min(tops[name] * factor, case.dtype.largest / 16))
        for name in large
    }
    parameters = {name: changed.get(name, array) for name, array in case.parameters.items()}
    x, h_0 = changed.get("input", case.input), changed.get("h_0", case.h_0)
    return replace(case, parameters=parameters, input=x, h_0=h_0)


@requirement(
    source="the equations, rounded as reference.bounds says; IEEE 754, subnormal numbers",
    level="core",
    share_of_cases=0.7,
    num_layers=(1, 3),
    hidden_size=(1, 6),
    input_size=(1, 6),
    seq_len=(1, 6),
    batch_size=(1, 6),
)
def tiny_numbers_are_kept(implementation: Implementation, case: Case) -> float:
    """Inputs, weights and states near the smallest numbers of the dtype are not lost.

    Subnormal numbers are not either, but in bfloat16. Where tiny numbers are multiplied with huge
    ones, and where they are a projection, the results stay within the rounding bound. A tiny c
    passes open forget gates, and where h follows the smallest normal c, h follows a tiny c.
    """
    shares = [
        against_reference(implementation, each)
        for each in _with_tiny_factors(case)
        if each.input.size
    ]
    return max([*shares, _tiny_states_are_kept(implementation, case)])


def _with_tiny_factors(case: Case) -> list[Case]:
    """List cases in which a tiny array is multiplied with a huge one, or h is tiny."""
    lowest = [name for name in case.parameters if name.startswith("weight_ih_l0")]
    recurrent = [name for name in case.parameters if name.startswith("weight_hh")]
    projections = [name for name in case.parameters if name.startswith("weight_hr")]
    made = [_exchanged(case, lowest, ["input"]), _exchanged(case, ["input"], lowest)]
    if case.h_0 is not None:
        made.append(_exchanged(steps(case, 0, 1), ["h_0"], recurrent))
    if projections:
        made.append(_exchanged(case, projections, []))
    return made


def _tiny_states_are_kept(implementation: Implementation, case: Case) -> float:
    """Run a network that keeps c, from a tiny c_0.

    All its weights are zero, f and o are open and i is shut. So c_n = F c_0 + R, with F and R that
    do not depend on c_0: a c_0 of zeros shows R, and one of ones shows F, up to 2 T u. That h
    follows c shows from the smallest normal numbers, as tanh(c) is c there; of a subnormal h three
    bits are asked for, since a quotient of polynomials loses others.
    """
    keeping = _keeping(case)
    if implementation.supports.lacking_for(keeping):
        return 0.0
    assert keeping.c_0 is not None
    numbers = np.resize(1 + np.abs(case.input.astype(np.float64)).ravel() % 1, keeping.c_0.shape)
    numbers = numbers * np.where(np.arange(numbers.size).reshape(numbers.shape) % 2, -1, 1)
    smallest = _smallest_normal(case.dtype)

    def kept(scale: float) -> tuple[Array, Result]:
        c_0 = _times(numbers.astype(case.dtype.numpy), scale)
        return c_0.astype(np.float64), run(implementation, replace(keeping, c_0=c_0))

    returned, u = implementation.supports.results, case.dtype.unit_roundoff
    room = 2 * case.seq_len * case.dtype.subnormal
    rest = kept(0.0)[1].c_n.astype(np.float64)
    ones = run(implementation, replace(keeping, c_0=np.ones_like(keeping.c_0)))
    lost = np.abs(ones.c_n.astype(np.float64) - 1) + np.abs(rest) + 4 * case.seq_len * u
    c_0, result = kept(_tiny(case.dtype) / 2)
    share = 0.0
    if "c_n" in returned:
        allowed = lost * np.abs(c_0) + 2 * np.abs(rest) + room
        share = close("c_n", result.c_n, c_0, allowed)
    if "h_n" in returned:
        normal, of_normal = kept(16 * smallest)
        size = case.configuration.output_size
        off = np.abs(of_normal.h_n.astype(np.float64) - normal[..., :size])
        if (off <= 16 * case.seq_len * u * np.abs(normal[..., :size]) + 4 * room).all():
            allowed = np.abs(c_0[..., :size]) / 8 + 4 * room
            share = max(share, close("h_n", result.h_n, c_0[..., :size], allowed))
    return share


def _keeping(case: Case) -> Case:
    """Make a network with the options and sizes of `case` in which c stays what it is."""
    configuration = replace(case.configuration, bias=True)
    hidden, size = configuration.hidden_size, configuration.output_size
    gates = np.repeat([-OPEN, OPEN, 0, OPEN], hidden).astype(case.dtype.numpy)
    parameters = {}
    for name, shape in configuration.parameter_shapes().items():
        parameters[name] = np.zeros(shape, case.dtype.numpy)
        if name.startswith("bias_ih"):
            parameters[name] = gates
        if name.startswith("weight_hr"):
            parameters[name] = np.eye(size, hidden).astype(case.dtype.numpy)
    return with_zero_states(replace(case, configuration=configuration, parameters=parameters))
