"""From what was found to an adapter for each call that may be right."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

from conformance.diagnosis.recording import Recording
from conformance.diagnosis.starts import held_at_zero, starts
from conformance.errors import UsageError
from conformance.implementations.by_hand import HandWritten
from conformance.implementations.by_hand.usage import Around
from conformance.inference import mapping
from conformance.inference.candidates import POOLED
from conformance.inference.deepening import Found
from conformance.inference.faults import AFTER_POOLING, AFTER_RELU, NOTHING, SIDES
from conformance.inference.guess import Guess
from conformance.inference.returns import Returns, misnamed, returns
from conformance.inference.search import Search
from conformance.inference.states import calls_with_states, exchanged


class Adapter(NamedTuple):
    """An adapter with its arguments, what is wrong with the class, and what is not verified.

    `unlike` are those of the faults that say of an array only that its numbers are others, and
    `started` are the parameters that are initial states, with the name of the state.
    """

    arguments: dict[str, Any]
    mine: HandWritten
    faults: list[str]
    unlike: list[str]
    unverified: list[str]
    started: dict[str, str]


@dataclass(frozen=True)
class Adapters:
    """The adapters of `target`, called `name` in reports, by what was `found`."""

    name: str
    target: Callable[..., Any]
    found: Found
    around: Around

    def all(self) -> Iterator[Adapter]:
        """Yield an adapter for each call that may be right."""
        guess = self.found.guess
        named, wrong = mapping.parameters(guess, self.found.search)
        faults = [f"this is an LSTM {each}" for each in guess.says] + wrong
        returned = self.returned(guess).text
        prober = self.found.search.prober
        for given, optional, ignored in calls_with_states(self.found.search, guess, returned):
            text, unlike, unverified = self.returned(given)
            call = prober.spelled(given)
            arguments: dict[str, Any] = {**named, "call": call.text}
            if given.call.takes_states and not optional:
                arguments["states_optional"] = False
            if given.draws:
                arguments["draws"] = given.draws.text
            if prober.embedding:
                arguments["embedding"] = prober.embedding
            if given.method:
                arguments["method"] = given.method
            if given.reading.stepwise:
                text = text.replace("output", "h_n").replace("c_all", "c_n")
            arguments |= {"returns": text, **given.reading.options()}
            for layout in {*SIDES} & {*unlike}:  # as good as any, if it is said
                unlike = [each for each in unlike if each != layout]
                arguments["batch_first"] = SIDES[layout]
            if prober.square:
                arguments["square"] = True
            if self.found.construction is not None and self.found.construction.takes_rows:
                arguments["batch_size"] = True
            if prober.tensors:
                arguments["tensors"] = True
            factory: Callable[..., Any] = self.found.construction or self.target
            try:
                mine = HandWritten(factory, name=self.name, **arguments)
            except UsageError as error:
                known = guess.exact and re.search("output|h_n", text)
                what = str(error) if known else NOTHING
                what = _unreadable(text) or (not known and prober.needs) or what
                raise UsageError(f"{self.name!r}: {what}") from error
            mine.around = self.around
            started = self._started(mine)
            if started:
                held = held_at_zero(mine, started)
                arguments |= {k: v if len(v) > 1 else v[0] for k, v in held.items()}
                mine = mine.keeping(held.get("kept", ()), held.get("zeroed", ()))
            named_so = [*prober.misnamed(given), *misnamed(mine.usage.answer)]
            wrong = [*faults, *ignored, *named_so, *exchanged(call.text, text), *unlike]
            yield Adapter(arguments, mine, wrong, unlike, unverified, started)

    def _started(self, mine: HandWritten) -> dict[str, str]:
        """Return which parameters are initial states that stay as they are, by name."""
        guess = self.found.guess
        layers = guess.scheme.layers
        known = {n.replace("*", each): s for n, s in guess.initial.items() for each in layers}
        with contextlib.suppress(UsageError):  # which a trial of whole cases tells
            known |= starts(Recording(mine.keeping((), known), inf, None))
        return known

    def returned(self, guess: Guess) -> Returns:
        """Return what the answer to a call as in `guess` consists of, and what is wrong with it."""
        what = _returned(guess, self.found.search)
        right = self.found.right
        if right is None or re.search("output|h_n", what.text):
            return what
        # where an answer of more layers equals nothing, it has the form of one of fewer layers
        what = _returned(right.guess, right.search)
        return what._replace(text=what.text.replace("[0]", "[-1]"))


def _unreadable(text: str) -> str:
    """Say why what a submodule takes is not read, "" if it is of no known kind."""
    module, _, taken = text.partition("(")
    pooled = next((each for each in POOLED if taken.startswith(f"{each}(")), "")
    if pooled:
        return AFTER_POOLING.format(module, pooled)
    return AFTER_RELU.format(module) if taken.startswith("relu(") else ""


def _returned(guess: Guess, search: Search) -> Returns:
    """Return what the answer to a call as in `guess` consists of."""
    answer = search.whole_answer(guess)
    assert answer is not None
    return returns(guess, search, answer)
