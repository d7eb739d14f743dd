"""The floating-point types and their roundoffs."""

import ml_dtypes
import numpy as np
import pytest

from reference import DTYPES
from reference.dtypes import wide

EXPECTED = {
    "float64": (np.float64, -53, -53, -1074),
    "float32": (np.float32, -24, -24, -149),
    "float16": (np.float16, -11, -24, -24),
    "bfloat16": (ml_dtypes.bfloat16, -8, -24, -133),
}
"""NumPy's scalar, and the powers of two of u, u_acc and the smallest positive number."""


def test_dtypes_are_four() -> None:
    """float64 first, as the simplest to read."""
    assert list(DTYPES) == list(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_dtype_knows_its_arithmetic(name: str) -> None:
    """Roundoffs and the smallest number are those of IEEE 754 and of bfloat16."""
    scalar, unit_roundoff, accumulation, subnormal = EXPECTED[name]
    dtype = DTYPES[name]
    assert (dtype.name, dtype.numpy) == (name, np.dtype(scalar))
    assert dtype.unit_roundoff == 2.0**unit_roundoff
    assert dtype.accumulation == 2.0**accumulation
    assert dtype.subnormal == 2.0**subnormal
    assert dtype.largest == float(ml_dtypes.finfo(scalar).max)


@pytest.mark.parametrize("name", EXPECTED)
def test_unit_roundoff_is_half_the_gap_above_one(name: str) -> None:
    """1 + u rounds to even, which is 1, and 1 + 3 u to 1 + 4 u."""
    dtype = DTYPES[name]
    one, u = np.longdouble(1), np.longdouble(dtype.unit_roundoff)
    assert (one + 3 * u).astype(dtype.numpy).astype(float) == 1 + 4 * dtype.unit_roundoff
    assert (one + u).astype(dtype.numpy).astype(float) == 1


@pytest.mark.parametrize("name", EXPECTED)
def test_wide_keeps_every_number(name: str) -> None:
    """The wider type has no larger unit roundoff and holds the narrow numbers exactly."""
    dtype = DTYPES[name]
    assert dtype.wide_roundoff <= dtype.unit_roundoff
    numbers = np.array([dtype.subnormal, dtype.largest, 1 / 3, -0.0]).astype(dtype.numpy)
    widened = wide(numbers, dtype)
    assert widened.dtype == dtype.wide
    np.testing.assert_array_equal(widened.astype(dtype.numpy), numbers)
