"""The floating-point types an LSTM is computed in, and what the rounding model assumes of each.

The model is the standard one of rounding-error analysis (N. J. Higham, Accuracy and Stability of
Numerical Algorithms, 2nd edition, SIAM 2002, section 2.2): each basic operation is correct up to a
factor 1 + d with |d| <= u, plus at most half the smallest subnormal number on underflow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np


@dataclass(frozen=True)
class DType:
    """One floating-point type.

    ``unit_roundoff`` (u) is the relative error of one rounding to the type. ``accumulation`` is
    the unit roundoff in which sums of products are accumulated: u itself, but float32's for the
    16-bit types. ``subnormal`` is the smallest positive number, ``largest`` the largest finite one.
    """

    name: str
    numpy: np.dtype[Any]
    unit_roundoff: float
    accumulation: float
    subnormal: float
    largest: float

    @property
    def wide(self) -> np.dtype[Any]:
        """The wider type in which the reference works: float64, and long double for float64."""
        return np.dtype(np.longdouble if self.name == "float64" else np.float64)

    @property
    def wide_roundoff(self) -> float:
        """Unit roundoff of :attr:`wide`; equals u where long double is no wider than double."""
        return float(np.finfo(self.wide).eps) / 2


def _dtype(scalar: Any, accumulation: float | None = None) -> DType:
    info: Any = ml_dtypes.finfo(scalar)  # type: ignore[no-untyped-call]
    unit_roundoff = float(info.eps) / 2
    return DType(
        name=np.dtype(scalar).name,
        numpy=np.dtype(scalar),
        unit_roundoff=unit_roundoff,
        accumulation=unit_roundoff if accumulation is None else accumulation,
        subnormal=float(info.smallest_subnormal),
        largest=float(info.max),
    )


DTYPES: dict[str, DType] = {
    dtype.name: dtype
    for dtype in (
        _dtype(np.float64),
        _dtype(np.float32),
        _dtype(np.float16, accumulation=2.0**-24),
        _dtype(ml_dtypes.bfloat16, accumulation=2.0**-24),
    )
}
"""Every type that cases are drawn in, by NumPy's name, the simplest to read first."""


def wide(array: Any, dtype: DType) -> np.ndarray[Any, np.dtype[Any]]:
    """`array` in the wider type of `dtype`, exactly."""
    return np.asarray(array).astype(dtype.wide)
