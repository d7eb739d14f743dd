"""The sizes and the random numbers with which an unknown class is tried."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reference import Array

INPUT, HIDDEN, EXTRA = 3, 5, 7
"""The features of the input, of a state, and of whatever else a constructor asks for.

All sizes differ, so that the shape of an array identifies its axes.
"""

FIRST, SECOND = 4, 6
"""The two leading axes of a batched input, of which one is time."""

STACKED = 4 * HIDDEN

INPUTS = {3: (FIRST, SECOND, INPUT), 2: (SECOND, INPUT), 1: (INPUT,)}
"""The shape of an input by its number of axes."""

Shapes = Mapping[str, tuple[int, ...]]
"""The shapes of parameters, by name."""


def merged(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Merge an axis of the four gates with the axis of units that follows it, if there is one.

    >>> merged((4, HIDDEN, INPUT)) == (STACKED, INPUT)
    True
    """
    for n, pair in enumerate(itertools.pairwise(shape)):
        if pair == (4, HIDDEN):
            return (*shape[:n], STACKED, *shape[n + 2 :])
    return shape


def split(shapes: Shapes) -> dict[str, tuple[int, ...]]:
    """Split arrays (4, ...) into four where weights are (4, features, HIDDEN), one for each gate.

    The four are to be multiplied from the right, which one array of all gates cannot be.
    """
    first = {(4, INPUT, HIDDEN), (4, INPUT + HIDDEN, HIDDEN)}
    if not first & {*shapes.values()}:
        return dict(shapes)
    found: dict[str, tuple[int, ...]] = {}
    for name, shape in shapes.items():
        parts = {f"{name}.{gate}": shape[1:] for gate in range(4)}
        found |= parts if len(shape) > 1 and shape[0] == 4 else {name: shape}
    return found


Use = tuple[int, ...]
"""For each of the gates i, f, g, o, the block that it uses."""

ORDERS: list[Use] = list(itertools.permutations(range(4)))
USES: list[Use] = ORDERS + [
    use for use in itertools.product(range(4), repeat=4) if len(set(use)) < 4
]


@dataclass(frozen=True, eq=False)
class Numbers:
    """The values of parameters and arguments, exact in float32 and not near zero.

    - `ih`, `hh`: for each layer and direction the blocks of the weights by x (4, HIDDEN, features)
      and by h (4, HIDDEN, HIDDEN), of which each gate uses one
    - `bias`: biases by name, flat, for each layer and direction
    - `inputs`: inputs by their number of axes
    - `seed`: the seed of all of these, and of the states
    """

    ih: list[Array]
    hh: list[Array]
    bias: Mapping[str, Array]
    inputs: Mapping[int, Array]
    seed: int

    @classmethod
    def of(cls, shapes: Shapes, count: int = 1, directions: int = 1, seed: int = 1) -> Numbers:
        """Draw numbers for parameters of these shapes, uniform in ±(0.1, 1).

        `shapes` are those of one layer and direction, of `count` in all.
        """
        rng = np.random.default_rng(seed)

        def some(*shape: int) -> Array:
            numbers: Array = rng.uniform(0.1, 1, shape) * rng.choice([-1, 1], shape)
            return numbers.astype(np.float32).astype(np.float64)

        features = [INPUT if n < directions else directions * HIDDEN for n in range(count)]
        return cls(
            [some(4, HIDDEN, size) for size in features],
            [some(4, HIDDEN, HIDDEN) for _ in features],
            {name: some(count, int(np.prod(shape))) for name, shape in shapes.items()},
            {axes: 2 * some(*shape) for axes, shape in INPUTS.items()},
            seed,
        )

    def states(self, shape: Sequence[int]) -> tuple[Array, Array]:
        """Draw h_0 and c_0 of this shape; their ranges differ, so that no state is the other."""
        rng = np.random.default_rng(self.seed + 100)
        h, c = rng.uniform(0.1, 1, (2, *shape)).astype(np.float32).astype(np.float64)
        return h, -2 * c


def additions(bias: Array) -> Iterator[Array]:
    """Yield everything that a bias (layers, size) can add to the gates, (layers, 4, HIDDEN).

    Right ones come first. A bias for all gates adds its blocks in any way, and a bias for one gate
    adds itself to any gates: once, twice, or not at all.
    """
    if bias.shape[1] == STACKED:
        blocks = bias.reshape(-1, 4, HIDDEN)
        once = [blocks[:, list(use)] for use in USES]
    else:
        chosen = sorted(itertools.product((0, 1), repeat=4), key=sum)[1:]
        once = [np.array(which)[:, None] * bias[:, None] for which in chosen]
    yield from once
    yield from (2 * added for added in once)
    yield np.zeros((len(bias), 4, HIDDEN))
