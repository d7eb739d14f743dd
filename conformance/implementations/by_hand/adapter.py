"""A hand-written single-layer LSTM as an implementation."""

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
from reference import DTYPES, Array, Case, Precision, Result
from strategies import ONE_LAYER, Support


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

    `name` is what reports call it: by default the name that it is loaded by, such as
    ``mine.py:mine``, and the factory's where it is not loaded by any.

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
        """As :func:`conformance.implementations.probing.small_case`, of a form that it takes."""
        small = changes.pop("configuration", SMALL)
        configuration = replace(small, bias=self.biased, batch_first=self.batch_first)
        return small_case(configuration, dtype, **{"batched": self.batched, **changes})

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
        # what hand-written code makes of no rows is seldom meant: it counts where it is right
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
            results=("output", "h_n", "c_n") if returned else ("output", "h_n"),
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
        """The result of a newly constructed instance; c_n is NaN where it does not come back."""
        made = self._subject(case)
        given = self._given(made, case)
        results = self.usage.results(made, case, given, self.around)
        arrays = {name: made.taken(value, name) for name, value in results.items()}
        nothing = np.full(case.state_shape(case.configuration.hidden_size), np.nan)
        c_n = arrays.get("c_n", nothing.astype(case.dtype.numpy))
        devices = {name: str(getattr(value, "device", "cpu")) for name, value in results.items()}
        return Result(arrays["output"], arrays["h_n"], c_n, devices)

    def _given(self, made: Subject, case: Case) -> dict[str, Any]:
        arrays = {"input": case.input, "h_0": case.h_0, "c_0": case.c_0}
        if self._is_function:
            arrays |= self.parameters.of(case)
        return {name: made.given(array) for name, array in arrays.items() if array is not None}

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
