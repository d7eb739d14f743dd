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
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.implementations.by_hand.expressions import Call
from conformance.implementations.by_hand.usage import Around
from conformance.inference.guess import Guess
from conformance.inference.probing import Prober
from conformance.inference.readings import READINGS, WRONG
from conformance.inference.schemes import schemes
from conformance.inference.search import Search, best
from conformance.inference.ways import Construction, calls, constructions, methods, signatures
from conformance.recording.text import told
from reference import DType

UNTIL = 5.0, 9.0
"""Seconds after which no further place is searched for right LSTMs, and for faulty ones."""


@dataclass(frozen=True)
class Found:
    """The best guess, `others` that fit as well, and how to make an instance of a class."""

    guess: Guess
    search: Search
    construction: Construction | None
    others: tuple[Guess, ...] = ()


@dataclass(frozen=True)
class _Place:
    """One way to make and fill an instance, and the guesses to begin with."""

    search: Search
    construction: Construction | None
    starts: tuple[Guess, ...]


@dataclass
class Finder:
    """The search for one class or function in one dtype; `complaint` is why it found nothing."""

    target: Callable[..., Any]
    dtype: DType
    around: Around
    complaint: str = ""
    started: float = field(default_factory=time.perf_counter)

    def best(self) -> Found | None:
        """Return the best guess of all places, None if nothing could be called at all.

        The first place is always searched, whatever the time.
        """
        places = list(self._as_class() if isinstance(self.target, type) else self._as_function())
        found: list[Found] = []
        for faulty, until in zip((False, True), UNTIL, strict=True):
            if any(each.guess.whole for each in found):
                break
            # one place may explain some results by accident, so the search goes on until a place
            # explains all of them without a flaw
            for place in places:
                if place is not places[0] and time.perf_counter() > self.started + until:
                    break
                reached = self._followed(place, faulty)
                if reached is not None:
                    found.append(reached)
                    if reached.guess.complete and not reached.guess.flaws:
                        return reached
        raised = (place.search.prober.complaint for place in places)
        self.complaint = next(filter(None, raised), self.complaint)
        return min(found, key=lambda each: each.guess.rank, default=None)

    def _as_function(self) -> Iterator[_Place]:
        for cell, tensors in itertools.product((False, True), repeat=2):
            for call, shapes in signatures(self.target, cell):
                prober = Prober(self.dtype, None, self.target, self.around, tensors)
                starts = tuple(
                    Guess(scheme, "", Call(call), reading)
                    for scheme in schemes(shapes)
                    for reading in READINGS
                    if reading.cell == cell
                )
                if starts:
                    yield _Place(Search(prober, shapes), None, starts)
        self.complaint = "the names of the arguments are not those of an LSTM"

    def _as_class(self) -> Iterator[_Place]:
        complaints = []
        for construction in constructions(self.target):
            prober = Prober(self.dtype, construction, None, self.around)
            try:
                made = prober.subject()
            except (Exception, SystemExit) as error:
                complaints.append(f"the constructor raised {told(error)}")
                continue
            shapes = made.shapes()
            fitting = list(schemes(shapes))
            if not fitting:
                listed = ", ".join(f"{key} {shape}" for key, shape in shapes.items())
                complaints.append(
                    "no parameters have the shapes of an LSTM with 3 inputs and 5 hidden units: "
                    f"{listed or 'there are none'}"
                )
            elif not (called := list(methods(made.holder))):
                complaints.append("an instance has nothing that can be called")
            else:
                search = Search(prober, shapes)
                for scheme in fitting:
                    ways = itertools.product(called, READINGS)
                    starts = (
                        Guess(scheme, method, Call(call), reading)
                        for method, reading in ways
                        for call in calls(reading.cell)
                    )
                    yield _Place(search, construction, tuple(starts))
                complaints.append("")
        if not complaints:
            complaints.append(
                f"the constructor takes {inspect.signature(self.target)}, where no names suggest "
                "input_size and hidden_size; infer a subclass whose __init__ takes these two"
            )
        self.complaint = next(filter(None, complaints), "")

    def _followed(self, place: _Place, faulty: bool) -> Found | None:
        """Return the best guess that grows from the starts of a place, None if there is none.

        Calls with initial states are tried only if calls without them raise or fit nothing: they
        are many, as states come in many forms and orders.
        """
        search = place.search
        stateless = [start for start in place.starts if start.call.text == "input"]
        stateful = [start for start in place.starts if start.call.text != "input"]
        if faulty:
            stateless += [
                replace(start, reading=reading)
                for reading in WRONG
                for start in stateless
                if start.reading == replace(reading, reshaped=False, reversed=False)
            ]
        reached: list[Guess] = []
        for group in (stateless, stateful):
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
