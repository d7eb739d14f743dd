"""Calls of a hand-written LSTM, and conversion of its answers to output, h_n and c_n."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.implementations.by_hand.answers import Answer, Part
from conformance.implementations.by_hand.expressions import GIVEN, LENGTHS, Call
from conformance.implementations.by_hand.subjects import Subject, Values
from conformance.implementations.failures import NoResult, WrongAttribute, blamed
from reference import RESULTS, Array, Case

Around = Callable[[], contextlib.AbstractContextManager[object]]
"""A function that makes a context in which all code of the user is run."""


@dataclass(frozen=True)
class Usage:
    """The way in which an LSTM is called; :class:`conformance.HandWritten` describes each field.

    `batch_first` is about the input, and about the output unless `turns_output`.
    """

    call: Call
    answer: Answer
    method: str
    batch_first: bool
    cell: bool
    columns: bool
    steps_last: bool = False
    draws: Call | None = None
    turns_output: bool = False

    @property
    def takes_states(self) -> bool:
        """Whether initial states are given, as arguments or in place of random ones."""
        return self.call.takes_states or (self.draws is not None and self.draws.takes_states)

    @property
    def shows_steps(self) -> bool:
        """Whether all steps show at once; else output takes as many calls as there are steps."""
        return self.cell or "output" in self.answer.names

    def turned(self, name: str, value: Any) -> Any:
        """Convert an argument from PyTorch's axes to those of the class."""
        if name not in GIVEN:
            return value
        if self.columns:
            value = value.swapaxes(-1, -2)
        if self.steps_last and name == "input":
            value = value.swapaxes(0, 2).swapaxes(0, 1)
        return value

    def back(self, part: Part, value: Any) -> Any:
        """Convert a result from the axes of the class to those of PyTorch."""
        steps = part.name in ("output", "c_all")
        if self.steps_last and steps:
            value = value.swapaxes(0, 1).swapaxes(0, 2)
        value = value.swapaxes(-1, -2) if self.columns else value
        return value.swapaxes(0, 1) if self.turns_output and steps and not part.flat else value


def lengths_of(case: Case) -> Array:
    """Return the number of steps of each row of `case`, (N,); of one row without a batch axis."""
    if case.lengths is not None:
        return case.lengths.astype(np.int64)
    return np.full(case.batch_size if case.batched else 1, case.seq_len)


@dataclass(frozen=True)
class Run:
    """The calls with which an LSTM computes a case.

    - `made`: what is called, as in `usage`;
    - `given`: input, initial states and, for a function, parameters, by name;
    - `around`: makes a context for each call.
    """

    usage: Usage
    made: Subject
    case: Case
    given: Values
    around: Around

    @property
    def states(self) -> int:
        """The number of layers times that of directions."""
        return self.case.configuration.num_layers * self.case.configuration.num_directions

    def results(self) -> Values:
        """Compute output, h_n and c_n, as far as they are returned, in PyTorch's shapes."""
        if self.usage.cell:
            return self._stepped()
        results = self._called()
        time = int(self.usage.batch_first)
        last = (slice(None),) * time + (-1,)
        c = self.case.configuration
        made = self.usage.answer.results(c.num_layers, c.num_directions)
        if "output" in made and "output" not in results:
            results["output"] = self._from_ends(results)
        if "c_n" not in results and "c_all" in results:
            results["c_n"] = results["c_all"][last][None]
        if "h_n" not in results and self.states == 1:
            results["h_n"] = results["output"][last][None]
        return {name: results[name] for name in RESULTS if name in results}

    def _from_ends(self, whole: Values) -> Any:
        """Return the output of an LSTM that returns its final state alone.

        The output of step t is the final h of a call on the first t steps alone, and that of the
        reverse direction the final h of a call on all steps but the first t.
        """
        time, count = int(self.usage.batch_first), self.case.configuration.num_directions

        def ends(where: slice) -> Any:
            part = self.given["input"][(slice(None),) * time + (where,)]
            every = where == slice(0, self.case.seq_len)
            changes = {"input": part}
            if LENGTHS in self.given:
                changes[LENGTHS] = self.given[LENGTHS].clip(max=where.stop) - where.start
            return self._shaped(whole if every else self._called(**changes))

        steps = range(self.case.seq_len)
        rows = [ends(slice(0, t + 1))[-count] for t in reversed(steps)][::-1]
        if self.case.lengths is not None:  # the last step of each row is the one of the whole call
            last, ended = self._shaped(whole)[-count], self.case.lengths - 1
            rows = [
                self.made.stack([(last if ended[n] == t else row)[n] for n, _ in enumerate(ended)])
                for t, row in enumerate(rows)
            ]
        if count == 2:
            backwards = [ends(slice(t, self.case.seq_len))[-1] for t in steps]
            rows = [self.made.cat(both) for both in zip(rows, backwards, strict=True)]
        return self.made.stack(rows, time)

    def _shaped(self, results: Values) -> Any:
        """Return h_n if it has the right shape, of all layers or of the top one."""
        state, expected = results["h_n"], self.case.state_shape(self.case.configuration.hidden_size)
        top = (self.case.configuration.num_directions, *expected[1:])
        if tuple(state.shape) not in (expected, top):
            raise WrongAttribute("h_n", "shape", tuple(state.shape), expected, state)
        return state

    def _stepped(self) -> Values:
        """Step a cell, or a stack of cells, through the input, from each step's state to the next.

        A cell alone takes and returns states without an axis of layers, unless the descriptions of
        call and answer show one. One that takes no states keeps them itself.
        """
        given, flat = self.given, self.states == 1 and not self.usage.call.keeps_axes
        state = {name: given[name] for name in GIVEN[1:] if name in given}
        whole = {part.name for part in self.usage.answer.parts if part.index is None}
        outputs = []
        for step in given["input"]:
            taken = {name: each[0] if flat else each for name, each in state.items()}
            results = self._called(input=step, **taken)
            for name in whole & results.keys() if self.states == 1 else ():
                results[name] = results[name][None]
            state = {f"{name[0]}_0": each for name, each in results.items()}
            outputs.append(results["h_n"][-1])
        return {**results, "output": self.made.stack(outputs)}

    def _called(self, **changes: Any) -> Values:
        """Make one call, with `changes` of what is given; returns its results by name."""
        usage, made = self.usage, self.made
        given = {**self.given, **changes}
        values = {name: usage.turned(name, each) for name, each in given.items()}
        positional, named = usage.call.arguments(values, made)
        drawn = usage.draws.arguments(values, made)[0] if usage.draws else None
        with blamed(), self.around(), made.drawing(drawn) if drawn else contextlib.nullcontext():
            answer, inputs = made.called(usage.method, positional, named, usage.answer.hooked)
        try:
            parts = usage.answer.read(answer, inputs)
            for part, value in parts.items():
                if isinstance(value, (list, tuple)):
                    rows_first = usage.batch_first != usage.turns_output
                    axis = int(rows_first) if part.name in ("output", "c_all") else 0
                    parts[part] = made.stack(list(value), axis)
            return self._gathered({part: usage.back(part, each) for part, each in parts.items()})
        except (TypeError, IndexError, ValueError, RuntimeError, AttributeError) as error:
            raise NoResult(f"returned a {type(answer).__name__}: {error}") from error

    def _gathered(self, parts: Mapping[Part, Any]) -> Values:
        """Put results together from their parts, and states from those of layers and directions.

        States of layers and directions that are not returned are NaN.
        """
        results: Values = {}
        single: dict[str, dict[int, Any]] = {}
        for part, value in parts.items():
            if part.index is not None:
                one = value[0] if part.sliced else value
                single.setdefault(part.name, {})[part.index % self.states] = one
            elif part.flat:
                axes, turns = self.case.input.shape[:-1], self.usage.turns_output
                second = axes[:1] if turns else axes[1:]
                results[part.name] = value.reshape(-1, *second, value.shape[-1])
                if turns:
                    results[part.name] = results[part.name].swapaxes(0, 1)
            else:
                results[part.name] = value
        for name, by_index in single.items():
            one = next(iter(by_index.values()))
            absent = float("nan") * (one.detach() if hasattr(one, "detach") else one)
            states = [by_index.get(index, absent) for index in range(self.states)]
            results[name] = self.made.stack(states) if len(states) > 1 else states[0][None]
        return results
