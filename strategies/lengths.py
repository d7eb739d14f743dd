"""A strategy for the lengths of the rows of a batch."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument
from hypothesis.strategies import SearchStrategy

from reference import Array

CODES = 2**23
"""Half of the largest number of codes; in a larger range small integers are drawn too often."""


def lengths(*, seq_len: int, batch_size: int) -> SearchStrategy[Array]:
    """Draw the lengths of `batch_size` rows, of which at least one is `seq_len`.

    They are an int64 array (batch_size,) of numbers in [1, `seq_len`], half of the time in falling
    order, else in any. A code of 24 bits holds the lengths of the first rows; those of further rows
    repeat them. Lengths shrink towards `seq_len`, and to falling order. Raises
    :class:`InvalidArgument` for sizes below 1: an empty batch does not have a longest row.
    """
    if seq_len < 1 or batch_size < 1:
        raise InvalidArgument(f"{seq_len=} and {batch_size=} must be at least 1")
    digits = 1
    while digits < batch_size and seq_len ** (digits + 1) <= CODES:
        digits += 1
    powers = seq_len ** (np.arange(batch_size, dtype=np.int64) % digits)

    codes = seq_len**digits

    def decode(code: int) -> Array:
        missing = code // powers % seq_len
        valid: Array = seq_len - (missing - missing.min())
        return np.sort(valid)[::-1].copy() if code < codes else valid

    return st.integers(0, 2 * codes - 1).map(decode)
