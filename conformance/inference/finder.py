"""Where to look for an LSTM, in which order, and when to stop.

A place is one way to make an instance, or to call a function, and one choice of the parameters
that hold weights and biases. A start is a place with a call and a meaning of the input's axes. Each
start that runs is followed up by :mod:`conformance.inference.search`.

Right LSTMs are tried everywhere before any faulty one. There are so many faulty ones that one of
them may equal a right LSTM whose input axes, say, are misread.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from conformance.implementations.by_hand.expressions import Call
from conformance.implementations.by_hand.usage import Around
from conformance.inference.guess import Guess
from conformance.inference.numbers import INPUT
from conformance.inference.probing import Prober
from conformance.inference.readings import READINGS, WRONG
from conformance.inference.schemes import Scheme, schemes
from conformance.inference.search import Search, best
from conformance.inference.stacks import Stack, stacks
from conformance.inference.ways import (
    Construction,
    calls,
    constructions,
    drawings,
    embeddings,
    methods,
    signatures,
)
from conformance.recording.text import told
from reference import DType

UNTIL = 400, 900
"""Calls after which no further place is searched for right LSTMs, and for faulty ones."""
FURTHER = 50
"""Calls after which none is searched once a right LSTM was found."""


@dataclass(frozen=True)
class Found:
    """The best guess, `others` that fit as well, and how to make an instance of a class.

    `part` has the arguments of the constructor with which the class could not be tried. `shallow`
    has those with which the class is wrong, if it is right without them. Both are empty otherwise.
    """

    guess: Guess
    search: Search
    construction: Construction | None
    others: tuple[Guess, ...] = ()
    part: str = ""
    shallow: str = ""


@dataclass(frozen=True)
class _Place:
    """One way to make and fill an instance, and the guesses to begin with.

    An `optional` place leaves a submodule out, and is searched if no other place explains anything.
    """

    search: Search
    construction: Construction | None
    starts: tuple[Guess, ...]
    optional: bool = False


@dataclass
class Finder:
    """The search for one class or function in one dtype; `complaint` is why it found nothing."""

    target: Callable[..., Any]
    dtype: DType
    around: Around
    complaint: str = ""
    places: list[_Place] = field(default_factory=list)

    def best(self) -> Found | None:
        """Return the best guess of all places, None if nothing could be called at all.

        The first place is always searched, however many calls that takes.
        """
        places = list(self._as_class() if isinstance(self.target, type) else self._as_function())
        self.places = places
        found: list[Found] = []
        for faulty, until in zip((False, True), UNTIL, strict=True):
            if any(each.guess.whole for each in found) or (faulty and self.in_float32):
                break
            # one place may explain some results by accident, so the search goes on until a place
            # explains all of them without a flaw
            for place in places:
                # what computes in float32 is looked at again in float32
                late = self._calls() > until or self.in_float32
                if place is not places[0] and late:
                    break
                if place.optional and any(each.guess.whole for each in found):
                    continue
                reached = self._followed(place, faulty)
                if reached is not None:
                    found.append(reached)
                    if reached.guess.whole and not reached.guess.flaws:
                        until = min(until, self._calls() + FURTHER)
                    if reached.guess.complete and not reached.guess.flaws:
                        return self._deepened(reached)
        raised = (place.search.prober.complaint for place in places)
        self.complaint = next(filter(None, raised), self.complaint)
        return min(found, key=lambda each: each.guess.rank, default=None)

    @property
    def in_float32(self) -> bool:
        """Whether the class computes in float32 what it is given in float64."""
        narrowed = any(place.search.prober.narrowed for place in self.places)
        return narrowed and self.dtype.name == "float64"

    def _calls(self) -> int:
        probers = {id(place.search.prober): place.search.prober for place in self.places}
        return sum(prober.calls for prober in probers.values())

    def _as_function(self) -> Iterator[_Place]:
        for cell, tensors in itertools.product((False, True), repeat=2):
            for (call, row), columns in itertools.product(
                signatures(self.target, cell), (True, False)
            ):
                # where rows of the batch are columns, a bias is a column
                shapes = {k: (*s, 1) if columns and len(s) == 1 else s for k, s in row.items()}
                prober = Prober(self.dtype, None, self.target, self.around, tensors)
                starts = tuple(
                    Guess(scheme, "", Call(call), reading)
                    for scheme in schemes(shapes)
                    for reading in READINGS
                    if (reading.cell, reading.columns) == (cell, columns)
                    if not (columns and scheme.transposed)
                )
                if starts:
                    yield _Place(Search(prober, Stack(("",), 1, shapes)), None, starts)
        self.complaint = "the names of the arguments are not those of an LSTM"

    def _as_class(self) -> Iterator[_Place]:
        complaints = []
        shallow = list(constructions(self.target))
        deep = [deeper for each in shallow for deeper in each.deeper()]
        for construction in (*shallow, *deep):
            prober = Prober(self.dtype, construction, None, self.around)
            try:
                made = prober.subject()
            except (Exception, SystemExit) as error:
                complaints.append(f"the constructor raised {told(error)}")
                continue
            shapes = made.shapes()
            called = list(methods(made.holder))
            fitting = [
                (stack, list(schemes(stack.shapes, stack.layers, stack.directions)))
                for stack in stacks(shapes)
            ]
            if not any(of for _, of in fitting):
                listed = ", ".join(f"{key} {shape}" for key, shape in shapes.items())
                complaints.append(
                    "no parameters have the shapes of an LSTM with 3 inputs and 5 hidden units: "
                    f"{listed or 'there are none'}"
                )
            elif not called:
                complaints.append("an instance has nothing that can be called")
            else:
                for (stack, of), embedding in itertools.product(fitting, embeddings(made)):
                    search = Search(replace(prober, embedding=embedding), stack)
                    for scheme in of:
                        starts = tuple(_starts(scheme, called))
                        linear = embedding in made.linear_modules(INPUT)
                        yield _Place(search, construction, starts, linear)
                complaints.append("")
        if not complaints:
            complaints.append(
                f"the constructor takes {inspect.signature(self.target)}, where no names suggest "
                "input_size and hidden_size; infer a subclass whose __init__ takes these two"
            )
        self.complaint = next(filter(None, complaints), "")

    def _deepened(self, found: Found) -> Found:
        """Return what was found of an instance of more layers and directions, if it can be made.

        If the class is not an LSTM then, the result is what is nearest to one.
        """
        if found.construction is None or not found.construction.more:
            return found
        missed, deepest = [], found
        for construction in found.construction.deeper():
            asked = ", ".join(f"{key}={text}" for key, text in construction.asked)
            deeper = self._transferred(found, construction)
            if deeper is None:
                missed.append(asked)
            elif not deeper.guess.whole or deeper.guess.flaws:
                return replace(deeper, shallow=asked)
            else:
                deepest = deeper
        return replace(deepest, part=" or ".join(missed))

    def _transferred(self, found: Found, construction: Construction) -> Found | None:
        """Extend the mapping of one layer and direction to those of `construction`.

        The result is the nearest one if none fits, and None if it cannot be called.
        """
        of_one, prober = found.guess, replace(found.search.prober, factory=construction)
        try:
            shapes = prober.subject().shapes()
        except (Exception, SystemExit):
            return None
        for stack in stacks(shapes):
            for scheme in schemes(stack.shapes, stack.layers, stack.directions):
                if len(stack.layers) > 1 and scheme.begins_with(of_one.scheme):
                    search = Search(prober, stack)
                    guess = self._grown(search, replace(of_one, scheme=scheme, initial={}, exact=0))
                    return guess and Found(guess, search, construction)
        return None

    def _grown(self, search: Search, guess: Guess) -> Guess | None:
        """Return `guess` with the call and the biases that fit, the nearest one if none does."""
        plain, nearest = guess.plain(search.numbers), None
        for form in self._forms(search, guess):
            grown = [replace(form, exact=1, biases={}, unexplained=())]
            for name in guess.scheme.biases:
                grown = [more for each in grown for more in search.bias(each, name)]
            whole = best(map(search.whole, grown))
            if whole and whole[0].exact and not whole[0].unexplained:
                return whole[0]
            here = search.whole(replace(plain, call=form.call, draws=form.draws))
            if nearest is None and np.isfinite(here.error):
                nearest = here
        return nearest

    @staticmethod
    def _forms(search: Search, guess: Guess) -> Iterator[Guess]:
        """Yield `guess`, of one layer and direction, with the calls that may be right for more."""
        count = len(search.stack.layers)
        if guess.draws:
            search.answer(replace(guess, draws=None), hh=False, biases=())
            for draws in drawings(search.prober.drawn, guess.reading, count):
                yield replace(guess, draws=draws)
        elif not guess.states:
            yield guess
        else:
            yield from (
                replace(guess, call=Call(text)) for text in calls(guess.reading.cell, count)
            )

    def _followed(self, place: _Place, faulty: bool) -> Found | None:
        """Return the best guess that grows from the starts of a place, None if there is none.

        Calls with initial states are tried only if calls without them raise or fit nothing: they
        are many, as states come in many forms and orders.
        """
        search = place.search
        stateless = [start for start in place.starts if start.call.text == "input"]
        stateful = [start for start in place.starts if start.call.text != "input"]
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
        # what draws its states does not return the same twice without them
        for group in (drawing or stateless, stateful):
            for start in group:
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


def _starts(scheme: Scheme, called: list[str]) -> Iterator[Guess]:
    """Yield the guesses to begin with, for each method and each meaning of the input's axes."""
    for method, reading in itertools.product(called, READINGS):
        for call in calls(reading.cell, len(scheme.layers)):
            yield Guess(scheme, method, Call(call), reading)
