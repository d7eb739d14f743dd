"""Strategies for sizes: mostly small, seldom equal, sometimes where kernels switch paths."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from operator import add

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from reference import Configuration
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

REAL: Mapping[int, int] = {
    **dict.fromkeys((1, 2, 34, 50, 100, 200, 300, 600, 650, 1000), 1),
    **dict.fromkeys(
        (
            multiple + off
            for multiple in (16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
            for off in (-1, 0, 1)
        ),
        3,
    ),
    **dict.fromkeys((2047, 2048), 1),
}
"""The relative frequency of each size of networks that are really used, steps and rows included.

Most are multiples of the widths of tiles, vectors and blocks, or one off them.
"""

REAL_LAYERS: Mapping[int, int] = {1: 4, 2: 4, 3: 3, 4: 3, 5: 1, 6: 2, 8: 2, 12: 2}
"""The relative frequency of each ``num_layers`` of networks that are really used."""

MOST_WEIGHTS = 2**20
"""The limit on ``hidden_size`` times ``input_size`` in networks that are really used."""

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
    # from 0 on, as versions of Hypothesis differ in how they read an integer from another number on
    return one_of(name, table) if table else st.integers(0, high - low).map(partial(add, low))


def apart(size: int, taken: Collection[int], bounds: Bounds) -> int:
    """Find the largest size within `bounds` and up to `size` that is not `taken`, else `size`.

    A larger size is never returned, so that shrinking what was drawn shrinks the case.
    """
    return next((left for left in range(size, bounds[0] - 1, -1) if left not in taken), size)


def affordable(size: int, hidden_size: int, bounds: Bounds) -> int:
    """Reduce `size` if it and `hidden_size` are both large, but not below `bounds`."""
    return max(bounds[0], min(size, WORK // hidden_size))


def affordable_rows(
    configuration: Configuration, steps: int, rows: int, work: int, least: tuple[int, int]
) -> tuple[int, int]:
    """Reduce `steps` and `rows` until the products take `work` multiplications or fewer.

    Neither goes below its `least`, and that with the larger one goes last.
    """
    features = configuration.output_size
    upper = (configuration.num_layers - 1) * (configuration.num_directions + 1) * features
    width = configuration.input_size + features + upper
    each = 4 * configuration.hidden_size * width * configuration.num_directions
    sizes = [steps, rows]
    for axis in np.argsort(least).tolist():
        sizes[axis] = max(least[axis], min(sizes[axis], work // (each * max(1, sizes[1 - axis]))))
    return sizes[0], sizes[1]
