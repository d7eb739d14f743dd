"""Sizes: mostly small, seldom equal, and now and then where kernels switch paths."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from strategies.options import Bounds, one_of

KERNEL_SIZES = (7, 8, 9, 15, 16, 17, 31, 32, 33)
"""Multiples of the widths in which kernels work, and one off them."""

FEATURES: Mapping[int, int] = {
    **dict(enumerate((20, 45, 65, 60, 60, 55), start=1)),
    **dict.fromkeys(KERNEL_SIZES, 1),
}
"""How often each ``input_size`` and ``hidden_size`` is drawn."""

BATCH_SIZES: Mapping[int, int] = {
    **dict(enumerate((8, 15, 50, 70, 65, 60, 50))),
    **dict.fromkeys(KERNEL_SIZES, 1),
}
"""How often each batch size is drawn."""

LAYERS: Mapping[int, int] = {1: 28, 2: 18, 3: 11, 4: 2, 5: 1}
"""How often each ``num_layers`` is drawn."""

STEPS: Mapping[int, int] = {
    **dict(enumerate((12, 30, 36, 34, 30, 24, 18, 16), start=1)),
    **dict.fromkeys((9, 12, 16, 17, 24, 33, 48, 64), 2),
}
"""How often each sequence length is drawn."""

WORK = 288
"""What ``hidden_size`` times steps, or times rows, is cut to, so that no case takes seconds."""


def sizes(name: str, frequencies: Mapping[int, int], bounds: Bounds) -> SearchStrategy[int]:
    """Sizes within `bounds`, each as often as `frequencies` says.

    Where `bounds` exclude every size that has a frequency, all sizes within them are as likely.
    Shrinks to the smallest.
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
    """The largest size up to `size` that is not `taken`; `size` itself if there is none in bounds.

    Never more than `size`: what was drawn, which shrinks, is then what a case needs.
    """
    return next((left for left in range(size, bounds[0] - 1, -1) if left not in taken), size)


def affordable(size: int, hidden_size: int, bounds: Bounds) -> int:
    """`size`, or less if it and `hidden_size` are both large, but never below `bounds`."""
    return max(bounds[0], min(size, WORK // hidden_size))
