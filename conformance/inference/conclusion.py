"""From what was found to an adapter, whole cases on which it is tried, and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, NamedTuple

from conformance.diagnosis import diagnose
from conformance.errors import UsageError
from conformance.implementations.by_hand import HandWritten
from conformance.implementations.by_hand.expressions import LENGTHS, Call
from conformance.implementations.by_hand.usage import Around
from conformance.implementations.failures import Quantity
from conformance.implementations.probing import takes
from conformance.inference import mapping
from conformance.inference.deepening import Found
from conformance.inference.failing import failure, squeezed, unused_lengths
from conformance.inference.faults import AFTER_RELU, NOTHING
from conformance.inference.guess import Guess
from conformance.inference.inference import Inference
from conformance.inference.names import few
from conformance.inference.numbers import HIDDEN, INPUT, STACKED
from conformance.inference.repeating import Second, second_call
from conformance.inference.returns import Returns, misnamed, returns
from conformance.inference.search import Search
from conformance.inference.states import calls_with_states

PEEPHOLES = {(3 * HIDDEN,), (3 * HIDDEN, HIDDEN), (HIDDEN, 3 * HIDDEN), (3, HIDDEN)}
"""The shapes of weights by which three gates may see c."""


class _Adapter(NamedTuple):
    """An adapter with its arguments, what is wrong with the class, and what is not verified.

    `unlike` are those of the faults that say of an array only that its numbers are others.
    """

    arguments: dict[str, Any]
    mine: HandWritten
    faults: list[str]
    unlike: list[str]
    unverified: list[str]


@dataclass(frozen=True)
class Conclusion:
    """The way from what was `found` of `target`, the `attribute` of `module`, to an inference."""

    name: str
    attribute: str
    module: ModuleType
    target: Callable[..., Any]
    found: Found
    around: Around

    @property
    def search(self) -> Search:
        """The search that found it."""
        return self.found.search

    def drawn(self) -> Inference:
        """Try the adapters on whole cases, and return the first that fits, or else the first."""
        adapters = list(self._adapters())
        second = self._second_call()
        try:
            failures = [failure(each.mine) for each in adapters]
        except UsageError as error:
            sizes = (
                f"with {INPUT} inputs and {HIDDEN} hidden units it can be called, with others not"
            )
            raise UsageError(f"{self.name!r}: {sizes}: {error.__cause__ or error}") from error
        chosen = failures.index(None) if None in failures else 0
        (arguments, mine, faults, unlike, unverified), failed = adapters[chosen], failures[chosen]
        exact = bool(self.found.guess.exact)
        partly = exact and not faults and failed is not None
        if second.faults and not exact:
            pass  # what is random or kept explains enough
        elif failed is not None and (partly or not exact):
            nearest = "" if exact else "no mapping fits; with the nearest: "
            found, where = diagnose(failed), f"{nearest}{failed.failure} in {failed.case!r}"
            faults = [*found.explanations, *squeezed(failed.case, self.search.prober.subject())]
            faults += [*unused_lengths(mine, failed.case), where]
            faults += replace(found, explanations=()).lines()
        elif failed is not None and unlike:
            explained = diagnose(failed).explanations or (f"{failed.failure} in {failed.case!r}",)
            known = [each.removeprefix("this is an LSTM ") for each in faults]
            faults += [each for each in explained if not any(fault in each for fault in known)]
        remarks: list[str] = []
        if not faults:
            remarks += [f"results are not in {each}" for each in self._narrow(mine)]
            remarks += self._remarks(arguments, mine)
            # what takes two states apart takes them in one array, too
            others = [
                repr(other.arguments["call"])
                for n, other in enumerate(adapters)
                if n != chosen and failures[n] is None and "stack(" not in other.arguments["call"]
                if not Call(other.arguments["call"]).starts_at_zero
            ]
            if others:
                remarks.append(f"call={' or call='.join(others)} fits as well")
        if exact and unverified:
            be = "is" if len(unverified) == 1 else "are"
            remarks.append(f"{few(unverified)} {be} not verified")
        self._refuse_other_layers(mine)
        words = " ".join(faults).split()
        unused = {k: v for k, v in self._unused(mine).items() if k not in words}
        if unused:
            remarks.append(f"no mapping uses {few([*unused])}")
        peeking = [name for name, shape in unused.items() if shape in PEEPHOLES]
        if peeking and not exact:
            faults.append(f"this looks like a peephole LSTM: do gates see c by {few(peeking)}?")
        shared = self.search.prober.subject().shared()
        if shared and faults:
            faults.insert(0, f"{few(shared[0])} are one parameter")
        norms = self.search.prober.subject().submodules("Norm")
        if norms and not exact:
            faults.insert(0, f"this looks like an LSTM with normalization, by {few(norms)}")
        remarks += second.remarks
        faults[:0] = second.faults
        construction = self.found.construction
        factory = construction.code if construction else self.attribute
        code = mapping.source(self.attribute, self.module, factory, arguments)
        if self.found.shallow:
            faults.insert(0, f"this is an LSTM, but not with {self.found.shallow}")
        part = self.found.part
        faults = list(dict.fromkeys(faults))
        backward = failed is not None and failed.failure.quantity is Quantity.GRADIENT
        told = tuple(faults), tuple(remarks)
        return Inference(self.name, code, mine, *told, partly and not backward, part, backward)

    def _second_call(self) -> Second:
        guess, search = self.found.guess, self.search
        if guess.reading.stepwise:  # each call is a second one
            return Second(False)
        given = search.given(guess, hh=True, biases=guess.biases)
        return second_call(search.prober, guess, *given)

    def _refuse_other_layers(self, mine: HandWritten) -> None:
        """Raise :class:`UsageError` if what comes after the LSTM is a layer of another form."""
        shapes = self.search.prober.shapes() if self.found.construction else {}
        for module in mine.usage.answer.hooked:
            if (STACKED, HIDDEN) in [s for k, s in shapes.items() if k.startswith(f"{module}.")]:
                before = f"what {module} takes is the output of an LSTM, but"
                other = f"{module} is a further layer of another form, such as more directions."
                apart = "Layers of one LSTM have the same form: verify each as a separate class"
                raise UsageError(f"{self.name!r}: {before} {other} {apart}")

    def _unused(self, mine: HandWritten) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the parameters that have no part in the mapping, by name."""
        if self.found.construction is None:
            return {}
        guess, embedding = self.found.guess, self.search.prober.embedding
        used = {*mine.parameters.of(mine.small_case()), *guess.initial, *guess.unexplained}
        used.add(embedding)
        hooked = [embedding, *mine.usage.answer.hooked, *self._after(mine.usage.answer.hooked)]
        apart = tuple(f"{module}." for module in hooked if module)
        shapes = self.search.prober.shapes()
        return {k: s for k, s in shapes.items() if k not in used and not k.startswith(apart)}

    def _after(self, hooked: Sequence[str]) -> list[str]:
        """List the submodules that are called after those of which the input is read."""
        answer = self.search.whole_answer(self.found.guess)
        called = [leaf.module for leaf in answer.modules] if answer else []
        places = [called.index(module) for module in hooked if module in called]
        return called[max(places) + 1 :] if places else []

    def _narrow(self, mine: HandWritten) -> Iterator[str]:
        """Yield dtypes in which the class runs, but with results of another dtype."""
        for dtype in ("float64", "float32"):
            if dtype not in mine.supports.dtypes:
                small = mine.small_case(dtype, states=mine.supports.states[0])
                if takes(mine, small):
                    yield f"{dtype} where arguments are, so that {dtype} is not verified"

    def _adapters(self) -> Iterator[_Adapter]:
        """Yield an adapter for each call that may be right."""
        guess = self.found.guess
        named, wrong = mapping.parameters(guess, self.search)
        faults = [f"this is an LSTM {each}" for each in guess.says] + wrong
        returned = self._returns(guess).text
        for given, optional, ignored in calls_with_states(self.search, guess, returned):
            text, unlike, unverified = self._returns(given)
            call = self.search.prober.spelled(given)
            arguments: dict[str, Any] = {**named, "call": call.text}
            if given.call.takes_states and not optional:
                arguments["states_optional"] = False
            if given.draws:
                arguments["draws"] = given.draws.text
            if self.search.prober.embedding:
                arguments["embedding"] = self.search.prober.embedding
            if given.method:
                arguments["method"] = given.method
            if given.reading.stepwise:
                text = text.replace("output", "h_n").replace("c_all", "c_n")
            arguments |= {"returns": text, **given.reading.options()}
            if self.search.prober.square:
                arguments["square"] = True
            if self.found.construction is not None and self.found.construction.takes_rows:
                arguments["batch_size"] = True
            if self.search.prober.tensors:
                arguments["tensors"] = True
            factory: Callable[..., Any] = self.found.construction or self.target
            try:
                mine = HandWritten(factory, name=self.name, **arguments)
            except UsageError as error:
                known = guess.exact and re.search("output|h_n", text)
                what = str(error) if known else NOTHING
                what = AFTER_RELU.format(text.partition("(")[0]) if "relu(" in text else what
                raise UsageError(f"{self.name!r}: {what}") from error
            mine.around = self.around
            exchanged = [*self.search.prober.misnamed(given), *misnamed(mine.usage.answer)]
            wrong = [*faults, *ignored, *exchanged, *unlike]
            yield _Adapter(arguments, mine, wrong, unlike, unverified)

    def _returns(self, guess: Guess) -> Returns:
        what = _returned(guess, self.search)
        right = self.found.right
        if right is None or re.search("output|h_n", what.text):
            return what
        # where an answer of more layers equals nothing, it has the form of one of fewer layers
        what = _returned(right.guess, right.search)
        return what._replace(text=what.text.replace("[0]", "[-1]"))

    def _remarks(self, arguments: dict[str, Any], mine: HandWritten) -> Iterator[str]:
        """Yield what else to know of a class that fits."""
        if isinstance(arguments.get("bias"), tuple):
            *others, last = arguments["bias"]
            yield f"{', '.join(others)} and {last} can be exchanged: only their sum matters"
        if LENGTHS in Call(arguments["call"]).names and not mine.supports.lengths:
            yield "rows of different lengths are not verified"
        if Call(arguments["call"]).starts_at_zero:
            yield "only one initial state can be given, so that both are verified with zeros"
        for name, state in self.found.guess.initial.items():
            yield f"{name} is the initial {state} and keeps the value from the constructor"
        for other in self.found.others:
            named, faults = mapping.parameters(other, self.search)
            if not faults and any(arguments.get(key) != value for key, value in named.items()):
                listed = ", ".join(f"{key}={value!r}" for key, value in named.items())
                yield f"this fits as well: {listed}"


def _returned(guess: Guess, search: Search) -> Returns:
    """Return what the answer to a call as in `guess` consists of."""
    answer = search.whole_answer(guess)
    assert answer is not None
    return returns(guess, search, answer)
