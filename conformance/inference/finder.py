"""Where to look, in which order, and when to stop."""

from __future__ import annotations

import inspect
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from conformance.errors import told
from conformance.implementations.by_hand.expressions import Call
from conformance.implementations.by_hand.usage import Around
from conformance.inference.construction import Construction, constructions
from conformance.inference.forms import calls, signatures
from conformance.inference.guess import Guess
from conformance.inference.probing import Prober, methods
from conformance.inference.readings import READINGS, WRONG
from conformance.inference.schemes import schemes
from conformance.inference.search import Search, best
from reference import DType

UNTIL = 5.0, 9.0
"""Seconds after which right LSTMs, and faulty ones, are no longer looked for in further places."""


@dataclass(frozen=True)
class Found:
    """The best guess, `others` that fit as well, and how an instance is made, if one is."""

    guess: Guess
    search: Search
    construction: Construction | None
    others: tuple[Guess, ...] = ()


@dataclass(frozen=True)
class _Place:
    """One way to construct and fill the class, and the guesses to begin with."""

    search: Search
    construction: Construction | None
    starts: tuple[Guess, ...]


class Finder:
    """The search for one class or function, in one dtype; `complaint` says why it found nothing."""

    def __init__(
        self,
        target: Callable[..., Any],
        dtype: DType,
        around: Around,
    ) -> None:
        self.target = target
        self.dtype = dtype
        self.around = around
        self.complaint = ""
        self.started = time.perf_counter()

    def best(self) -> Found | None:
        """What is found, or None if nothing could be called at all.

        Right LSTMs are looked for everywhere before faulty ones are, until time is up.
        """
        places = list(self._places())
        found: list[Found] = []
        for faulty, until in zip((False, True), UNTIL, strict=True):
            if any(each.guess.whole for each in found):
                break
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

    def _places(self) -> Iterator[_Place]:
        yield from self._as_class() if isinstance(self.target, type) else self._as_function()

    def _as_function(self) -> Iterator[_Place]:
        for cell, tensors in itertools.product((False, True), repeat=2):
            for signature in signatures(self.target, cell):
                prober = Prober(self.dtype, None, self.target, self.around, tensors)
                starts = tuple(
                    Guess(scheme, "", Call(signature.call), reading)
                    for scheme in schemes(signature.shapes)
                    for reading in READINGS
                    if reading.cell == cell
                )
                if starts:
                    yield _Place(Search(prober, signature.shapes), None, starts)
        self.complaint = "the names of its arguments are not those of an LSTM"

    def _as_class(self) -> Iterator[_Place]:
        construction = None
        for construction in constructions(self.target):
            prober = Prober(self.dtype, construction, None, self.around)
            try:
                made = prober.subject()
            except (Exception, SystemExit) as error:
                self.complaint = self.complaint or f"constructing it raised {told(error)}"
                continue
            shapes = made.shapes()
            search = Search(prober, shapes)
            fitting = list(schemes(shapes))
            for scheme in fitting:
                starts = tuple(
                    Guess(scheme, method, Call(call), reading)
                    for method in methods(made.holder)
                    for reading in READINGS
                    for call in calls(reading.cell)
                )
                if not starts:
                    self.complaint = self.complaint or "it has nothing that can be called"
                yield _Place(search, construction, starts)
            if not fitting:
                listed = ", ".join(f"{key} {shape}" for key, shape in shapes.items())
                self.complaint = self.complaint or (
                    "no parameters have the shapes of an LSTM's with 3 inputs and 5 hidden units: "
                    f"{listed or 'there are none'}"
                )
        if construction is None:
            self.complaint = (
                f"it is constructed with {inspect.signature(self.target)}, where nothing is "
                "input_size and hidden_size; infer a subclass whose __init__ takes these two"
            )

    def _followed(self, place: _Place, faulty: bool) -> Found | None:
        """The best guess that grows from those of a place, or None if there is none.

        Without initial states first, and with them only where that cannot be called or fits
        nothing.
        """
        search = place.search
        stateless = [start for start in place.starts if start.call.text == "input"]
        stateful = [start for start in place.starts if start.call.text != "input"]
        wrong = [
            replace(start, reading=reading)
            for reading in WRONG
            for start in stateless
            if start.reading == replace(reading, reshaped=False, reversed=False)
        ]
        reached: list[Guess] = []
        for group in ([*stateless, *wrong], stateful) if faulty else (stateless, stateful):
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
        """Grown over what is multiplied with h and the biases, and tried as a whole."""
        started = guesses[0]
        guesses = best(grown for guess in guesses for grown in search.by_h(guess))
        for name in started.scheme.biases:
            guesses = best(grown for guess in guesses for grown in search.bias(guess, name))
        whole = best(map(search.whole, guesses))
        if whole and whole[0].exact:
            return whole
        return [search.whole(started.plain(search.numbers))]
