"""The adapter that makes a hand-written LSTM of one layer an implementation."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.errors import UsageError
from conformance.implementations.by_hand.expressions import GIVEN, Answer, Call
from conformance.implementations.by_hand.parameters import FEATURES, Parameters
from conformance.implementations.by_hand.subjects import Subject, Tensors, TorchSubject, subject
from conformance.implementations.by_hand.usage import Around, Usage
from conformance.implementations.failures import Misbehaviour, blamed
from conformance.implementations.layouts import Layout
from conformance.implementations.probing import SMALL, dtypes_taken, small_case, takes
from reference import DTYPES, RESULTS, Array, Case, Precision, Result
from strategies import ONE_LAYER, Support


class HandWritten:
    """A hand-written class or function that computes one layer of an LSTM in one direction.

    `factory(input_size, hidden_size)` makes an instance of the class: pass the class itself, or a
    lambda if its constructor takes other arguments. If the LSTM is a function, `factory` is the
    function itself. `name` is its name in reports; the default is the name that it is loaded by,
    such as ``mine.py:mine``, or else the name of the factory.

    These arguments describe how the parameters are stored:

    - `weight_ih`, `weight_hh`: the names of the weights, such as ``W`` or ``x2h.weight``. Four
      separate arrays are named like ``W_{i,f,c,o}``: in the braces are the class's names of the
      gates, in PyTorch's order i, f, g, o;
    - `weight_xh` or `weight_hx`, instead of both: the name of one array for x and h, in this order;
    - `bias`: the name of the bias, a tuple of two names, or nothing;
    - `gates`: the order of the gates in an array, a permutation of ``"ifgo"``;
    - `transposed`: whether weights are (features, 4 * hidden_size), to be multiplied from the
      right; ``"weight_ih"`` or another name if only that weight is;
    - `forget_bias`: the number that the class itself adds to the bias of the forget gate.

    These arguments describe how the LSTM is used:

    - `call`: the arguments of a call, such as ``input, (h_0, c_0)``; ``h_0[0]`` for a state without
      its layer axis. A function takes its parameters too: ``input, h_0[0], c_0[0], W, U, b``;
    - `states_optional`: whether initial states can be left out of the call;
    - `method`: the name of the method to call, if that is not the instance itself;
    - `returns`: the form of the answer, such as ``output, (h_n, c_n)`` or ``h_n[0]``; ``c_all`` is
      the cell state of every step, and ``_`` is ignored. ``fc(h_n[0])`` means that a submodule
      ``fc`` comes last: then its input is read. If there is no output in the answer, the output is
      put together from the h_n of calls on the first steps;
    - `batch_first`: whether the input is (N, T, input_size) and not (T, N, input_size);
    - `batched`: whether the input has a batch axis N;
    - `cell`: whether a call is one step, of ``input`` (N, input_size) and states (N, hidden_size);
    - `columns`: whether the last two axes of all these arrays are swapped, so that a row of the
      batch is a column;
    - `tensors`: whether a function computes with torch tensors and not with NumPy arrays.

    Everything else stays as the constructor leaves it. Dtypes and options are tried, and those that
    raise an exception are not supported. Raises :class:`UsageError` for arguments that do not fit
    together.
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
            raise UsageError("forget_bias needs a bias from which it can be subtracted")
        given = (weight_ih, weight_hh, weight_xh, weight_hx)
        weights = {which: each for which, each in zip(FEATURES, given, strict=True) if each}
        turned = FEATURES if transposed is True else {transposed} if transposed else {}
        if not set(turned) <= set(FEATURES):
            raise UsageError(f"transposed must be a bool or a weight, got {transposed!r}")
        try:
            layout = Layout(gates, biases=len(biases) or 2, forget_bias=forget_bias)
        except ValueError as error:
            raise UsageError(str(error)) from error
        self.name = name or getattr(factory, "__name__", "").strip("<>")
        self.named = bool(name)
        self.factory = factory
        self.parameters = Parameters(layout, weights, biases, frozenset(turned))
        self.biased = bool(biases)
        self.states_optional = states_optional
        self.batch_first = batch_first and batched and not cell
        self.batched = batched
        self.usage = Usage(
            Call(call), Answer(returns), method, self.batch_first, cell, columns and batched
        )
        self.tensors = tensors
        self.precision = Precision(added_bias=forget_bias)
        self.around: Around = contextlib.nullcontext
        self._supports: Support | None = None
        self.constructed: object = None
        if cell and not {"h_n", "c_n"} <= self.usage.answer.names:
            raise UsageError(f"a cell must return h_n and c_n, got returns={returns!r}")

    def small_case(self, dtype: str = "float32", **changes: Any) -> Case:
        """Make a small case of the form that the LSTM takes.

        See :func:`conformance.implementations.probing.small_case` for the `changes`.
        """
        small = changes.pop("configuration", SMALL)
        configuration = replace(small, bias=self.biased, batch_first=self.batch_first)
        return small_case(configuration, dtype, **{"batched": self.batched, **changes})

    @property
    def supports(self) -> Support:
        """The cases that the LSTM takes, as found by trial runs."""
        if self._supports is None:
            self._supports = self._tried()
        return self._supports

    @supports.setter
    def supports(self, support: Support) -> None:
        self._supports = support

    def _tried(self) -> Support:
        takes_states = self.usage.call.takes_states
        states = (True,) * takes_states + (False,) * (self.states_optional or not takes_states)
        try:
            made = self._subject(self.small_case(states=takes_states))
        except (UsageError, Misbehaviour) as error:
            raise UsageError(f"{self.name!r}: {error}") from error
        dtypes: tuple[str, ...] = ("float64", "float32")
        devices: tuple[str, ...] = ("cpu",)
        if isinstance(made, Tensors):
            from conformance.implementations.pytorch.modules import torch_devices

            dtypes, devices = tuple(DTYPES), torch_devices()
        dtypes = dtypes_taken(
            self, dtypes, lambda dtype: [self.small_case(dtype, states=given) for given in states]
        )
        # few people who write an LSTM think of empty batches: they count where the shape is right
        empty = self.small_case(dtypes[0], states=states[0], rows=0)
        returned = self.usage.answer.names & {"c_n", "c_all"}
        return replace(
            ONE_LAYER,
            dtypes=dtypes,
            devices=devices,
            bias=(self.biased,),
            batch_first=(self.batch_first,),
            states=states,
            batched=(self.batched,),
            empty_batch=self.batched and takes(self, empty, shaped=True),
            gradients=isinstance(made, Tensors),
            results=RESULTS if returned else RESULTS[:2],
            adapts_module=isinstance(made, TorchSubject),
        )

    def _subject(self, case: Case) -> Subject:
        sizes = case.configuration.input_size, case.configuration.hidden_size
        if self._is_function:
            return subject(self.factory, case.dtype, case.device, self.tensors)
        with blamed(), self.around():
            made = subject(self.factory(*sizes), case.dtype, case.device)
        for name, array in self.parameters.of(case).items():
            made.fill(name, array)
        for module in self.usage.answer.hooked:
            made.submodule(module)
        return made

    @property
    def _is_function(self) -> bool:
        return bool(set(self.usage.call.names) - set(GIVEN))

    def run(self, case: Case) -> Result:
        """Compute `case` with a newly constructed instance; c_n is NaN if it is not returned."""
        made = self._subject(case)
        given = self._given(made, case)
        results = self.usage.results(made, case, given, self.around)
        arrays = {name: made.taken(value, name) for name, value in results.items()}
        nothing = np.full(case.state_shape(case.configuration.hidden_size), np.nan)
        c_n = arrays.get("c_n", nothing.astype(case.dtype.numpy))
        devices = {name: str(getattr(value, "device", "cpu")) for name, value in results.items()}
        return Result(arrays["output"], arrays["h_n"], c_n, devices)

    def _given(self, made: Subject, case: Case) -> dict[str, Any]:
        arrays = case.arguments() | (self.parameters.of(case) if self._is_function else {})
        return {name: made.given(array) for name, array in arrays.items()}

    def gradients(self, case: Case, cotangents: Result) -> dict[str, Array]:
        """Compute, by autograd, the gradients of the sum of every result times its cotangent.

        They are named ``input``, ``h_0``, ``c_0`` and as PyTorch names the parameters. A gradient
        by something that no result depends on is zero.
        """
        made = self._subject(case)
        given = self._given(made, case)
        own = self.parameters.of(case)
        leaves = {name: given[name] if name in given else made.leaf(name) for name in own}
        leaves |= {name: given[name] for name in GIVEN if name in given}
        for leaf in leaves.values():
            leaf.requires_grad_()
        results = self.usage.results(made, case, given, self.around)
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
