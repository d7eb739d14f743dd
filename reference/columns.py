"""Error sources as columns of matrices (N, n, sources), one for each row of the batch.

A column is what its source does to n quantities; in interval arithmetic each matrix is a zonotope.
"""

from __future__ import annotations

import numpy as np

from reference.case import Array


def diagonals(rows: Array) -> Array:
    """(N, n) as (N, n, n) diagonal matrices: a source for each element."""
    return rows[..., None] * np.eye(rows.shape[-1])


def spread(columns: Array) -> Array:
    """How far the sources of `columns` reach together, (N, n)."""
    reach: Array = np.abs(columns).sum(axis=-1)
    return reach


def joined(columns: Array, fresh: Array | int) -> Array:
    """`columns` with a source for each element of `fresh` (N, n), or with so many idle ones."""
    if isinstance(fresh, int):
        return np.concatenate([columns, np.zeros((*columns.shape[:-1], fresh))], axis=-1)
    return np.concatenate([columns, diagonals(fresh)], axis=-1)
