"""Calls of a hand-written LSTM, and conversion of its answers to output, h_n and c_n."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.implementations.by_hand.expressions import GIVEN, Answer, Call
from conformance.implementations.by_hand.subjects import Subject
from conformance.implementations.failures import NoResult, WrongAttribute, blamed
from reference import RESULTS, Case

Around = Callable[[], contextlib.AbstractContextManager[object]]
"""A function that makes a context in which all code of the user is run."""


@dataclass(frozen=True)
class Usage:
    """The way in which an LSTM is called; :class:`conformance.HandWritten` describes each field."""

    call: Call
    answer: Answer
    method: str
    batch_first: bool
    cell: bool
    columns: bool

    def results(
        self, made: Subject, case: Case, given: Mapping[str, Any], around: Around
    ) -> dict[str, Any]:
        """Compute output, h_n and, if it is returned, c_n, in PyTorch's shapes.

        - `made`: what is called;
        - `given`: input, initial states and, for a function, parameters, by name;
        - `around`: makes a context for the call.
        """

        def called(**changes: Any) -> dict[str, Any]:
            return self._called(made, {**given, **changes}, around)

        if self.cell:
            return self._stepped(made, given, called)
        results = called()
        time = int(self.batch_first)
        last = (slice(None),) * time + (-1,)
        if "output" not in results:
            # the output of step t is the final h of a call on the first t steps alone
            states = [results["h_n"]]
            for count in range(case.seq_len - 1, 0, -1):
                first = given["input"][(slice(None),) * time + (slice(count),)]
                states.append(called(input=first)["h_n"])
            rows = [_shaped(case, state)[0] for state in reversed(states)]
            results["output"] = made.stack(rows, time)
        if "h_n" not in results:
            results["h_n"] = results["output"][last][None]
        if "c_n" not in results and "c_all" in results:
            results["c_n"] = results["c_all"][last][None]
        return {name: results[name] for name in RESULTS if name in results}

    def _stepped(
        self, made: Subject, given: Mapping[str, Any], called: Callable[..., dict[str, Any]]
    ) -> dict[str, Any]:
        """Step a cell through the input, from each step's state to the next one's."""
        state = {name: given[name][0] for name in ("h_0", "c_0") if name in given}
        outputs = []
        for step in given["input"]:
            results = called(input=step, **state)
            state = {"h_0": results["h_n"], "c_0": results["c_n"]}
            outputs.append(state["h_0"])
        last = {"h_n": state["h_0"][None], "c_n": state["c_0"][None]}
        return {"output": made.stack(outputs), **last}

    def _called(self, made: Subject, given: Mapping[str, Any], around: Around) -> dict[str, Any]:
        """Make one call; returns its results by name, with rows where the class has columns."""
        values = {
            name: value.swapaxes(-1, -2) if self.columns and name in GIVEN else value
            for name, value in given.items()
        }
        positional, named = self.call.arguments(values)
        with blamed(), around():
            answer, inputs = made.called(self.method, positional, named, self.answer.hooked)
        try:
            results = self.answer.read(answer, inputs, lambda value: value[None])
            for name in {"output", "c_all"} & results.keys():
                if isinstance(results[name], (list, tuple)):
                    results[name] = made.stack(list(results[name]), int(self.batch_first))
            if self.columns:
                return {name: value.swapaxes(-1, -2) for name, value in results.items()}
        except (TypeError, IndexError, ValueError, RuntimeError, AttributeError) as error:
            raise NoResult(f"returned a {type(answer).__name__}: {error}") from error
        return results


def _shaped(case: Case, state: Any) -> Any:
    expected = case.state_shape(case.configuration.hidden_size)
    if tuple(state.shape) != expected:
        raise WrongAttribute("h_n", "shape", tuple(state.shape), expected, state)
    return state
