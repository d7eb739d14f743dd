"""Strided arrays: sliced, expanded or transposed ones, whose memory has gaps or overlaps."""

from __future__ import annotations

import numpy as np

from reference import Array


def forwards(array: Array) -> Array:
    """Return `array`, or a dense copy if a stride is negative: torch has no negative strides."""
    return np.ascontiguousarray(array) if min(array.strides, default=0) < 0 else array


def steps(array: Array) -> tuple[int, ...]:
    """Give the strides of `array` in elements, as torch counts them; NumPy counts bytes."""
    return tuple(stride // array.itemsize for stride in array.strides)


def storage(array: Array, strides: tuple[int, ...]) -> Array:
    """Lay `array` out with `strides`, in bytes, in new flat memory, and fill the gaps with zeros.

    The elements along an axis of stride 0, as of an expanded tensor, share one place in memory.
    """
    # the byte at which the last element starts, from which the size of the memory follows
    last = sum((size - 1) * stride for size, stride in zip(array.shape, strides, strict=True))
    memory = np.zeros(last // array.itemsize + 1 if array.size else 0, array.dtype)
    np.lib.stride_tricks.as_strided(memory, array.shape, strides)[...] = array
    return memory
