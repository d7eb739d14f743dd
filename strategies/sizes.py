"""Strategies for sizes: mostly small, seldom equal, sometimes where kernels switch paths."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from strategies.options import Bounds, one_of

KERNEL_SIZES = (7, 8, 9, 15, 16, 17, 31, 32, 33)
"""Multiples of the widths in which kernels work, and the sizes one above and one below these."""

FEATURES: Mapping[int, int] = {
    **dict(enumerate((20, 45, 65, 60, 60, 55), start=1)),
    **dict.fromkeys(KERNEL_SIZES, 1),
}
"""The relative frequency of each ``input_size`` and ``hidden_size``."""

BATCH_SIZES: Mapping[int, int] = {
    **dict(enumerate((8, 15, 50, 70, 65, 60, 50))),
    **dict.fromkeys(KERNEL_SIZES, 1),
}
"""The relative frequency of each batch size."""

LAYERS: Mapping[int, int] = {1: 28, 2: 18, 3: 11, 4: 2, 5: 1}
"""The relative frequency of each ``num_layers``."""

STEPS: Mapping[int, int] = {
    **dict(enumerate((12, 30, 36, 34, 30, 24, 18, 16), start=1)),
    **dict.fromkeys((9, 12, 16, 17, 24, 33, 48, 64), 2),
}
"""The relative frequency of each sequence length."""

WORK = 288
"""The limit on ``hidden_size`` times steps, and times rows, so that no case takes seconds."""


def sizes(name: str, frequencies: Mapping[int, int], bounds: Bounds) -> SearchStrategy[int]:
    """Draw sizes within `bounds`, each with its relative frequency; shrinks to the smallest.

    If no size within `bounds` has a frequency, all sizes within them are equally likely.
    """
    low, high = bounds
    table = [
        size
        for size in sorted(frequencies)
        if low <= size <= high
        for _ in range(frequencies[size])
    ]
    return one_of(name, table) if table else st.integers(low, high)


def apart(size: int, taken: Collection[int], bounds: Bounds) -> int:
    """Find the largest size within `bounds` and up to `size` that is not `taken`, else `size`.

    A larger size is never returned, so that shrinking what was drawn shrinks the case.
    """
    return next((left for left in range(size, bounds[0] - 1, -1) if left not in taken), size)


def affordable(size: int, hidden_size: int, bounds: Bounds) -> int:
    """Reduce `size` if it and `hidden_size` are both large, but not below `bounds`."""
    return max(bounds[0], min(size, WORK // hidden_size))
