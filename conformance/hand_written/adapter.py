"""A hand-written single-layer LSTM as an implementation."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from conformance.errors import UsageError
from conformance.failures import Misbehaviour, Mismatch, blamed
from conformance.hand_written.expressions import GIVEN, Answer, Call
from conformance.hand_written.parameters import Parameters
from conformance.hand_written.subjects import Subject, Tensors, subject
from conformance.hand_written.trying import small_case, supported
from conformance.layouts import Layout
from reference import Array, Case, Precision, Result
from strategies import Support


class HandWritten:
    """A class, or a function, that somebody wrote: one layer in one direction.

    `factory(input_size, hidden_size)` makes an instance: the class itself, or a lambda where its
    constructor differs. Then, how its parameters are stored:

    - `weight_ih`, `weight_hh`: their names, such as ``W``, ``x2h.weight`` or, for four of them,
      ``W_{i,f,c,o}`` with its own names of the gates in PyTorch's order i, f, g, o. Instead of
      both, `weight_xh` for one array over x and then h, or `weight_hx` for h and then x;
    - `bias`: likewise, one name, a tuple of two, or none;
    - `gates`: the order in which an array has the gates; `transposed`: whether weights are
      (features, gates), to be multiplied from the right, or ``"weight_ih"`` or ``"weight_hh"`` if
      only those are; `forget_bias`: what the class adds to that of the forget gate itself.

    And how it is used:

    - `call`: the arguments, such as ``input, (h_0, c_0)``; ``h_0[0]`` where a state has no layer
      axis. `states_optional`: whether they can be left out. A function has its parameters among
      them, ``input, h_0[0], c_0[0], W, U, b``, and is given as `factory`; `tensors` says that
      they are torch's and not NumPy's;
    - `method`: what is called, if not the instance itself;
    - `returns`: such as ``output, (h_n, c_n)``, ``h_n[0]``, or ``fc(h_n[0])`` where a submodule
      comes last, whose input is then read. ``c_all`` has the cell state of every step, ``_`` is
      ignored. Where only h_n comes back, output is read from runs on the first steps alone;
    - `batch_first`; `batched`: whether the input has a batch axis; `cell`: whether a call is one
      step, with ``input`` (N, input_size) and states (N, hidden_size); `columns`: whether the last
      two axes are the other way round in all of these, so that a row of the batch is a column.

    Whatever else it has stays as constructed. Dtypes and options that raise when tried are not
    supported. Raises :class:`UsageError` for what does not fit together.
    """

    def __init__(
        self,
        factory: Callable[..., Any],
        *,
        name: str = "",
        weight_ih: str = "",
        weight_hh: str = "",
        weight_xh: str = "",
        weight_hx: str = "",
        bias: str | tuple[str, ...] = (),
        gates: str = "ifgo",
        transposed: bool | str = False,
        forget_bias: float = 0.0,
        call: str = "input, (h_0, c_0)",
        states_optional: bool = True,
        method: str = "",
        returns: str = "output, (h_n, c_n)",
        batch_first: bool = False,
        batched: bool = True,
        cell: bool = False,
        columns: bool = False,
        tensors: bool = False,
    ) -> None:
        biases = (bias,) if isinstance(bias, str) and bias else tuple(bias)
        if forget_bias and not biases:
            raise UsageError("forget_bias needs a bias that it can be subtracted from")
        weights = {
            "weight_ih": weight_ih,
            "weight_hh": weight_hh,
            "weight_xh": weight_xh,
            "weight_hx": weight_hx,
        }
        turned = weights if transposed is True else {transposed} if transposed else {}
        if not set(turned) <= set(weights):
            raise UsageError(f"transposed must be a bool or a weight, got {transposed!r}")
        try:
            layout = Layout(gates, biases=len(biases) or 2, forget_bias=forget_bias)
        except ValueError as error:
            raise UsageError(str(error)) from error
        self.name = name or getattr(factory, "__name__", "").strip("<>")
        self.factory = factory
        self.parameters = Parameters(
            layout, frozenset(weights[each] for each in turned), **weights, biases=biases
        )
        self.biased = bool(biases)
        self.asked = Call(call)
        self.answer = Answer(returns)
        self.method = method
        self.states_optional = states_optional
        self.batch_first = batch_first and batched and not cell
        self.batched = batched
        self.cell = cell
        self.columns = columns and batched
        self.tensors = tensors
        self.precision = Precision(added_bias=forget_bias)
        self._supports: Support | None = None
        self.around: Callable[[], contextlib.AbstractContextManager[object]]
        self.around = contextlib.nullcontext
        if cell and not {"h_n", "c_n"} <= self.answer.names:
            raise UsageError(f"a cell must return h_n and c_n, got returns={returns!r}")

    @property
    def supports(self) -> Support:
        """What it takes, as far as that shows when tried."""
        if self._supports is None:
            self._supports = self._tried()
        return self._supports

    @supports.setter
    def supports(self, support: Support) -> None:
        self._supports = support

    def _tried(self) -> Support:
        takes = self.asked.takes_states
        states = (True,) * takes + (False,) * (self.states_optional or not takes)
        try:
            made = self._subject(small_case(self, "float32", states=takes))
        except (UsageError, Misbehaviour) as error:
            raise UsageError(f"{self.name!r}: {error}") from error
        returned = self.answer.names & {"c_n", "c_all"}
        results = ("output", "h_n", "c_n") if returned else ("output", "h_n")
        return supported(self, torch=isinstance(made, Tensors), states=states, results=results)

    def _subject(self, case: Case) -> Subject:
        sizes = case.configuration.input_size, case.configuration.hidden_size
        if self._is_function:
            return subject(self.factory, case.dtype, case.device, self.tensors)
        with blamed(), self.around():
            made = subject(self.factory(*sizes), case.dtype, case.device)
        for name, array in self.parameters.of(case).items():
            made.fill(name, array)
        for module in self.answer.hooked:
            made.submodule(module)
        return made

    @property
    def _is_function(self) -> bool:
        return bool(set(self.asked.names) - set(GIVEN))

    def run(self, case: Case) -> Result:
        """The result of a newly constructed instance; c_n is NaN where it does not come back."""
        made = self._subject(case)
        given = self._given(made, case)
        results = self._results(made, case, given)
        arrays = {name: made.taken(value, name) for name, value in results.items()}
        nothing = np.full(case.state_shape(case.configuration.hidden_size), np.nan)
        c_n = arrays.get("c_n", nothing.astype(case.dtype.numpy))
        devices = {name: str(getattr(value, "device", "cpu")) for name, value in results.items()}
        return Result(arrays["output"], arrays["h_n"], c_n, devices)

    def _given(self, made: Subject, case: Case) -> dict[str, Any]:
        arrays = {"input": case.input, "h_0": case.h_0, "c_0": case.c_0}
        if self.columns:
            arrays = {
                name: None if array is None else np.ascontiguousarray(array.swapaxes(-1, -2))
                for name, array in arrays.items()
            }
        if self._is_function:
            arrays |= self.parameters.of(case)
        return {name: made.given(array) for name, array in arrays.items() if array is not None}

    def _results(self, made: Subject, case: Case, given: Mapping[str, Any]) -> dict[str, Any]:
        """Output, h_n and, where it comes back, c_n, in PyTorch's shapes."""
        results = self._stepped(made, given) if self.cell else self._whole(made, case, given)
        if self.columns:
            results = {name: value.swapaxes(-1, -2) for name, value in results.items()}
        return results

    def _whole(self, made: Subject, case: Case, given: Mapping[str, Any]) -> dict[str, Any]:
        results = self._called(made, given)
        time = 1 if self.batch_first else 0
        last = (slice(None),) * time + (-1,)
        if isinstance(results.get("output"), (list, tuple)):
            results["output"] = made.stack(list(results["output"]), time)
        if isinstance(results.get("c_all"), (list, tuple)):
            results["c_all"] = made.stack(list(results["c_all"]), time)
        if "output" not in results:
            prefixes = []
            for count in range(1, case.seq_len):
                first = given["input"][(slice(None),) * time + (slice(count),)]
                prefixes.append(self._called(made, {**given, "input": first})["h_n"])
            states = [self._shaped(case, state)[0] for state in (*prefixes, results["h_n"])]
            results["output"] = made.stack(states, time)
        if "h_n" not in results:
            results["h_n"] = results["output"][last][None]
        if "c_n" not in results and "c_all" in results:
            results["c_n"] = results["c_all"][last][None]
        return {name: results[name] for name in ("output", "h_n", "c_n") if name in results}

    def _shaped(self, case: Case, state: Any) -> Any:
        expected = case.state_shape(case.configuration.hidden_size)
        if self.columns:
            expected = (*expected[:-2], *expected[:-3:-1])
        if tuple(state.shape) != expected:
            raise Mismatch("h_n.shape", "", str(tuple(state.shape)), str(expected))
        return state

    def _stepped(self, made: Subject, given: Mapping[str, Any]) -> dict[str, Any]:
        state = {name: given[name][0] for name in ("h_0", "c_0") if name in given}
        outputs, cells = [], []
        for step in given["input"]:
            results = self._called(made, {**given, "input": step, **state})
            state = {"h_0": results["h_n"], "c_0": results["c_n"]}
            outputs.append(state["h_0"])
            cells.append(state["c_0"])
        return {
            "output": made.stack(outputs),
            "h_n": outputs[-1][None],
            "c_n": cells[-1][None],
        }

    def _called(self, made: Subject, given: Mapping[str, Any]) -> dict[str, Any]:
        positional, named = self.asked.arguments(given)
        with blamed(), self.around():
            answer, inputs = made.called(self.method, positional, named, self.answer.hooked)
        try:
            return self.answer.read(answer, inputs, lambda value: value[None])
        except (TypeError, IndexError) as error:
            raise Misbehaviour(f"returned a {type(answer).__name__}: {error}") from error

    def gradients(self, case: Case, cotangents: Result) -> dict[str, Array]:
        """Gradients, by autograd, of the sum of each result times its cotangent.

        By ``input``, ``h_0``, ``c_0`` and PyTorch's parameter names; zeros for what has none.
        """
        made = self._subject(case)
        given = self._given(made, case)
        own = self.parameters.of(case)
        leaves = {name: given[name] if name in given else made.leaf(name) for name in own}
        leaves |= {name: given[name] for name in GIVEN if name in given}
        for leaf in leaves.values():
            leaf.requires_grad_()
        results = self._results(made, case, given)
        weights = dict(cotangents.items())
        loss = sum((value * made.given(weights[name])).sum() for name, value in results.items())
        with blamed(), self.around():
            loss.backward()
        found = {
            name: made.taken(leaf.new_zeros(leaf.shape) if leaf.grad is None else leaf.grad, name)
            for name, leaf in leaves.items()
        }
        stored = {name: found[name].reshape(array.shape) for name, array in own.items()}
        restored = self.parameters.restored(stored, case.configuration.input_size)
        gradients = {**found, **restored}
        return {name: gradients[name] for name in (*GIVEN, *case.parameters) if name in gradients}
