"""The sizes and the random numbers that an unknown class is tried with."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reference import Array

INPUT, HIDDEN, EXTRA = 3, 5, 7
"""Features of the input, of a state, and of whatever else a constructor asks for.

All sizes differ, so that shapes tell axes apart.
"""

FIRST, SECOND = 4, 6
"""The two leading axes of a batched input, of which one is time."""

STACKED = 4 * HIDDEN

INPUTS = {3: (FIRST, SECOND, INPUT), 2: (SECOND, INPUT), 1: (INPUT,)}
"""The shape of an input by its number of axes."""

Shapes = Mapping[str, tuple[int, ...]]
"""The shapes of parameters, by name."""

Use = tuple[int, ...]
"""For each of the gates i, f, g, o, the block that it uses."""

ORDERS: list[Use] = list(itertools.permutations(range(4)))
USES: list[Use] = ORDERS + [
    use for use in itertools.product(range(4), repeat=4) if len(set(use)) < 4
]


@dataclass(frozen=True, eq=False)
class Numbers:
    """What is put into parameters and given in a call, exact in float32 and not near zero.

    Blocks of the weights by x (4, HIDDEN, INPUT) and by h (4, HIDDEN, HIDDEN), of which each gate
    uses one; biases, flat, by name; inputs by their number of axes.
    """

    ih: Array
    hh: Array
    bias: Mapping[str, Array]
    inputs: Mapping[int, Array]
    seed: int

    @classmethod
    def of(cls, shapes: Shapes, seed: int = 1) -> Numbers:
        """Numbers for parameters of these shapes, uniform in ±(0.1, 1)."""
        rng = np.random.default_rng(seed)

        def some(*shape: int) -> Array:
            numbers: Array = rng.uniform(0.1, 1, shape) * rng.choice([-1, 1], shape)
            return numbers.astype(np.float32).astype(np.float64)

        return cls(
            some(4, HIDDEN, INPUT),
            some(4, HIDDEN, HIDDEN),
            {name: some(int(np.prod(shape))) for name, shape in shapes.items()},
            {axes: 2 * some(*shape) for axes, shape in INPUTS.items()},
            seed,
        )

    def states(self, shape: Sequence[int]) -> tuple[Array, Array]:
        """h_0 and c_0 of this shape."""
        rng = np.random.default_rng(self.seed + 100)
        h, c = rng.uniform(0.1, 1, (2, *shape)).astype(np.float32).astype(np.float64)
        return h, -2 * c


def additions(bias: Array) -> Iterator[Array]:
    """What a bias can add to the four gates, each (4, HIDDEN), the right ones first.

    As a stacked one its blocks in every way, once, twice and not at all; as that of one gate
    itself to any of them, once or twice.
    """
    if bias.size == STACKED:
        blocks = bias.reshape(4, HIDDEN)
        once = [blocks[list(use)] for use in USES]
    else:
        chosen = sorted(itertools.product((0, 1), repeat=4), key=sum)[1:]
        once = [np.outer(which, bias) for which in chosen]
    yield from once
    yield from (2 * added for added in once)
    yield np.zeros((4, HIDDEN))
