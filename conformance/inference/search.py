"""Finding which parameter does what: by x first, then by h, then the biases.

Parameters that are not looked at yet are zero, so that each step chooses among the 256 ways in
which four gates can use four blocks, of which 24 are orders, and never among their products.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from conformance.hand_written.expressions import Call
from conformance.inference.probing import Leaf, Prober, Returned
from conformance.inference.readings import SHAPES, Candidate, Reading, candidates, distances
from conformance.inference.schemes import Scheme, Shapes
from conformance.inference.simulation import FAULTY, LSTM, Blocks, Equations, Simulated, simulate
from conformance.inference.sizes import HIDDEN, INPUT
from reference import Array

Use = tuple[int, ...]
"""For each of the gates i, f, g, o, the block that it uses."""

ORDERS: list[Use] = list(itertools.permutations(range(4)))
USES: list[Use] = ORDERS + [
    use for use in itertools.product(range(4), repeat=4) if len(set(use)) < 4
]
KEPT = 12
"""How many right guesses are followed up; of wrong ones a quarter of that."""


@dataclass(frozen=True)
class Guess:
    """What has been found out so far, and how far off it is.

    `ih` and `hh` are uses of blocks; `biases` has for each that counts the block, or -1, and the
    factor of each gate. `turned` is whether a per-gate weight_hh is transposed. `exact` tells how
    many of the arrays that came back are explained, `error` how far off those are on average that
    could be.
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
    exact: int = 0
    error: float = np.inf

    @property
    def flaws(self) -> int:
        """How many things there are that no LSTM has."""
        uses = [use for use in (self.ih, self.hh) if use and len(set(use)) < 4]
        return len(uses) + bool(self.equations.fault) + bool(self.reading.fault)

    @property
    def rank(self) -> tuple[int, int, float, float]:
        """Smaller is better."""
        error = 0.0 if self.exact else self.error
        return -bool(self.exact), self.flaws, -self.exact if self.exact else error, self.forget_bias


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
            numbers = rng.uniform(0.1, 1, shape) * rng.choice([-1, 1], shape)
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


class Search:
    """Guesses about one class with given `shapes` of parameters, by calling it."""

    def __init__(self, prober: Prober, shapes: Shapes) -> None:
        self.prober = prober
        self.shapes = shapes
        self.numbers = Numbers.of(shapes)
        self.tolerance = 1e-9 if prober.dtype.name == "float64" else 3e-5

    def answer(self, guess: Guess, *, hh: bool, biases: Iterable[str]) -> Returned | None:
        """What comes back with random weights by x, and by h and `biases` where wanted."""
        by_h = self.numbers.hh * hh
        parameters = {name: np.zeros(self.shapes[name]) for name in guess.scheme.biases}
        for name in biases:
            parameters[name] = self.numbers.bias[name].reshape(self.shapes[name])
        weights = guess.scheme.weights(self.shapes, self.numbers.ih, by_h, guess.turned)
        values = {"input": self.numbers.inputs[guess.reading.axes]}
        if guess.call.takes_states:
            values["h_0"], values["c_0"] = self.numbers.states(guess.reading)
        return self.prober.call(guess.method, guess.call, values, parameters | weights)

    def simulated(
        self, guess: Guess, ih: Sequence[Use], hh: Sequence[Use], bias: Array
    ) -> Simulated:
        """The states of LSTMs that use blocks in these ways; `bias` is (M, 4, hidden_size)."""
        x = guess.reading.time_major(self.numbers.inputs[guess.reading.axes])
        states = [np.zeros((guess.reading.rows, HIDDEN))] * 2
        if guess.call.takes_states:
            given = self.numbers.states(guess.reading)
            states = [state.reshape(guess.reading.rows, HIDDEN) for state in given]
        forget = np.zeros((1, 4, HIDDEN))
        forget[:, 1] = guess.forget_bias
        by_h = self.numbers.hh[np.array(hh)] if hh else np.zeros((1, 4, HIDDEN, HIDDEN))
        return simulate(
            x, states, Blocks(self.numbers.ih[np.array(ih)], by_h, bias + forget), guess.equations
        )

    def scored(self, guess: Guess, returned: Returned, simulated: Simulated) -> tuple[Array, Array]:
        """For each LSTM simulated: how many leaves it explains, and its distance from them."""
        explained, off = self._leaves(guess, returned.leaves, simulated)
        if not explained.any():
            others = self._leaves(guess, returned.modules, simulated)
            if others[0].any() or not np.isfinite(off).any():
                return others
        return explained, off

    def _leaves(
        self, guess: Guess, leaves: Sequence[Leaf], simulated: Simulated
    ) -> tuple[Array, Array]:
        count = len(simulated.h)
        explained, off = np.zeros(count, int), []
        for leaf in leaves:
            found = [
                distances(leaf, candidate)
                for candidate in candidates(guess.reading, simulated, leaf)
            ]
            if found:
                nearest = np.min(found, axis=0)
                explained += nearest <= self.tolerance
                off.append(nearest)
        return explained, np.mean(off, axis=0) if off else np.full(count, np.inf)

    def by_x(self, guess: Guess, faulty: bool) -> Iterator[Guess]:
        """Guesses of how the gates use what the input is multiplied with.

        Where the equations of the LSTM explain nothing, `faulty` ones are tried.
        """
        returned = self.answer(guess, hh=False, biases=())
        if returned is None:
            return
        found = False
        for equations, forget_bias in itertools.product((LSTM, *FAULTY), (0.0, 1.0)):
            if equations is not LSTM and (found or not faulty):
                return
            here = replace(guess, forget_bias=forget_bias, equations=equations)
            simulated = self.simulated(here, USES, (), np.zeros((1, 4, HIDDEN)))
            explained, off = self.scored(here, returned, simulated)
            found |= equations is LSTM and bool(explained[: len(ORDERS)].any())
            for n in _best(explained, off):
                yield replace(here, ih=USES[n], exact=int(explained[n]), error=float(off[n]))

    def by_h(self, guess: Guess) -> Iterator[Guess]:
        """The same for what the hidden state is multiplied with."""
        per_gate = len(guess.scheme.hh) == 4
        for turned in (None, not guess.scheme.transposed)[: 1 + per_gate]:
            here = replace(guess, turned=turned)
            returned = self.answer(here, hh=True, biases=())
            if returned is None:
                continue
            alternatives = FAULTY if guess.exact and guess.equations is LSTM else ()
            for equations in (guess.equations, *alternatives):
                here = replace(here, equations=equations)
                simulated = self.simulated(here, [guess.ih], USES, np.zeros((1, 4, HIDDEN)))
                explained, off = self.scored(here, returned, simulated)
                for n in _best(explained, off):
                    yield replace(here, hh=USES[n], exact=int(explained[n]), error=float(off[n]))
                if explained.any():
                    break

    def bias(self, guess: Guess, name: str) -> Iterator[Guess]:
        """The same for one bias: the gates that use it, or its blocks, and how often."""
        returned = self.answer(guess, hh=True, biases=[name])
        if returned is None:
            return
        added = np.stack(list(additions(self.numbers.bias[name])))
        simulated = self.simulated(guess, [guess.ih], [guess.hh], added)
        explained, off = self.scored(guess, returned, simulated)
        found = list(_best(explained, off))
        for n in found[: 1 if guess.exact else None]:
            biases = {**guess.biases, name: added[n]}
            yield replace(
                guess,
                biases=biases,
                exact=min(guess.exact, int(explained[n])),
                error=max(guess.error, float(off[n])),
            )

    def whole(self, guess: Guess) -> Guess:
        """`guess` with its error where nothing is zero."""
        names = list(guess.biases)
        returned = self.answer(guess, hh=True, biases=names)
        if returned is None:
            return replace(guess, exact=0, error=np.inf)
        explained, off = self.scored(guess, returned, self.right(guess))
        return replace(guess, exact=int(explained[0]), error=float(off[0]))

    def right(self, guess: Guess) -> Simulated:
        """What `guess` says that comes back where nothing is zero."""
        bias = sum(guess.biases.values(), np.zeros((4, HIDDEN)))
        return self.simulated(guess, [guess.ih], [guess.hh], bias[None])

    def named(self, guess: Guess, leaf: Leaf) -> list[Candidate]:
        """What `leaf` of an answer to :meth:`whole` is, the nearest first."""
        found = candidates(guess.reading, self.right(guess), leaf)
        return sorted(found, key=lambda each: (float(distances(leaf, each)[0]), each.fault))


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


def _best(explained: Array, off: Array) -> Iterator[int]:
    """Places of all that explain most, or of the nearest few if nothing explains anything."""
    if explained.any():
        yield from np.flatnonzero(explained == explained.max())[:KEPT]
    else:
        yield from np.argsort(off, kind="stable")[: KEPT // 4]


def best(guesses: Iterable[Guess]) -> list[Guess]:
    """The guesses worth following, the best first."""
    ranked = sorted(guesses, key=lambda guess: guess.rank)
    if ranked and ranked[0].exact:
        return [guess for guess in ranked if guess.exact][:KEPT]
    return ranked[: KEPT // 4]
