"""A digest of cases, by which two runs show that they tried the same ones."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from reference import Case


class Digest:
    """The SHA-256 of the cases added so far, in their order; their devices do not matter."""

    def __init__(self) -> None:
        self._sum = hashlib.sha256()

    def add(self, case: Case) -> None:
        """Add the configuration, the names, dtypes and shapes of all arrays, and their bytes."""
        arrays = {
            **case.parameters,
            "input": case.input,
            "h_0": case.h_0,
            "c_0": case.c_0,
            "lengths": None if case.lengths is None else case.lengths.astype(np.int64),
        }
        given = {name: array for name, array in arrays.items() if array is not None}
        shapes = {name: (array.dtype.name, array.shape) for name, array in given.items()}
        self._sum.update(f"{case.configuration}{shapes}".encode())
        for array in given.values():
            self._sum.update(array.tobytes())

    def text(self) -> str:
        """Return the digest, 64 hexadecimal digits."""
        return self._sum.hexdigest()


def combined(digests: Iterable[str]) -> str:
    """Return the digest of `digests` in their order."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
