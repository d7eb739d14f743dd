"""Calls an unknown class or function, and takes apart what it returns."""

from __future__ import annotations

import contextlib
import inspect
import re
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from conformance.implementations.by_hand.expressions import LENGTHS, Call
from conformance.implementations.by_hand.subjects import Subject, subject
from conformance.implementations.by_hand.usage import Around
from conformance.implementations.failures import Misbehaviour
from conformance.inference import squared
from conformance.inference.leaves import Leaf, Returned, by_part, form_of
from conformance.inference.names import (
    KEPT_STATES,
    STATES_CALLED,
    is_plain,
    named_state,
    needs,
    without_self,
)
from conformance.inference.numbers import EXTRA, HIDDEN, INPUT, split
from conformance.inference.ways import spelled
from conformance.recording.text import told
from reference import Array, DType

if TYPE_CHECKING:
    from conformance.inference.construction import Construction
    from conformance.inference.guess import Guess


@dataclass
class Prober:
    """Makes instances of an unknown class, fills and calls them, whatever they raise.

    - `dtype`: the dtype of parameters and arguments
    - `factory`: makes an instance of given sizes; None for a function
    - `function`: is called with its parameters as arguments if there is no factory
    - `around`: a context for everything that the class does
    - `tensors`: whether a function takes tensors
    - `square`: the weights by x of a class whose input has as many features as a state
    - `embedding`: what embeds the tokens that the class takes; empty if it takes none
    - `complaint`: the first exception raised, in words
    - `drawn`: the shapes of the random tensors that the class made in the last call
    - `narrowed`: whether an array of another dtype than `dtype` came back
    - `calls`: the number of calls made
    - `unbound`: whether there were arguments that are not taken
    - `answered`: whether a call returned something
    - `overwritten`: the names of the arguments whose arrays the last call changed
    - `of_rows`: the methods that returned something for several rows, and whether for one step
    """

    dtype: DType
    factory: Construction | None = None
    function: Callable[..., Any] | None = None
    around: Around = contextlib.nullcontext
    tensors: bool = False
    square: tuple[str, ...] = ()
    embedding: str = ""
    complaint: str = ""
    drawn: tuple[tuple[int, ...], ...] = ()
    narrowed: bool = False
    calls: int = 0
    unbound: bool = False
    answered: bool = False
    of_rows: frozenset[tuple[str, bool]] = frozenset()
    overwritten: frozenset[str] = frozenset()
    _signatures: dict[str, inspect.Signature | None] = field(default_factory=dict, init=False)

    def subject(self, rows: int = EXTRA) -> Subject:
        """Make a new instance; `rows` is the batch size for a constructor that takes one."""
        with self.around():
            if self.factory is None:
                return subject(self.function, self.dtype, "cpu", self.tensors)
            return subject(self.factory(INPUT, HIDDEN, rows), self.dtype)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Give the shapes of parameters, by the names by which they are filled.

        Those of `square` are as if the input had fewer features.
        """
        found = split(self.subject().shapes())
        return {
            name: squared.narrow(shape) if name in self.square else shape
            for name, shape in found.items()
            if not re.search(KEPT_STATES, name)
        }

    def call(
        self, way: Guess, values: Mapping[str, Array], parameters: Mapping[str, Array]
    ) -> Returned | None:
        """Call a new instance in this way, and return its answer, None if it raises.

        `values` and `parameters` are arrays by name.
        """
        answers = self.answers(way, values, parameters)
        return answers[0] if answers else None

    def answers(
        self,
        way: Guess,
        values: Mapping[str, Array],
        parameters: Mapping[str, Array],
        count: int = 1,
        before: Callable[[Any], object] = id,
    ) -> list[Returned]:
        """List the answers of one new instance to the same call; none if it raises.

        `before` gets the instance before each call.
        """
        if not self._binds(way):
            self.unbound = True
            return []
        torch = sys.modules.get("torch")
        with warnings.catch_warnings(), torch.no_grad() if torch else contextlib.nullcontext():
            warnings.simplefilter("ignore")
            try:
                made = self.subject(way.reading.rows)
                given = {key: array.astype(self.dtype.numpy) for key, array in values.items()}
                filled = {name: a.astype(self.dtype.numpy) for name, a in parameters.items()}
                given |= {} if self.factory else filled
                for name, array in filled.items() if self.factory else ():
                    made.fill(name, squared.wide(array) if name in self.square else array)
                answers = []
                for _ in range(count):
                    before(made.holder)
                    answers.append(self._answer(made, way, given))
                return answers
            except (Exception, SystemExit) as error:
                text = str(error) if isinstance(error, Misbehaviour) else told(error)
                self.complaint = self.complaint or text
        return []

    def _answer(self, made: Subject, way: Guess, values: Mapping[str, Array]) -> Returned:
        x = squared.wide(values["input"]) if self.square else values["input"]
        tokens = made.embed(self.embedding, x)[0] if self.embedding else made.given(x)
        given = {key: made.given(array) for key, array in values.items()} | {"input": tokens}
        names, columns = way.call.names, way.reading.columns
        given |= made.constants(names, HIDDEN, columns, self.dtype.numpy)
        given[LENGTHS] = made.given(np.full(way.reading.rows, way.reading.steps))
        self.calls += 1
        drawn = way.draws.arguments(given, made)[0] if way.draws else None
        steps = given["input"] if way.reading.stepwise else [given["input"]]
        answers = []
        with self.around(), made.drawing(drawn) as shapes:
            for step in steps:
                positional, named = self.spelled(way).arguments({**given, "input": step}, made)
                answer, inputs = made.called(way.method, positional, named, made.submodules())
                answers.append(answer)
        answer = by_part(answers) if way.reading.stepwise else answers[0]
        self.drawn = tuple(shapes)
        arrays = {
            key: values[key] for key in ("h_0", "c_0", *["input"] * (tokens is x)) if key in values
        }
        self.overwritten = frozenset(
            key for key, array in arrays.items() if not np.array_equal(given[key], array)
        )
        leaves: list[Leaf] = []
        form = form_of(answer, made, leaves)
        self.narrowed |= any(leaf.dtype != self.dtype.numpy for leaf in leaves)
        modules = [
            Leaf(np.asarray(made.taken(value, name), np.float64), name)
            for name, value in inputs.items()
            if hasattr(value, "detach")
        ]
        self.answered = True
        # steps that were taken for rows are a list of what has no rows
        sizes = [size for leaf in (*leaves, *modules) for size in leaf.array.shape[leaf.listed :]]
        if way.reading.rows > 1 and any(size and size % way.reading.rows == 0 for size in sizes):
            self.of_rows |= {(way.method, way.reading.cell or way.reading.stepwise)}
        return Returned(form, leaves, modules)

    def _binds(self, way: Guess) -> bool:
        """Return whether such arguments are taken, as far as that can be seen."""
        signature = self._signature(way.method)
        if signature is None:
            return True
        positional, named = self.spelled(way).form
        try:
            bound = signature.bind(*positional, **named).arguments
        except TypeError:
            return False
        # an argument whose default is a number or a text takes no state
        return not any(is_plain(signature.parameters[name]) for name in bound)

    def spelled(self, way: Guess) -> Call:
        """Return the call with lengths, and with names for the arguments that are taken by name."""
        return spelled(self._signature(way.method), way.call)

    def misnamed(self, way: Guess) -> list[str]:
        """Say which arguments whose names are those of one state are used as the other."""
        states = {name: re.match("[hc]_0", text) for name, text in self._given(way).items()}
        return [
            f"{name} is used as {state[0]}"
            for name, state in states.items()
            if state and named_state(name) not in ("", state[0][0])
        ]

    def takes_states(self, way: Guess) -> bool:
        """Return whether the names of the arguments that get initial states are those of states."""
        given = [name for name, text in self._given(way).items() if re.search("[hc]_0", text)]
        return bool(given) and all(re.search(STATES_CALLED, name.lower()) for name in given)

    def _given(self, way: Guess) -> dict[str, str]:
        """Return what the arguments of a class get, by name, but not those that a *args takes."""
        signature, (positional, named) = self._signature(way.method), self.spelled(way).form
        if signature is None or self.factory is None:
            return {}
        bound = signature.bind(*positional, **named).arguments
        return {name: text for name, text in bound.items() if isinstance(text, str)}

    @property
    def needs(self) -> str:
        """Which arguments of a call cannot be supplied, in words, "" if all can."""
        signatures = [each for each in self._signatures.values() if each and self.factory]
        return next(filter(None, map(needs, signatures)), "")

    @property
    def obstacle(self) -> str:
        """Why no call returned anything: what the first raised, and which arguments are taken."""
        taken = next(filter(None, self._signatures.values()), None)
        what = f"a call takes {taken}" if taken else ""
        if self.needs:
            return self.needs
        if not self.complaint:
            return what and f"{what}, but infer does not call an LSTM so"
        return f"{self.complaint}; {what}" if what and self.unbound else self.complaint

    def _signature(self, method: str) -> inspect.Signature | None:
        """Return the signature of what is called, None if it has none."""
        if method not in self._signatures:
            self._signatures[method] = None
            with contextlib.suppress(Exception, SystemExit):
                made = self.subject()
                called = "forward" if made.registered and not method else method
                what = getattr(made.holder, called) if called else made.holder
                self._signatures[method] = without_self(inspect.signature(what))
        return self._signatures[method]
