"""Classes whose input has as many features as a state, looked at as if it had fewer.

That way the shape of an array shows what it is, as in other classes. The features that are missing
are filled up with zeros.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from conformance.inference.numbers import HIDDEN, INPUT, STACKED, Shapes
from reference import Array

BY_X = re.compile(
    r"(weight_ih|(^|[._])(w|w_?x|w_?ih|ih|x2[a-z]+|i2[a-z]+|kernel|[a-z]+_x))(?!_l[1-9])(_l0|[._]|$)"
)
"""Names of weights by x of the lowest layer."""


def weights_by_x(shapes: Shapes) -> Iterator[tuple[str, ...]]:
    """Yield weights that may be those by x: of one submodule alone, then of all."""
    found = [
        name
        for name, shape in shapes.items()
        if shape in ((STACKED, HIDDEN), (HIDDEN, STACKED)) and BY_X.search(name.lower())
    ]
    modules = {name.rpartition(".")[0]: "" for name in found}
    chosen = [tuple(n for n in found if n.rpartition(".")[0] == module) for module in modules]
    yield from dict.fromkeys([*chosen, tuple(found)] if found else [])


def narrow(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of weights by x with fewer features."""
    return tuple(INPUT if size == HIDDEN else size for size in shape)


def wide(array: Array) -> Array:
    """Fill an input, or weights by x, up with features of zeros."""
    missing = [(0, HIDDEN - INPUT if size == INPUT else 0) for size in array.shape]
    return np.pad(array, missing)
