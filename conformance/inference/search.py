"""The search for what each parameter does: weights by x first, then weights by h, then biases.

Four gates can use four blocks in 256 ways, of which 24 are orders. The weights by x, the weights
by h and a bias together can be used in 256^3 ways, which is too many to try. So the class is called
with most of its parameters at zero. With only the weights by x filled in, the results show how the
gates use these weights, and one simulation computes all 256 ways at once. Then the weights by h
are filled in as well, and after them one bias at a time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from conformance.diagnosis.alternatives.equations import EQUATIONS, LSTM, PAIRS, Equations
from conformance.inference.candidates import Candidate, candidates, distances
from conformance.inference.guess import Guess
from conformance.inference.leaves import Leaf, Returned
from conformance.inference.numbers import HIDDEN, ORDERS, USES, Numbers, Use, additions
from conformance.inference.probing import Prober
from conformance.inference.schemes import with_biases_within
from conformance.inference.scoring import Scored
from conformance.inference.simulation import Blocks, Simulated, simulate
from conformance.inference.stacks import Stack
from reference import Array

NO_BIAS = np.zeros((1, 1, 4, HIDDEN))


class Search:
    """The search for one class, which `prober` calls, and whose parameters are a `stack`.

    What the submodules `no_heads` take is not a result, as these are further layers.
    """

    def __init__(self, prober: Prober, stack: Stack, no_heads: Sequence[str] = ()) -> None:
        self.prober, self.stack, self.no_heads = prober, stack, no_heads
        self.shapes = with_biases_within(stack.shapes)
        self.numbers = Numbers.of(self.shapes, len(stack.layers), stack.directions)
        self.tolerance = 1e-9 if prober.dtype.name == "float64" else 3e-5

    def answer(self, guess: Guess, *, hh: bool, biases: Iterable[str]) -> Returned | None:
        """Return the answer with random weights by x, and with those by h and `biases` if wanted.

        All other parameters are zero.
        """
        return self.prober.call(guess, *self.given(guess, hh=hh, biases=biases))

    def given(
        self, guess: Guess, *, hh: bool, biases: Iterable[str]
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """Return the arrays for the arguments and the parameters of such a call, by name."""
        parameters: dict[str, Array] = {}
        for n, layer in enumerate(self.stack.layers):
            own = {name: np.zeros(self.shapes[name]) for name in guess.scheme.biases}
            for name in biases:
                own[name] = self.numbers.bias[name][n].reshape(self.shapes[name])
            by_x, by_h = self.numbers.ih[n], self.numbers.hh[n] * hh
            within = [own.pop(name) for name in guess.scheme.within]
            own = {name: guess.scheme.laid_out(bias) for name, bias in own.items()}
            own |= guess.scheme.weights(self.shapes, by_x, by_h, guess.turned, within)
            parameters |= {name.replace("*", layer): array for name, array in own.items()}
        values = {"input": guess.reading.of(self.numbers.inputs)}
        if guess.states:
            count = len(self.stack.layers)
            states = self.numbers.states(guess.reading.state_shape(count))
            if guess.reading.cell and count == 1 and guess.call.keeps_axes:
                states = states[0][None], states[1][None]
            values |= zip(("h_0", "c_0"), states, strict=True)
        values = {
            name: guess.reading.turned(array, 0 if name == "input" else None)
            for name, array in values.items()
        }
        return values, parameters

    def whole_answer(self, guess: Guess) -> Returned | None:
        """Return the answer with all parameters of the guess filled in."""
        return self.answer(guess, hh=True, biases=guess.biases)

    def simulated(
        self,
        guess: Guess,
        ih: Sequence[Use],
        hh: Sequence[Use] = (),
        bias: Array = NO_BIAS,
        states: Sequence[Array] = (),
    ) -> Simulated:
        """Return the states of M LSTMs.

        - `ih`, `hh`: how each uses the blocks of weights; without `hh` the weights by h are zero
        - `bias`: what each adds to its gates, (M or 1, layers or 1, 4, HIDDEN)
        - `states`: the initial h and c of all; by default those in the call, or zeros
        """
        reading, count = guess.reading, len(self.stack.layers)
        if not states:
            given = self.numbers.states(reading.state_shape(count))
            states = [
                state.reshape(count, reading.rows, HIDDEN) * (name in guess.states)
                for name, state in zip(("h_0", "c_0"), given, strict=True)
            ]
        bias = bias + guess.forget_bias * np.eye(4)[1, :, None]  # 1 is the index of f in i, f, g, o
        blocks = [
            Blocks(
                self.numbers.ih[n][np.array(ih)],
                self.numbers.hh[n][np.array(hh)] if hh else np.zeros((1, 4, HIDDEN, HIDDEN)),
                bias[:, min(n, bias.shape[1] - 1)],
            )
            for n in range(count)
        ]
        x = reading.time_major(reading.of(self.numbers.inputs))
        return simulate(x, states, blocks, guess.equations, self.stack.directions)

    def scored(self, guess: Guess, returned: Returned, simulated: Simulated) -> Scored:
        """Return how well each simulated LSTM explains the answer.

        Inputs of submodules count only if nothing that was returned is explained, as in a class
        that returns no more than a Linear of its last state.
        """
        scored = self._leaves(guess, returned.leaves, simulated)
        if scored.explained.any():
            return scored
        inputs = self.inputs(guess, returned)
        others = self._leaves(guess, inputs, simulated, inner=True)
        if others.explained.any() or not np.isfinite(scored.off).any():
            # one input explains the answer that the submodule made of it; other submodules and
            # their inputs do not matter
            return others._replace(explained=others.explained.clip(max=1), total=1, returned=1)
        return scored

    def inputs(self, guess: Guess, returned: Returned) -> list[Leaf]:
        """List the inputs of the submodules that have no weights of this or of a further layer."""
        weights = itertools.product((*guess.scheme.ih, *guess.scheme.hh), guess.scheme.layers)
        own = {name.replace("*", layer).rpartition(".")[0] for name, layer in weights}
        return [leaf for leaf in returned.modules if leaf.module not in {*own, *self.no_heads}]

    def _leaves(
        self, guess: Guess, leaves: Sequence[Leaf], simulated: Simulated, inner: bool = False
    ) -> Scored:
        """Return how well the arrays are explained; by the top layer alone if they are `inner`.

        What a submodule gets from a layer below says nothing of the layers above.
        """
        explained, off = np.zeros(len(simulated.h), int), []
        for leaf in leaves:
            found = [
                distances(leaf, each)
                for each in candidates(guess.reading, simulated, leaf)
                if not (inner and each.below)
            ]
            if found:
                off.append(np.min(found, axis=0))
                # an array of zeros may stand for anything, so zeros explain nothing
                explained += (off[-1] <= self.tolerance) & leaf.array.any()
        mean = np.mean(off, axis=0) if off else np.full(len(explained), np.inf)
        return Scored(explained, mean, len(off), len(leaves))

    def by_x(self, guess: Guess, faulty: bool) -> Iterator[Guess]:
        """Yield guesses of how the gates use the weights by x.

        If `faulty`, other equations are tried where those of the LSTM do not explain everything,
        and then pairs of faults.
        """
        returned = self.answer(guess, hh=False, biases=())
        if returned is None:
            return
        levels: list[tuple[Sequence[Equations], list[Use], Sequence[float]]]
        levels = [((LSTM,), USES, (0.0, 1.0)), (EQUATIONS, ORDERS, (0.0, 1.0))]
        if not guess.reading.says and len(self.stack.layers) == 1:
            levels.append((PAIRS, ORDERS, (0.0,)))
        # a larger level explains more by accident, so that a level is tried only if no order of the
        # gates explains everything in the levels before
        for level, uses, forget_biases in levels if faulty else levels[:1]:
            found = False
            for equations, forget_bias in itertools.product(level, forget_biases):
                here = replace(guess, forget_bias=forget_bias, equations=equations)
                scored = self.scored(here, returned, self.simulated(here, uses))
                found |= scored.all_by_one_of(len(ORDERS))
                # if nothing is explained, the order in the names of parameters is the likeliest,
                # unless another order is more than twice as near
                scored.off[uses.index(guess.scheme.spoken())] /= 2
                for n in scored.best():
                    yield replace(here, ih=uses[n], **scored.shown(n))
            if found:
                return

    def by_h(self, guess: Guess) -> Iterator[Guess]:
        """Yield guesses of how the gates use the weights by h."""
        per_gate = len(guess.scheme.hh) == 4
        for turned in (None, not guess.scheme.transposed)[: 1 + per_gate]:
            here = replace(guess, turned=turned)
            returned = self.answer(here, hh=True, biases=())
            if returned is None:
                continue
            # some faults, such as a state that is not carried on, show only with weights by h
            alternatives = EQUATIONS if guess.exact and guess.equations is LSTM else ()
            for equations in (guess.equations, *alternatives):
                here = replace(here, equations=equations)
                scored = self.scored(here, returned, self.simulated(here, [guess.ih], USES))
                for n in scored.best():
                    yield replace(here, hh=USES[n], **scored.shown(n))
                if scored.all_by_one_of(len(USES)):
                    break

    def bias(self, guess: Guess, name: str) -> Iterator[Guess]:
        """Yield the guess with what one bias does; all other biases are zero meanwhile."""
        returned = self.answer(guess, hh=True, biases=[name])
        if returned is None:
            return
        added = np.stack(list(additions(self.numbers.bias[name])))
        simulated = self.simulated(guess, [guess.ih], [guess.hh], added)
        scored = self.scored(guess, returned, simulated)
        if scored.explained.any():
            n = next(scored.best())
            exact = min(guess.exact, int(scored.explained[n]))
            yield replace(guess, biases={**guess.biases, name: added[n]}, exact=exact)
        elif state := self._initial(guess, name, returned):
            yield replace(guess, initial={**guess.initial, name: state})
        else:
            yield replace(guess, unexplained=(*guess.unexplained, name))

    def _initial(self, guess: Guess, name: str, returned: Returned) -> str:
        """Return the initial state that a parameter in the shape of a bias is, "" if it is none."""
        numbers = self.numbers.bias[name]
        if numbers.size == HIDDEN and not guess.states:
            rows = np.broadcast_to(numbers, (1, guess.reading.rows, HIDDEN))
            zero = 0 * rows
            for state, *states in (("h", rows, zero), ("c", zero, rows), ("h and c", rows, rows)):
                simulated = self.simulated(guess, [guess.ih], [guess.hh], states=states)
                if self.scored(guess, returned, simulated).explained.any():
                    return state
        return ""

    def whole(self, guess: Guess) -> Guess:
        """Return `guess` with its score where all parameters are filled in."""
        returned = self.whole_answer(guess)
        if returned is None:
            return replace(guess, exact=0, error=np.inf)
        return replace(guess, **self.scored(guess, returned, self._right(guess)).shown(0))

    def _right(self, guess: Guess) -> Simulated:
        """Return the states that `guess` predicts where all parameters are filled in."""
        bias = sum(guess.biases.values(), np.zeros((1, 4, HIDDEN)))
        return self.simulated(guess, [guess.ih], [guess.hh], bias[None])

    def named(self, guess: Guess, leaf: Leaf) -> list[Candidate]:
        """Return what `leaf` of a :meth:`whole_answer` may be, the nearest first."""
        found = candidates(guess.reading, self._right(guess), leaf)
        return sorted(found, key=lambda each: (float(distances(leaf, each)[0]), each.fault))
