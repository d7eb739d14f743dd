"""Finding which parameter does what: by x first, then by h, then the biases.

Parameters that are not looked at yet are zero, so that each step chooses among the 256 ways in
which four gates can use four blocks, of which 24 are orders, and never among their products.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from conformance.inference.guess import ORDERS, USES, Guess, Numbers, Use
from conformance.inference.probing import Leaf, Prober, Returned
from conformance.inference.readings import Candidate, candidates, distances
from conformance.inference.schemes import Shapes
from conformance.inference.simulation import FAULTY, LSTM, Blocks, Simulated, simulate
from conformance.inference.sizes import HIDDEN
from reference import Array

KEPT = 12
"""How many right guesses are followed up; of wrong ones a quarter of that."""


class Search:
    """Guesses about one class with given `shapes` of parameters, by calling it."""

    def __init__(self, prober: Prober, shapes: Shapes) -> None:
        self.prober = prober
        self.shapes = shapes
        self.numbers = Numbers.of(shapes)
        self.tolerance = 1e-9 if prober.dtype.name == "float64" else 3e-5

    def in_float32(self) -> Search:
        """The same search in float32, as which many make states where none are given."""
        return Search(self.prober.in_float32(), self.shapes)

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
        values = {name: guess.reading.turned(array) for name, array in values.items()}
        return self.prober.call(guess.method, guess.call, values, parameters | weights)

    def simulated(
        self,
        guess: Guess,
        ih: Sequence[Use],
        hh: Sequence[Use],
        bias: Array,
        states: Sequence[Array] = (),
    ) -> Simulated:
        """The states of LSTMs that use blocks in these ways; `bias` is (M, 4, hidden_size).

        They start from `states`, by default what is given, or zeros.
        """
        x = guess.reading.time_major(self.numbers.inputs[guess.reading.axes])
        states = states or [np.zeros((guess.reading.rows, HIDDEN))] * 2
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
        """The same for one bias, where all else is right: what it adds, or that it does not."""
        returned = self.answer(guess, hh=True, biases=[name])
        if returned is None:
            return
        added = np.stack(list(additions(self.numbers.bias[name])))
        simulated = self.simulated(guess, [guess.ih], [guess.hh], added)
        explained, off = self.scored(guess, returned, simulated)
        if not explained.any():
            yield self._no_bias(guess, name, returned)
            return
        n = next(_best(explained, off))
        biases = {**guess.biases, name: added[n]}
        yield replace(guess, biases=biases, exact=min(guess.exact, int(explained[n])))

    def _no_bias(self, guess: Guess, name: str, returned: Returned) -> Guess:
        """What a parameter of the shape of a bias is, if it is none."""
        numbers = self.numbers.bias[name]
        if numbers.size == HIDDEN and not guess.call.takes_states:
            for place, state in enumerate("hc"):
                states = [
                    numbers * (place == n) + np.zeros((guess.reading.rows, 1)) for n in (0, 1)
                ]
                simulated = self.simulated(
                    guess, [guess.ih], [guess.hh], np.zeros((1, 4, HIDDEN)), states
                )
                if self.scored(guess, returned, simulated)[0].any():
                    return replace(guess, initial={**guess.initial, name: state})
        return replace(guess, unexplained=(*guess.unexplained, name))

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
