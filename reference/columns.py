"""Error sources as columns of matrices (N, n, sources), one matrix for each row of the batch.

A column is the effect of a source on n quantities. In interval arithmetic, a matrix is a zonotope.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from reference.case import Array


@lru_cache(maxsize=256)
def _identity(size: int) -> Array:
    matrix = np.eye(size)
    matrix.flags.writeable = False
    return matrix


def diagonals(rows: Array) -> Array:
    """Make diagonal matrices (N, n, n) of `rows` (N, n): a source for each element."""
    return rows[..., None] * _identity(rows.shape[-1])


def spread(columns: Array) -> Array:
    """Bound the effect of all sources in `columns` together, (N, n)."""
    reach: Array = np.abs(columns).sum(axis=-1)
    return reach


def joined(columns: Array, fresh: Array | int) -> Array:
    """Append to `columns` a source for each element of `fresh` (N, n), or `fresh` zero columns."""
    if isinstance(fresh, int):
        return np.concatenate([columns, np.zeros((*columns.shape[:-1], fresh))], axis=-1)
    return np.concatenate([columns, diagonals(fresh)], axis=-1)
