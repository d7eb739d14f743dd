"""A case as an implementation is given it, and may not alter it.

The truth is computed from the same arrays: an implementation that altered them would change what is
true, by accident where a kernel writes into the memory of its arguments.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from conformance.implementations.failures import Misbehaviour
from reference import Array, Case, Result


@contextlib.contextmanager
def handed(case: Case, cotangents: Result | None = None) -> Iterator[Case]:
    """Yield `case` for the implementation: a copy that has views of the same arrays.

    Puts back what was written into the arrays, or into those of `cotangents`. Raises
    :class:`Misbehaviour` that names them, if nothing else is raised.
    """
    arrays = {**case.parameters, **case.arguments(), "lengths": case.lengths}
    arrays |= {} if cotangents is None else {f"cotangent {n}": a for n, a in cotangents.items()}
    before = {
        name: (array, array.tobytes())
        for name, array in arrays.items()
        if isinstance(array, np.ndarray)
    }
    raised = True
    try:
        yield _of_views(case)
        raised = False
    finally:
        altered = [name for name, each in before.items() if _put_back(*each)]
        if altered and not raised:
            raise Misbehaviour(f"altered {', '.join(altered)} of the case that it was given")


def _of_views(case: Case) -> Case:
    def view(value: Any) -> Any:
        return value.view() if isinstance(value, np.ndarray) else value

    given = copy.copy(case)
    parts = {name: view(value) for name, value in vars(case).items()}
    parts["parameters"] = {name: view(value) for name, value in case.parameters.items()}
    vars(given).update(parts)
    return given


def _put_back(array: Array, numbers: bytes) -> bool:
    """Return whether `array` no longer holds these `numbers`, and let it hold them again."""
    if array.tobytes() == numbers:
        return False
    array[...] = np.frombuffer(numbers, array.dtype).reshape(array.shape)
    return True
