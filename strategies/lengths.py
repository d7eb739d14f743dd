"""Lengths of the rows of a batch."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument
from hypothesis.strategies import SearchStrategy

from reference import Array

CODES = 2**24
"""How many codes of lengths there may be; Hypothesis prefers small integers in larger ranges."""


def lengths(*, seq_len: int, batch_size: int) -> SearchStrategy[Array]:
    """Lengths of `batch_size` rows: int64 in [1, `seq_len`], in any order, the largest `seq_len`.

    They repeat themselves after 24 bits' worth of rows. Shrinks towards full rows. Raises
    :class:`InvalidArgument` for sizes that are not positive: an empty batch has no longest row.
    """
    if seq_len < 1 or batch_size < 1:
        raise InvalidArgument(f"{seq_len=} and {batch_size=} must be at least 1")
    digits = 1
    while digits < batch_size and seq_len ** (digits + 1) <= CODES:
        digits += 1
    powers = seq_len ** (np.arange(batch_size, dtype=np.int64) % digits)

    def decode(code: int) -> Array:
        missing = code // powers % seq_len
        valid: Array = seq_len - (missing - missing.min())
        return valid

    return st.integers(0, seq_len**digits - 1).map(decode)
