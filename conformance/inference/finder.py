"""Where to look for an LSTM, in which order, and when to stop.

Each start in a place of :mod:`conformance.inference.places` that runs is followed up by
:mod:`conformance.inference.search`.

Right LSTMs are tried everywhere before any faulty one. There are so many faulty ones that one of
them may equal a right LSTM whose input axes, say, are misread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.implementations.by_hand.usage import Around
from conformance.inference.deepening import Found, deepened
from conformance.inference.guess import Guess
from conformance.inference.places import Place, of_class, of_function
from conformance.inference.readings import WRONG
from conformance.inference.scoring import best
from conformance.inference.search import Search
from conformance.inference.ways import drawings
from reference import DTYPES, DType

UNTIL = 400, 900
"""Calls after which no further place is searched for right LSTMs, and for faulty ones."""
FURTHER = 50
"""Calls after which none is searched once a right LSTM was found."""


@dataclass
class Finder:
    """The search for one class or function in one dtype; `complaint` is why it found nothing."""

    target: Callable[..., Any]
    dtype: DType
    around: Around
    complaint: str = ""
    places: list[Place] = field(default_factory=list)

    def best(self) -> Found | None:
        """Return the best guess of all places, None if nothing could be called at all.

        The first place is always searched, however many calls that takes.
        """
        target, rest = self.target, (self.dtype, self.around)
        taken = of_class(target, *rest) if isinstance(target, type) else of_function(target, *rest)
        places, self.complaint = taken
        self.places = places
        found: list[Found] = []
        left_out = False
        for faulty, until in zip((False, True), UNTIL, strict=True):
            if any(each.guess.whole for each in found) or (faulty and self.in_float32):
                break
            # one place may explain some results by accident, so the search goes on until a place
            # explains all of them without a flaw
            for place in places:
                # what computes in float32 is looked at again in float32
                late = self._calls() > until or self.in_float32
                if place is not places[0] and late:
                    left_out = True
                    break
                # one layer of several is not the LSTM that is wrong
                if faulty and place.search.no_heads:
                    continue
                if place.optional and any(each.guess.whole for each in found):
                    continue
                reached = self._followed(place, faulty)
                if reached is None and self._answers_in_float32(place):
                    self.complaint = place.search.prober.obstacle
                    return None
                if reached is not None:
                    found.append(reached)
                    if reached.guess.whole and not reached.guess.flaws:
                        until = min(until, self._calls() + FURTHER)
                    if reached.guess.complete and not reached.guess.flaws:
                        return deepened(reached)
                    # right ones were tried everywhere, and no faulty one can be better than this
                    if faulty and not left_out and reached.guess.complete and _simple(reached):
                        return reached
        raised = (place.search.prober.obstacle for place in places)
        self.complaint = next(filter(None, raised), self.complaint)
        nearest = min(found, key=_rank, default=None)
        right = nearest is not None and nearest.guess.whole and not nearest.guess.flaws
        return deepened(nearest) if nearest is not None and right else nearest

    @property
    def in_float32(self) -> bool:
        """Whether the class computes in float32 what it is given in float64."""
        narrowed = any(place.search.prober.narrowed for place in self.places)
        return narrowed and self.dtype.name == "float64"

    def _answers_in_float32(self, place: Place) -> bool:
        """Whether a class that has raised whatever the call returns something in float32.

        Classes that make their states in float32 do.
        """
        answered = any(each.search.prober.answered for each in self.places)
        if answered or self.dtype.name != "float64":
            return False
        prober = replace(place.search.prober, dtype=DTYPES["float32"])
        search = Search(prober, place.search.stack)
        answers = (search.answer(start, hh=False, biases=()) for start in place.starts)
        return any(answer is not None for answer in answers)

    def _calls(self) -> int:
        probers = {id(place.search.prober): place.search.prober for place in self.places}
        return sum(prober.calls for prober in probers.values())

    def _followed(self, place: Place, faulty: bool) -> Found | None:
        """Return the best guess that grows from the starts of a place, None if there is none.

        Calls with initial states are tried only if calls without them raise or fit nothing: they
        are many, as states come in many forms and orders.
        """
        search = place.search
        # few LSTMs interleave their gates, so that no faulty ones are looked for among these
        plain = faulty or not search.prober.answered
        starts = [each for each in place.starts if not (plain and each.scheme.interleaved)]
        stateless = [start for start in starts if start.call.text == "input"]
        stateful = [start for start in starts if start.call.text != "input"]
        if faulty:
            # right equations with one wrong reading come before all wrong equations
            stateless[:0] = [
                replace(start, reading=reading)
                for reading in WRONG
                for start in stateless
                if start.reading == replace(reading, reshaped=False, reversed=False)
            ]
        drawing = [
            replace(start, draws=draws)
            for start in stateless
            if search.answer(start, hh=False, biases=()) is not None
            for draws in drawings(search.prober.drawn, start.reading, len(search.stack.layers))
        ]
        reached: list[Guess] = []
        # one step from zeros shows no weights by h
        stateless = [each for each in stateless if not each.reading.cell]
        # what draws its states does not return the same twice without them
        for group in (drawing or stateless, stateful):
            for start in group:
                # what takes several rows must be right for several
                of = [each.search.prober for each in self.places] if faulty else [search.prober]
                takers = {method for prober in of for method, _ in prober.of_rows}
                if start.reading.one_row and start.method in takers:
                    continue
                called = start.method, start.reading.cell
                if not start.reading.batched and called in search.prober.of_rows:
                    continue
                reached += search.by_x(start, faulty)
                if any(guess.whole and (faulty or not guess.flaws) for guess in reached):
                    break
            reached = best(reached)
            if reached and (faulty or reached[0].exact):
                break
        if reached and reached[0].exact:
            reached = self._completed(search, reached)
            right = [each for each in reached if each.exact and not each.flaws]
            return Found(reached[0], search, place.construction, tuple(right[1:]))
        if not (reached and faulty):
            return None
        return Found(search.whole(reached[0].plain(search.numbers)), search, place.construction)

    @staticmethod
    def _completed(search: Search, guesses: list[Guess]) -> list[Guess]:
        """Extend guesses of the weights by x to the weights by h and to each bias, and rank them.

        Each is tried with all parameters at once in the end: parts that fit alone may not fit
        together. If none does, the result is the first guess with everything else as plain as
        possible.
        """
        started = guesses[0]
        guesses = best(grown for guess in guesses for grown in search.by_h(guess))
        for name in started.scheme.biases:
            guesses = best(grown for guess in guesses for grown in search.bias(guess, name))
        whole = best(map(search.whole, guesses))
        if whole and whole[0].exact:
            return whole
        return [search.whole(started.plain(search.numbers))]


def _simple(found: Found) -> bool:
    """Return whether a faulty LSTM has one flaw and nothing else that speaks against it."""
    return found.guess.flaws == 1 and not found.guess.forget_bias


def _rank(found: Found) -> tuple[float, ...]:
    """Return the sort key: smaller is better; of what explains nothing, what uses most is."""
    exact, flaws, total, *rest = found.guess.rank
    shapes = found.search.prober.shapes()
    unused = 0 if exact else len(shapes.keys() - found.guess.scheme.names)
    return exact, flaws, total, unused, *rest
