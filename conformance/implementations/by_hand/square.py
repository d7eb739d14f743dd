"""Cases of any sizes for an LSTM whose input has as many features as a state.

Such an LSTM, of n features, computes a case of fewer inputs or hidden units as well: where the case
has none, everything is zero. A unit whose weights, biases and states are zero stays at h = c = 0,
and adds exact zeros to every sum, so that bounds hold as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from reference import Array, Case, Configuration, Result

Axes = Mapping[int, tuple[int, bool]]
"""For each axis that is resized, in how many equal parts, and whether these are input features."""

OF_INPUT: Axes = {-1: (1, True)}
OF_STATE: Axes = {-1: (1, False)}


def wide(c: Configuration) -> Configuration:
    """Return the configuration with as many inputs as hidden units, the larger of both."""
    size = max(c.input_size, c.hidden_size)
    return replace(c, input_size=size, hidden_size=size)


def widened(case: Case) -> Case:
    """Fill `case` up with zeros to one of the :func:`wide` configuration."""
    c = wide(case.configuration)
    parameters = {k: _resized(a, _axes(k, c), c) for k, a in case.parameters.items()}
    x = _resized(case.input, OF_INPUT, c)
    states = (case.h_0, case.c_0)
    h_0, c_0 = (None if each is None else _resized(each, OF_STATE, c) for each in states)
    return replace(case, configuration=c, parameters=parameters, input=x, h_0=h_0, c_0=c_0)


def resized_results(result: Result, to: Configuration) -> Result:
    """Fill a result, or cotangents, up with zeros, or cut it, to the sizes of `to`."""
    output = _resized(result.output, {-1: (to.num_directions, False)}, to)
    h_n, c_n = (_resized(each, OF_STATE, to) for each in (result.h_n, result.c_n))
    return Result(output, h_n, c_n, result.devices)


def resized_gradients(found: Mapping[str, Array], to: Configuration) -> dict[str, Array]:
    """Cut gradients, by PyTorch's names, to the sizes of `to`."""
    return {name: _resized(array, _axes(name, to), to) for name, array in found.items()}


def _axes(name: str, c: Configuration) -> Axes:
    """Return which axes of an argument or a parameter are resized."""
    if name == "input":
        return OF_INPUT
    if name in ("h_0", "c_0"):
        return OF_STATE
    gates = {0: (4, False)}
    if name.startswith("weight_ih_l0"):
        return {**gates, 1: (1, True)}
    if name.startswith("weight_ih"):
        return {**gates, 1: (c.num_directions, False)}
    return {**gates, 1: (1, False)} if name.startswith("weight") else gates


def _resized(array: Array, axes: Axes, to: Configuration) -> Array:
    for axis, (count, of_input) in axes.items():
        size = to.input_size if of_input else to.hidden_size
        parts = [_one(part, axis, size) for part in np.split(array, count, axis)]
        array = np.concatenate(parts, axis)
    return array


def _one(part: Array, axis: int, size: int) -> Array:
    shape = list(part.shape)
    shape[axis] = max(0, size - shape[axis])
    filled = np.concatenate([part, np.zeros(shape, part.dtype)], axis)
    return filled.take(range(size), axis)
