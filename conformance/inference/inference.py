"""From the name of a class or function to its adapter, or to what is wrong with it."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from conformance.comparison import against_reference
from conformance.errors import UsageError, told
from conformance.failures import Misbehaviour, Mismatch
from conformance.hand_written import HandWritten
from conformance.hand_written.expressions import Call
from conformance.inference import mapping
from conformance.inference.construction import Construction, constructions
from conformance.inference.forms import calls, signatures
from conformance.inference.probing import Prober, methods
from conformance.inference.readings import MIXED, READINGS
from conformance.inference.schemes import schemes
from conformance.inference.search import Guess, Search, best
from conformance.loading import find
from reference import DTYPES, Case, Configuration

SIZES = ((3, 5, 6, 4), (1, 1, 1, 1), (2, 3, 1, 5), (4, 2, 5, 2))
"""input_size, hidden_size, steps and rows that an adapter is tried with in the end."""


@dataclass(frozen=True)
class Inference:
    """What was found out: the nearest adapter as source and as an object.

    `faults` says what is wrong with the class; without any the adapter fits. `remarks` says what
    else there is to know, such as other mappings that fit as well.
    """

    name: str
    code: str
    implementation: HandWritten
    faults: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether the class computes the LSTM under this mapping."""
        return not self.faults


def infer(name: str) -> Inference:
    """How the class or function of that name, as ``path/to/file.py:Class``, is verified.

    Raises :class:`UsageError` where there is no such thing, where it cannot be constructed or
    called, and where no parameters have the shapes of an LSTM's.
    """
    module, attribute, neighbours = find(name)
    target = getattr(module, attribute, None)
    if not callable(target):
        raise UsageError(f"{name!r}: there is no class or function {attribute!r}")
    with contextlib.suppress(ImportError):
        import torch

        torch.set_num_threads(1)
    complaint = ""
    for dtype in ("float64", "float32"):
        finder = _Finder(name, target, dtype, lambda: neighbours)
        found = finder.best()
        if found is not None:
            return finder.inference(found, _importable(module.__name__))
        complaint = complaint or finder.complaint
    raise UsageError(f"{name!r}: {complaint}")


def _importable(module: str) -> str:
    return module.removeprefix("lstm_under_test_")


class _Finder:
    """The search for one class or function, in one dtype."""

    def __init__(
        self,
        name: str,
        target: Callable[..., Any],
        dtype: str,
        around: Callable[[], contextlib.AbstractContextManager[object]],
    ) -> None:
        self.name = name
        self.target = target
        self.dtype = DTYPES[dtype]
        self.around = around
        self.construction: Construction | None = None
        self.complaint = ""
        self.search: Search
        self.others: list[Guess] = []

    def best(self) -> Guess | None:
        """The best guess, or None if nothing could be called at all."""
        found: list[tuple[Guess, Search]] = []
        for search, starts in self._searches():
            self.search = search
            guess = self._followed(starts)
            if guess is not None:
                found.append((guess, search))
                if guess.exact and not guess.flaws:
                    break
            self.complaint = search.prober.complaint or self.complaint
        if not found:
            return None
        guess, self.search = min(found, key=lambda pair: pair[0].rank)
        return guess

    def _searches(self) -> Iterator[tuple[Search, list[Guess]]]:
        if not isinstance(self.target, type):
            for cell in (False, True):
                for signature in signatures(self.target, cell):
                    prober = Prober(self.dtype, None, self.target, self.around)
                    search = Search(prober, signature.shapes)
                    yield (
                        search,
                        [
                            Guess(scheme, "", Call(signature.call), reading)
                            for scheme in schemes(signature.shapes)
                            for reading in READINGS
                            if reading.cell == cell
                        ],
                    )
            self.complaint = self.complaint or "its arguments are not those of an LSTM"
            return
        for construction in constructions(self.target):
            prober = Prober(self.dtype, construction, None, self.around)
            try:
                made = prober.subject()
            except (Exception, SystemExit) as error:
                self.complaint = f"constructing it raised {told(error)}"
                continue
            shapes = made.shapes()
            fitting = list(schemes(shapes))
            if not fitting:
                listed = ", ".join(f"{key} {shape}" for key, shape in shapes.items())
                self.complaint = (
                    f"no parameters have the shapes of an LSTM's with 3 inputs and 5 hidden "
                    f"units: {listed or 'there are none'}"
                )
                continue
            self.construction = construction
            for scheme in fitting:
                yield (
                    Search(prober, shapes),
                    [
                        Guess(scheme, method, Call(call), reading)
                        for method in methods(made.holder)
                        for reading in READINGS
                        for call in calls(reading.cell)
                    ],
                )

    def _followed(self, starts: list[Guess]) -> Guess | None:
        """The best guess that grows from these, or None if none of them can be called."""
        stateless = [start for start in starts if start.call.text == "input"]
        mixed = [replace(start, reading=MIXED) for start in stateless if start.reading.axes == 3]
        stateful = [start for start in starts if start not in stateless]
        reached: list[Guess] = []
        for group, faulty in ((stateless, False), (stateful, False), (mixed, False)):
            reached = best(g for start in group for g in self.search.by_x(start, faulty))
            if reached and reached[0].exact and not reached[0].flaws:
                break
        else:
            for group in (stateless, mixed, stateful):
                tried = best(g for start in group for g in self.search.by_x(start, True))
                reached = best([*reached, *tried])
                if tried and group is not stateless:
                    break
        if not reached:
            return None
        finished = best(self.search.whole(guess) for guess in self._completed(reached))
        if not finished:
            return None
        self.others = [
            each for each in finished[1:] if each.exact and not each.flaws and finished[0].exact
        ]
        return finished[0]

    def _completed(self, guesses: list[Guess]) -> list[Guess]:
        if guesses[0].scheme.hh or guesses[0].scheme.joined:
            guesses = best(g for guess in guesses for g in self.search.by_h(guess))
        for name in guesses[0].scheme.biases if guesses else ():
            guesses = best(g for guess in guesses for g in self.search.bias(guess, name))
        return guesses

    def inference(self, guess: Guess, module: str) -> Inference:
        """The adapter for `guess`, tried out, with everything that is wrong."""
        search = self.search
        faults = [each for each in (guess.equations.fault, guess.reading.fault) if each]
        arguments, wrong = mapping.parameters(guess, search)
        faults += wrong
        guess, told_states, wrong = self._with_states(guess)
        faults += wrong
        returned = search.answer(guess, hh=True, biases=guess.biases)
        assert returned is not None
        text, wrong = mapping.returns(guess, search, returned)
        faults += wrong
        arguments["call"] = guess.call.text
        if guess.call.takes_states and not told_states:
            arguments["states_optional"] = False
        if guess.method:
            arguments["method"] = guess.method
        arguments["returns"] = text
        arguments |= guess.reading.options()
        factory: Callable[..., Any] = self.construction or self.target
        code = self.construction.code if self.construction else self.target.__name__
        mine = HandWritten(factory, name=self.name, **arguments)
        mine.around = self.around
        if not faults:
            faults += _tried(mine, self.dtype.name)
        source = mapping.source(self.target.__name__, module, code, arguments)
        return Inference(self.name, source, mine, tuple(faults), tuple(self._remarks(arguments)))

    def _with_states(self, guess: Guess) -> tuple[Guess, bool, list[str]]:
        """`guess` with the call that gives states, if they can be left out, and what is wrong."""
        if guess.call.text != "input":
            return guess, False, []
        ran: list[Guess] = []
        for text in calls(guess.reading.cell):
            given = replace(guess, call=Call(text))
            if not given.call.takes_states:
                continue
            tried = self.search.whole(given)
            if tried.exact and np.isfinite(tried.error):
                return tried, True, []
            if np.isfinite(tried.error):
                ran.append(given)
        for given in ran:
            for taken, fault in (
                ("c", "a given h_0 is ignored"),
                ("h", "a given c_0 is ignored"),
                ("", "given initial states are ignored"),
            ):
                equations = replace(given.equations, taken=taken)
                if self.search.whole(replace(given, equations=equations)).exact:
                    return given, True, [fault]
        return (
            (ran[0], True, ["given initial states count in another way"])
            if ran
            else (
                guess,
                True,
                [],
            )
        )

    def _remarks(self, arguments: dict[str, Any]) -> Iterator[str]:
        if isinstance(arguments.get("bias"), tuple):
            first, second = arguments["bias"]
            yield f"{first} and {second} can change places: only their sum counts"
        for other in self.others:
            found, faults = mapping.parameters(other, self.search)
            if not faults and any(found.get(key) != arguments.get(key) for key in found):
                listed = ", ".join(f"{key}={value!r}" for key, value in found.items())
                yield f"this fits as well: {listed}"


def _tried(mine: HandWritten, dtype: str) -> list[str]:
    """What is wrong with an adapter on a few cases of other sizes."""
    for n, sizes in enumerate(SIZES):
        for states in mine.supports.states:
            case = _random(mine, dtype, sizes, states, n)
            try:
                against_reference(mine, case)
            except (Mismatch, Misbehaviour) as error:
                return [f"{error} in {case!r}"]
    return []


def _random(
    mine: HandWritten, dtype: str, sizes: tuple[int, int, int, int], states: bool, seed: int
) -> Case:
    input_size, hidden_size, steps, rows = sizes
    configuration = Configuration(
        input_size, hidden_size, bias=bool(mine.parameters.biases), batch_first=mine.batch_first
    )
    rng = np.random.default_rng(seed)

    def some(*shape: int) -> Any:
        return rng.uniform(-1, 1, shape).astype(DTYPES[dtype].numpy)

    leading = (steps, rows)[:: -1 if mine.batch_first else 1] if mine.batched else (steps,)
    state = (1, *((rows,) if mine.batched else ()), hidden_size)
    return Case(
        configuration,
        {name: some(*shape) for name, shape in configuration.parameter_shapes().items()},
        some(*leading, input_size),
        some(*state) if states else None,
        some(*state) if states else None,
    )
