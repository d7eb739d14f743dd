"""Arrays whose elements are not one after another in memory, such as sliced and expanded ones."""

from __future__ import annotations

import numpy as np

from reference import Array


def forwards(array: Array) -> Array:
    """`array`, or a dense copy of one that runs backwards in memory, as no torch tensor does."""
    return np.ascontiguousarray(array) if min(array.strides, default=0) < 0 else array


def steps(array: Array) -> tuple[int, ...]:
    """The strides of `array`, in elements."""
    return tuple(stride // array.itemsize for stride in array.strides)


def storage(array: Array, strides: tuple[int, ...]) -> Array:
    """New flat memory in which `array` lies with these strides, in bytes; zeros in its gaps."""
    last = sum((size - 1) * stride for size, stride in zip(array.shape, strides, strict=True))
    memory = np.zeros(last // array.itemsize + 1 if array.size else 0, array.dtype)
    np.lib.stride_tricks.as_strided(memory, array.shape, strides)[...] = array
    return memory
