"""Finding which parameter does what: by x first, then by h, then the biases.

Parameters that are not looked at yet are zero, so that each step chooses among the 256 ways in
which four gates can use four blocks, of which 24 are orders, and never among their products.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from conformance.inference.guess import ORDERS, USES, Guess, Numbers, Use, additions
from conformance.inference.probing import Leaf, Prober, Returned
from conformance.inference.readings import Candidate, candidates, distances
from conformance.inference.schemes import Shapes
from conformance.inference.simulation import (
    FAULTY,
    LSTM,
    TWICE_FAULTY,
    Blocks,
    Equations,
    Simulated,
    simulate,
)
from conformance.inference.sizes import HIDDEN
from reference import Array

KEPT = 12
"""How many right guesses are followed up; of wrong ones a quarter of that."""


class Scored(NamedTuple):
    """For each of M LSTMs how many arrays it explains, and how far it is off on average.

    Of `total` arrays of a shape that it has, and of `returned` in all.
    """

    explained: Array
    off: Array
    total: int
    returned: int

    def best(self) -> Iterator[int]:
        """Those that explain most, or the nearest few if nothing explains anything."""
        if self.explained.any():
            yield from np.flatnonzero(self.explained == self.explained.max())[:KEPT]
        else:
            yield from np.argsort(self.off, kind="stable")[: KEPT // 4]

    def favouring(self, place: int) -> Scored:
        """The same, where one is believed unless another is more than twice as near."""
        off = self.off.copy()
        off[place] /= 2
        return self._replace(off=off)

    def all_by_one_of(self, count: int) -> bool:
        """Whether one of the first `count` explains everything."""
        return bool((self.explained[:count] >= self.total).any()) and self.total > 0

    def told(self, n: int) -> dict[str, Any]:
        """The n-th's part of a guess."""
        off = float(self.off[n])
        counts = {"exact": int(self.explained[n]), "total": self.total}
        return {**counts, "returned": self.returned, "error": off}


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

    def scored(self, guess: Guess, returned: Returned, simulated: Simulated) -> Scored:
        """How far each LSTM simulated explains what came back.

        Inputs of submodules are looked at only where nothing that was returned is explained.
        """
        scored = self._leaves(guess, returned.leaves, simulated)
        if scored.explained.any():
            return scored
        others = self._leaves(guess, returned.modules, simulated)
        if others.explained.any() or not np.isfinite(scored.off).any():
            return others._replace(total=1, returned=1)
        return scored

    def _leaves(self, guess: Guess, leaves: Sequence[Leaf], simulated: Simulated) -> Scored:
        count = len(simulated.h)
        explained, off = np.zeros(count, int), []
        for leaf in leaves:
            found = [
                distances(leaf, candidate)
                for candidate in candidates(guess.reading, simulated, leaf)
            ]
            if found:
                nearest = np.min(found, axis=0)
                explained += (nearest <= self.tolerance) & leaf.array.any()
                off.append(nearest)
        mean = np.mean(off, axis=0) if off else np.full(count, np.inf)
        return Scored(explained, mean, len(off), len(leaves))

    def by_x(self, guess: Guess, faulty: bool) -> Iterator[Guess]:
        """Guesses of how the gates use what the input is multiplied with.

        Where the equations of the LSTM explain nothing, `faulty` ones are tried, and then two
        faults at once.
        """
        returned = self.answer(guess, hh=False, biases=())
        if returned is None:
            return
        levels: list[tuple[Sequence[Equations], list[Use], Sequence[float]]]
        levels = [((LSTM,), USES, (0.0, 1.0)), (FAULTY, USES, (0.0, 1.0))]
        if not guess.reading.fault:
            levels.append((TWICE_FAULTY, ORDERS, (0.0,)))
        for level, uses, forget_biases in levels if faulty else levels[:1]:
            found = False
            for equations, forget_bias in itertools.product(level, forget_biases):
                here = replace(guess, forget_bias=forget_bias, equations=equations)
                simulated = self.simulated(here, uses, (), np.zeros((1, 4, HIDDEN)))
                scored = self.scored(here, returned, simulated)
                found |= scored.all_by_one_of(len(ORDERS))
                scored = scored.favouring(uses.index(guess.scheme.spoken()))
                for n in scored.best():
                    yield replace(here, ih=uses[n], **scored.told(n))
            if found:
                return

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
                scored = self.scored(here, returned, simulated)
                for n in scored.best():
                    yield replace(here, hh=USES[n], **scored.told(n))
                if scored.all_by_one_of(len(USES)):
                    break

    def bias(self, guess: Guess, name: str) -> Iterator[Guess]:
        """The same for one bias, where all else is right: what it adds, or that it does not."""
        returned = self.answer(guess, hh=True, biases=[name])
        if returned is None:
            return
        added = np.stack(list(additions(self.numbers.bias[name])))
        simulated = self.simulated(guess, [guess.ih], [guess.hh], added)
        scored = self.scored(guess, returned, simulated)
        if not scored.explained.any():
            yield self._no_bias(guess, name, returned)
            return
        n = next(scored.best())
        biases = {**guess.biases, name: added[n]}
        exact = min(guess.exact, int(scored.explained[n]))
        yield replace(guess, biases=biases, exact=exact)

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
                if self.scored(guess, returned, simulated).explained.any():
                    return replace(guess, initial={**guess.initial, name: state})
        return replace(guess, unexplained=(*guess.unexplained, name))

    def whole(self, guess: Guess) -> Guess:
        """`guess` with its error where nothing is zero."""
        names = list(guess.biases)
        returned = self.answer(guess, hh=True, biases=names)
        if returned is None:
            return replace(guess, exact=0, error=np.inf)
        return replace(guess, **self.scored(guess, returned, self.right(guess)).told(0))

    def right(self, guess: Guess) -> Simulated:
        """What `guess` says that comes back where nothing is zero."""
        bias = sum(guess.biases.values(), np.zeros((4, HIDDEN)))
        return self.simulated(guess, [guess.ih], [guess.hh], bias[None])

    def named(self, guess: Guess, leaf: Leaf) -> list[Candidate]:
        """What `leaf` of an answer to :meth:`whole` is, the nearest first."""
        found = candidates(guess.reading, self.right(guess), leaf)
        return sorted(found, key=lambda each: (float(distances(leaf, each)[0]), each.fault))


def best(guesses: Iterable[Guess]) -> list[Guess]:
    """The guesses worth following, the best first."""
    ranked = sorted(guesses, key=lambda guess: guess.rank)
    if ranked and ranked[0].exact:
        return [guess for guess in ranked if guess.exact][:KEPT]
    return ranked[: KEPT // 4]
