"""From the name of a class or function to its adapter, or to what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from inspect import isfunction
from typing import Any, NamedTuple

import numpy as np

from conformance.diagnosis import diagnose
from conformance.errors import UsageError
from conformance.implementations.by_hand import HandWritten
from conformance.implementations.by_hand.expressions import Call
from conformance.implementations.by_hand.usage import Around
from conformance.implementations.loading import find, missing
from conformance.inference import mapping
from conformance.inference.finder import Finder, Found
from conformance.inference.forms import calls
from conformance.inference.guess import Guess
from conformance.inference.returns import returns
from conformance.inference.search import Search
from conformance.inference.trials import failure
from reference import DTYPES


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
            said = [f"{self.name} computes the LSTM. In a file mine.py this is verified by", ""]
            said += ["    lstm-conformance verify mine.py:mine", ""]
        else:
            what = "computes the LSTM in some cases only" if self.partly else "computes no LSTM"
            said = [f"{self.name} {what}. The nearest mapping is below.", ""]
        said += [f"Wrong: {fault.removesuffix('.')}." for fault in self.faults]
        said += [f"Note: {remark}." for remark in self.remarks]
        return [f"# {line}".rstrip() for line in said] + [self.code]


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
    """Arguments, the adapter itself, what is wrong with the class, and what is not verified."""

    arguments: dict[str, Any]
    mine: HandWritten
    faults: list[str]
    unverified: list[str]


class _Conclusion:
    """From what was found to an :class:`Inference`."""

    def __init__(
        self,
        name: str,
        target: Callable[..., Any],
        place: str,
        found: Found,
        around: Around,
    ) -> None:
        self.name = name
        self.target = target
        self.place = place
        self.found = found
        self.around = around
        self.search: Search = found.search

    def drawn(self) -> Inference:
        """The adapter, tried out, with everything that is wrong."""
        adapters = list(self._adapters())
        failures = [failure(each.mine) for each in adapters]
        chosen = failures.index(None) if None in failures else 0
        arguments, mine, faults, unverified = adapters[chosen]
        failed = failures[chosen]
        exact = bool(self.found.guess.exact)
        partly = exact and not faults and failed is not None
        if failed is not None and (partly or not exact):
            told = "" if exact else "no mapping fits; with the nearest: "
            faults = [f"{told}{failed.failure} in {failed.case!r}"]
            faults += diagnose(failed).lines()
        remarks = list(self._remarks(arguments)) if not faults else []
        remarks += [
            f"call={other['call']!r} fits as well"
            for n, (other, *_) in enumerate(adapters)
            if n != chosen and failures[n] is None and not faults
        ]
        if exact:
            remarks += [f"{place} is not verified" for place in unverified]
        code = self._code(arguments)
        return Inference(self.name, code, mine, tuple(faults), tuple(remarks), partly)

    def _adapters(self) -> Iterator[_Adapter]:
        """One for each call that may be right."""
        guess = self.found.guess
        named, faults = mapping.parameters(guess, self.search)
        faults = [each for each in (guess.equations.fault, guess.reading.fault) if each] + faults
        for given, optional, wrong in self._calls(guess):
            returned = self.search.answer(given, hh=True, biases=given.biases)
            assert returned is not None
            text, unlike, unverified = returns(given, self.search, returned)
            arguments: dict[str, Any] = {**named, "call": given.call.text}
            if given.call.takes_states and not optional:
                arguments["states_optional"] = False
            if given.method:
                arguments["method"] = given.method
            arguments |= {"returns": text, **given.reading.options()}
            if self.search.prober.tensors:
                arguments["tensors"] = True
            wrong = [*faults, *wrong, *unlike]
            yield _Adapter(arguments, self._adapter(arguments), wrong, unverified)

    def _adapter(self, arguments: dict[str, Any]) -> HandWritten:
        factory: Callable[..., Any] = self.found.construction or self.target
        try:
            mine = HandWritten(factory, name=self.name, **arguments)
        except UsageError as error:
            raise UsageError(f"{self.name!r}: {error}") from error
        mine.around = self.around
        return mine

    def _code(self, arguments: dict[str, Any]) -> str:
        name = self.target.__name__
        factory = self.found.construction.code if self.found.construction else name
        return mapping.source(name, self.place, factory, arguments)

    def _calls(self, guess: Guess) -> list[tuple[Guess, bool, list[str]]]:
        """Calls that give states, whether these can be left out, and what is wrong.

        The first are those where states look as they do when they come back.
        """
        if guess.call.text != "input":
            alone = replace(guess, call=Call("input"))
            omitted = self.search.in_float32().whole(alone)
            random = guess.exact and not omitted.exact and np.isfinite(omitted.error)
            told = ["left out, the initial states are not zeros"] * bool(random)
            return [(guess, bool(omitted.exact), told)]
        ran = []
        for text in calls(guess.reading.cell):
            given = self.search.whole(replace(guess, call=Call(text)))
            if given.call.takes_states and np.isfinite(given.error):
                ran.append(given)
        if not ran:
            return [(guess, True, [])]
        returned = self.search.answer(guess, hh=True, biases=guess.biases)
        assert returned is not None
        flat = "[0]" in returns(guess, self.search, returned).text
        most = max((given.exact, given.total) for given in ran)
        right = [given for given in ran if given.exact and (given.exact, given.total) == most]
        right.sort(key=lambda given: ("[0]" in given.call.text) != flat)
        if right or not guess.exact:
            return [(given, True, []) for given in right or ran[:1]]
        return [(ran[0], True, [self._ignored(ran)])]

    def _ignored(self, ran: list[Guess]) -> str:
        """What is wrong with states that can be given and do not count as they should."""
        for given in ran:
            for taken, fault in (
                ("c", "a given h_0 is ignored"),
                ("h", "a given c_0 is ignored"),
                ("", "given initial states are ignored"),
            ):
                equations = replace(given.equations, taken=taken)
                if self.search.whole(replace(given, equations=equations)).exact:
                    return fault
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
