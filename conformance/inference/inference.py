"""From the name of a class or function to its adapter, or to what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from inspect import isfunction
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from conformance.checking.comparison import against_reference
from conformance.checking.engine import examine
from conformance.checking.finding import Finding
from conformance.diagnosis import diagnose
from conformance.diagnosis.alternatives.equations import STATES
from conformance.errors import UsageError
from conformance.implementations.by_hand import HandWritten
from conformance.implementations.by_hand.expressions import Call
from conformance.implementations.by_hand.usage import Around
from conformance.implementations.failures import lenient
from conformance.implementations.loading import find, missing
from conformance.inference import mapping
from conformance.inference.finder import Finder, Found
from conformance.inference.guess import Guess
from conformance.inference.returns import Returns, returns
from conformance.inference.search import Search
from conformance.inference.ways import calls
from reference import DTYPES, Configuration


@dataclass(frozen=True)
class Inference:
    """What was found out: the adapter, or the nearest, as source and as an object.

    `faults` says what is wrong with the class; without any the adapter fits. `partly` says that it
    fits as long as sizes are not extreme. `remarks` says what else there is to know, such as other
    mappings that fit as well.
    """

    name: str
    code: str
    implementation: HandWritten
    faults: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    partly: bool = False

    @property
    def fits(self) -> bool:
        """Whether the class computes the LSTM under this mapping."""
        return not self.faults

    def lines(self) -> list[str]:
        """For the terminal and for a file: comments that say what was found, and the source."""
        if self.fits:
            comments = [
                f"{self.name} computes the LSTM. In a file mine.py this is verified by",
                "",
                "    lstm-conformance verify mine.py:mine",
                "",
            ]
        else:
            what = "computes the LSTM in some cases only" if self.partly else "computes no LSTM"
            comments = [f"{self.name} {what}. The nearest mapping is below.", ""]
        comments += [f"Wrong: {fault.removesuffix('.')}." for fault in self.faults]
        comments += [f"Note: {remark}." for remark in self.remarks]
        return [f"# {line}".rstrip() for line in comments] + [self.code]


@lenient()
def infer(name: str) -> Inference:
    """How the class or function of that name, as ``path/to/file.py:Class``, is verified.

    Raises :class:`UsageError` where there is no such thing, where it cannot be constructed or
    called, and where no parameters have the shapes of an LSTM's.
    """
    module, attribute, neighbours = find(name)
    target = getattr(module, attribute, None)
    if not callable(target):
        raise missing(module, attribute, name, "class or function ", _is_inferred)
    complaint = ""
    for dtype in ("float64", "float32"):
        finder = Finder(target, DTYPES[dtype], lambda: neighbours)
        found = finder.best()
        if found is not None:
            place = module.__name__.removeprefix("lstm_under_test_")
            return _Conclusion(name, target, place, found, lambda: neighbours).drawn()
        complaint = complaint or finder.complaint
    raise UsageError(f"{name!r}: {complaint}")


def _is_inferred(value: Any) -> bool:
    return isinstance(value, type) or isfunction(value)


class _Adapter(NamedTuple):
    """One way to call it: arguments, the adapter itself, what is wrong, what is not verified."""

    arguments: dict[str, Any]
    mine: HandWritten
    faults: list[str]
    unverified: list[str]


class _Conclusion:
    """From what was found to an :class:`Inference`."""

    def __init__(
        self, name: str, target: Callable[..., Any], place: str, found: Found, around: Around
    ) -> None:
        self.name = name
        self.target = target
        self.place = place
        self.found = found
        self.around = around
        self.search = found.search

    def drawn(self) -> Inference:
        """The adapter, tried out, with everything that is wrong."""
        adapters = list(self._adapters())
        failures = [_failure(each.mine) for each in adapters]
        chosen = failures.index(None) if None in failures else 0
        (arguments, mine, faults, unverified), failed = adapters[chosen], failures[chosen]
        exact = bool(self.found.guess.exact)
        partly = exact and not faults and failed is not None
        if failed is not None and (partly or not exact):
            nearest = "" if exact else "no mapping fits; with the nearest: "
            faults = [f"{nearest}{failed.failure} in {failed.case!r}", *diagnose(failed).lines()]
        remarks: list[str] = []
        if not faults:
            remarks += self._remarks(arguments)
            remarks += [
                f"call={other.arguments['call']!r} fits as well"
                for n, other in enumerate(adapters)
                if n != chosen and failures[n] is None
            ]
        if exact:
            remarks += [f"{place} is not verified" for place in unverified]
        construction, written = self.found.construction, self.target.__name__
        factory = construction.code if construction else written
        code = mapping.source(written, self.place, factory, arguments)
        return Inference(self.name, code, mine, tuple(faults), tuple(remarks), partly)

    def _adapters(self) -> Iterator[_Adapter]:
        """One for each call that may be right."""
        guess = self.found.guess
        named, wrong = mapping.parameters(guess, self.search)
        faults = [f"it is an LSTM {each}" for each in guess.says] + wrong
        for given, optional, ignored in self._calls(guess):
            text, unlike, unverified = self._returns(given)
            arguments: dict[str, Any] = {**named, "call": given.call.text}
            if given.call.takes_states and not optional:
                arguments["states_optional"] = False
            if given.method:
                arguments["method"] = given.method
            arguments |= {"returns": text, **given.reading.options()}
            if self.search.prober.tensors:
                arguments["tensors"] = True
            mine = self._adapter(arguments)
            yield _Adapter(arguments, mine, [*faults, *ignored, *unlike], unverified)

    def _adapter(self, arguments: dict[str, Any]) -> HandWritten:
        factory: Callable[..., Any] = self.found.construction or self.target
        try:
            mine = HandWritten(factory, name=self.name, **arguments)
        except UsageError as error:
            raise UsageError(f"{self.name!r}: {error}") from error
        mine.around = self.around
        return mine

    def _returns(self, guess: Guess) -> Returns:
        returned = self.search.whole_answer(guess)
        assert returned is not None
        return returns(guess, self.search, returned)

    def _calls(self, guess: Guess) -> list[tuple[Guess, bool, list[str]]]:
        """Calls that give states, whether these can be left out, and what is wrong.

        The first are those where states look as they do when they come back.
        """
        if guess.call.takes_states:
            # in float32, as many make the states that are left out in the default dtype
            in_float32 = replace(self.search.prober, dtype=DTYPES["float32"])
            search = Search(in_float32, self.search.shapes)
            omitted = search.whole(replace(guess, call=Call("input")))
            random = guess.exact and not omitted.exact and np.isfinite(omitted.error)
            wrong = ["left out, the initial states are not zeros"] * bool(random)
            return [(guess, bool(omitted.exact), wrong)]
        tried = (
            self.search.whole(replace(guess, call=Call(text))) for text in calls(guess.reading.cell)
        )
        ran = [each for each in tried if each.call.takes_states and np.isfinite(each.error)]
        if not ran:
            return [(guess, True, [])]
        most = max((given.exact, given.total) for given in ran)
        right = [given for given in ran if given.exact and (given.exact, given.total) == most]
        if not right and guess.exact:
            return [(ran[0], True, [self._ignored(ran)])]
        flat = "[0]" in self._returns(guess).text
        right.sort(key=lambda given: ("[0]" in given.call.text) != flat)
        return [(given, True, []) for given in right or ran[:1]]

    def _ignored(self, ran: list[Guess]) -> str:
        """What is wrong with states that can be given and do not count as they should."""
        for given, each in product(ran, STATES):
            equations = replace(given.equations, carried=each.carried, taken=each.taken)
            if self.search.whole(replace(given, equations=equations)).exact:
                return f"it is an LSTM {each.says}"
        return "given initial states do not count as h_0 and c_0"

    def _remarks(self, arguments: dict[str, Any]) -> Iterator[str]:
        if isinstance(arguments.get("bias"), tuple):
            first, second = arguments["bias"]
            yield f"{first} and {second} can change places: only their sum counts"
        for name, state in self.found.guess.initial.items():
            yield f"{name} is the initial {state} and stays as it is constructed"
        for other in self.found.others:
            named, faults = mapping.parameters(other, self.search)
            if not faults and any(arguments.get(key) != value for key, value in named.items()):
                listed = ", ".join(f"{key}={value!r}" for key, value in named.items())
                yield f"this fits as well: {listed}"


def _failure(mine: HandWritten) -> Finding | None:
    """What is found on the first of a few cases, uniform in (-1, 1), on which `mine` is wrong.

    The simplest come first; a class that needs more than one row, step or unit shows on them.
    """
    sizes = ((1, 1, 1, 2), (2, 3, 5, 1), (3, 5, 4, 2), (4, 2, 6, 3))
    for seed, (input_size, hidden_size, steps, rows) in enumerate(sizes):
        for states in mine.supports.states:
            case = mine.small_case(
                mine.supports.dtypes[0],
                states=states,
                configuration=Configuration(input_size, hidden_size),
                steps=steps,
                rows=rows,
                fill=partial(np.random.default_rng(seed).uniform, -1, 1),
            )
            found = examine(against_reference, mine, case)
            if isinstance(found, Finding):
                return found
    return None
