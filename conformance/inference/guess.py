"""What has been found out about an unknown class, and the numbers that it is tried with."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from conformance.implementations.by_hand.expressions import Call
from conformance.inference.readings import SHAPES, Reading
from conformance.inference.schemes import Scheme, Shapes
from conformance.inference.simulation import LSTM, Equations
from conformance.inference.sizes import HIDDEN, INPUT
from reference import Array

Use = tuple[int, ...]
"""For each of the gates i, f, g, o, the block that it uses."""

ORDERS: list[Use] = list(itertools.permutations(range(4)))
USES: list[Use] = ORDERS + [
    use for use in itertools.product(range(4), repeat=4) if len(set(use)) < 4
]


@dataclass(frozen=True)
class Guess:
    """What has been found out so far, and how far off it is.

    `ih` and `hh` are uses of blocks; `biases` has what each adds to the gates, (4, hidden_size),
    `initial` those that are an initial h or c, and `unexplained` those that do something else.
    `turned` is whether a per-gate weight_hh is
    transposed. `exact` tells how many of the arrays that came back are explained, of `total` that
    have the shape of something that an LSTM returns and of `returned` in all, and `error` how far
    off these `total` are on average.
    """

    scheme: Scheme
    method: str
    call: Call
    reading: Reading
    equations: Equations = LSTM
    forget_bias: float = 0.0
    ih: Use = ()
    hh: Use = ()
    turned: bool | None = None
    biases: Mapping[str, Array] = field(default_factory=dict)
    initial: Mapping[str, str] = field(default_factory=dict)
    unexplained: tuple[str, ...] = ()
    exact: int = 0
    total: int = 0
    returned: int = 0
    error: float = np.inf

    @property
    def whole(self) -> bool:
        """Whether everything that came back in the shape of an LSTM's results is explained."""
        return 0 < self.total <= self.exact

    @property
    def complete(self) -> bool:
        """Whether everything that came back is explained."""
        return self.whole and self.returned <= self.exact

    @property
    def flaws(self) -> int:
        """How many things there are that no LSTM has."""
        uses = [use for use in (self.ih, self.hh) if use and len(set(use)) < 4]
        return len(uses) + bool(self.equations.fault) + bool(self.reading.fault)

    @property
    def rank(self) -> tuple[int, int, int, float, float]:
        """Smaller is better; the error counts where nothing is explained."""
        error = 0.0 if self.exact else self.error
        return -self.exact, self.flaws, -self.total, error, self.forget_bias

    def plain(self, numbers: Numbers) -> Guess:
        """The same, with everything else used in the order in which the weights by x are.

        What to assume of a class that nothing explains.
        """
        biases = {}
        for place, name in enumerate(self.scheme.biases):
            bias = numbers.bias[name]
            if bias.size == HIDDEN:
                biases[name] = np.outer(np.array(self.ih) == place % 4, bias)
            else:
                biases[name] = bias.reshape(4, HIDDEN)[list(self.ih)]
        return replace(
            self, hh=self.ih, biases=biases, unexplained=(), equations=LSTM, forget_bias=0.0
        )


@dataclass(frozen=True, eq=False)
class Numbers:
    """The random numbers that an unknown class is filled with and called with."""

    ih: Array
    hh: Array
    bias: Mapping[str, Array]
    inputs: Mapping[int, Array]
    seed: int

    @classmethod
    def of(cls, shapes: Shapes, seed: int = 1) -> Numbers:
        """Uniform in (-1, 1) and not near zero, exact in float32."""
        rng = np.random.default_rng(seed)

        def some(*shape: int) -> Array:
            numbers: Array = rng.uniform(0.1, 1, shape) * rng.choice([-1, 1], shape)
            return numbers.astype(np.float32).astype(np.float64)

        return cls(
            some(4, HIDDEN, INPUT),
            some(4, HIDDEN, HIDDEN),
            {name: some(int(np.prod(shape))) for name, shape in shapes.items()},
            {axes: 2 * some(*shape) for axes, shape in SHAPES.items()},
            seed,
        )

    def states(self, reading: Reading) -> tuple[Array, Array]:
        """h_0 and c_0 for a reading."""
        rng = np.random.default_rng(self.seed + 100)
        h, c = rng.uniform(0.1, 1, (2, *reading.state_shape())).astype(np.float32)
        return h.astype(np.float64), -2 * c.astype(np.float64)


def additions(bias: Array) -> Iterator[Array]:
    """What a bias can add to the four gates, each (4, hidden_size), the right ones first.

    As a stacked one its blocks in every way, once, twice and not at all; as that of one gate
    itself to any of them, once or twice.
    """
    if bias.size == 4 * HIDDEN:
        blocks = bias.reshape(4, HIDDEN)
        for factor in (1, 2):
            yield from (factor * blocks[list(use)] for use in USES)
    else:
        chosen = sorted(itertools.product((0, 1), repeat=4), key=sum)[1:]
        for factor in (1, 2):
            yield from (factor * np.outer(which, bias) for which in chosen)
    yield np.zeros((4, HIDDEN))
