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
    """A floating-point type.

    - `name`, `numpy`: NumPy's name of the type, and the type;
    - `unit_roundoff`: the largest relative error of one rounding to the type, u;
    - `accumulation`: the unit roundoff with which sums of products are accumulated: u itself, but
      that of float32 for the 16-bit types;
    - `subnormal`, `largest`: the smallest positive and the largest finite number.
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
        """The unit roundoff of :attr:`wide`, which is u on machines without a wider long double."""
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
"""Every dtype of cases, by NumPy's name; failures are easiest to read in the first ones."""


def wide(array: Any, dtype: DType) -> np.ndarray[Any, np.dtype[Any]]:
    """Convert `array`, exactly, to the type in which the reference computes for `dtype`."""
    return np.asarray(array).astype(dtype.wide)
