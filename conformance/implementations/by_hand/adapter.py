"""The adapter that makes a hand-written LSTM an implementation."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformance.errors import UsageError
from conformance.implementations.by_hand.answers import Answer
from conformance.implementations.by_hand.beginning import computed
from conformance.implementations.by_hand.disturbing import disturb, unnamed
from conformance.implementations.by_hand.expressions import GIVEN, LENGTHS, MADE, Call
from conformance.implementations.by_hand.fitting import Fitting
from conformance.implementations.by_hand.gradients import gradients
from conformance.implementations.by_hand.parameters import described
from conformance.implementations.by_hand.subjects import Subject, subject
from conformance.implementations.by_hand.trying import supported
from conformance.implementations.by_hand.usage import Around, Usage
from conformance.implementations.failures import blamed
from conformance.implementations.probing import SMALL, small_case
from reference import Array, Case, Precision, Result
from strategies import Support

SIDES = ("input", "output")
"""What alone may be batch-first."""


class HandWritten:
    """A hand-written class or function that computes an LSTM, by default of one layer.

    `factory(input_size, hidden_size)` makes an instance of the class: pass the class itself, or a
    lambda if its constructor takes other arguments. With `batch_size` the third argument is the
    number of rows, N, as for states that are made once. If the LSTM is a function, `factory` is the
    function itself. `name` is its name in reports; the default is the name that it is loaded by,
    such as ``mine.py:mine``, or else the name of the factory.

    These arguments describe how the parameters are stored:

    - `weight_ih`, `weight_hh`: the names of the weights, such as ``W`` or ``x2h.weight``. Four
      separate arrays are named like ``W_{i,f,c,o}``: in the braces are the class's names of the
      gates, in PyTorch's order i, f, g, o. In one array the gates may have a separate axis;
    - `weight_xh` or `weight_hx`, instead of both: the name of one array for x and h, in this order;
    - `bias`: the name of the bias, a tuple of names, or nothing. The bias is the sum of all, of
      which two are not zero. ``W[0]`` is a bias within the weight ``W``, before the weights by
      x and h, and ``W[-1]`` one after them;
    - `layers`: for several layers what stands in place of ``*`` in these names, for each layer:
      ``layers=("cell1", "cell2"), weight_ih="*.weight_ih"``;
    - `bidirectional`: whether `layers` are of two directions, which alternate: first the forward
      direction of the lowest layer, then its reverse direction;
    - `gates`: the order of the gates in an array, a permutation of ``"ifgo"``;
    - `interleaved`: whether the four rows of each unit lie side by side in an array, so that the
      gates are the last axis of its product in the shape (N, hidden_size, 4);
    - `transposed`: whether weights are (features, 4 * hidden_size), to be multiplied from the
      right; ``"weight_ih"`` or another name if only that weight is;
    - `forget_bias`: the number that the class itself adds to the bias of the forget gate;
    - `kept`: the name of a parameter that stays as the constructor makes it, or a tuple of names:
      of an initial state that is learned and starts at zero, say; `zeroed`: of one that becomes
      zero, as it does not start there. Every other parameter that no argument names gets separate
      numbers, so that a class that uses it is not the LSTM. These are the tensors that need a
      gradient and, where there are none, all arrays.

    These arguments describe how the LSTM is used:

    - `call`: the arguments of a call, such as ``input, (h_0, c_0)``; ``h_0[0]`` for a state without
      its layer axis, ``h_0[1]`` for that of the second layer, ``cat(h_0[0], c_0[0])`` or
      ``stack(h_0, c_0)`` for one array. A function takes its parameters too:
      ``input, h_0[0], c_0[0], W, U, b``, or in one object ``namespace(W=W, U=U, b=b)``; ``eye`` and
      ``zeros`` are for a linear map after the LSTM.
      A call with only one of the states is verified with zeros for both. ``lengths`` is the number
      of steps of each row, integers (N,);
    - `states_optional`: whether initial states can be left out of the call;
    - `draws`: the initial states that the LSTM itself draws at random in a call, in this order,
      such as ``h_0[0], c_0[0]``. Tensors that are random otherwise get these numbers instead;
    - `embedding`: a submodule or parameter with which the LSTM embeds the tokens that it takes.
      The rows of the embedding are then the input; a submodule that is not an ``nn.Embedding``, as
      a Linear, is left out; ``one_hot`` is ``torch.nn.functional.one_hot``;
    - `head`: a submodule that comes last: `returns` is what it takes, not what it returns;
    - `method`: the name of the method to call, if that is not the instance itself;
    - `returns`: the form of the answer, such as ``output, (h_n, c_n)`` or ``h_n[0]``; ``c_all`` is
      the cell state of every step, and ``_`` is ignored. ``h_n[-1]`` is the state of the top layer,
      ``h_n[0:1]`` that of the first with its axis of layers,
      ``cat(h_n[2], h_n[-1])`` those of a second layer of both directions, ``flat(output)`` has one
      axis for steps and rows, ``{'h': h_n}`` reads a dict or attributes. ``fc(h_n[0])`` means that
      a submodule ``fc`` comes last: then its input is read. Without output, one is put together
      from the h_n of calls on some steps, where these show it;
    - `batch_first`: whether input and output are (N, T, features) and not (T, N, features);
      ``"input"`` or ``"output"`` if only that one is;
    - `batched`: whether the input has a batch axis N;
    - `cell`: whether a call is one step, of ``input`` (N, input_size) and states (N, hidden_size);
    - `columns`: whether the last two axes of all these arrays are swapped, so that a row of the
      batch is a column;
    - `steps_last`: whether the axis of steps comes after all others;
    - `tensors`: whether a function computes with torch tensors and not with NumPy arrays;
    - `one_row`: whether it takes batches of one row only: cases are those without a batch axis;
    - `square`: whether the input has as many features as a state, as the embedding of a model with
      one size for both. A case of other sizes is filled up with zeros, and what returns is cut.

    What is not a parameter stays as the constructor leaves it. Dtypes and options are tried, and
    those that raise an exception are not supported. Raises :class:`UsageError` for arguments that
    do not fit together.
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
        kept: str | tuple[str, ...] = (),
        zeroed: str | tuple[str, ...] = (),
        call: str = "input, (h_0, c_0)",
        states_optional: bool = True,
        method: str = "",
        returns: str = "output, (h_n, c_n)",
        batch_first: bool | str = False,
        batched: bool = True,
        cell: bool = False,
        columns: bool = False,
        steps_last: bool = False,
        layers: tuple[str, ...] = (),
        bidirectional: bool = False,
        embedding: str = "",
        head: str = "",
        draws: str = "",
        tensors: bool = False,
        interleaved: bool = False,
        square: bool = False,
        one_row: bool = False,
        batch_size: bool = False,
    ) -> None:
        self.name = name or getattr(factory, "__name__", "").strip("<>")
        self.named, self.factory = bool(name), factory
        if bidirectional and (len(layers) % 2 or not layers):
            raise UsageError(f"bidirectional=True needs pairs of layers, got {layers!r}")
        weights = (weight_ih, weight_hh, weight_xh, weight_hx)
        how = (gates, transposed, forget_bias, layers or ("",), interleaved)
        self.parameters = described(weights, bias, *how)
        count = max(1, len(layers) // (1 + bidirectional))
        self.biased = bool(self.parameters.biases)
        self.kept = (kept,) if isinstance(kept, str) else tuple(kept)
        self.zeroed = (zeroed,) if isinstance(zeroed, str) else tuple(zeroed)
        if isinstance(batch_first, str) and batch_first not in SIDES:
            raise UsageError(f"batch_first must be a bool or one of {SIDES}, got {batch_first!r}")
        rows_first, batched = batch_first in (True, "input") and not cell, batched and not one_row
        turns = batch_first in SIDES and not cell and (batched or one_row)
        self.batch_first = rows_first and batched
        self.small = replace(
            SMALL,
            num_layers=count,
            bidirectional=bidirectional,
            bias=self.biased,
            batch_first=self.batch_first,
        )
        self.embedding, self.states_optional, self.batched = embedding, states_optional, batched
        self.usage = Usage(
            Call(call),
            Answer(f"{head}({returns})" if head else returns),
            method,
            rows_first and (batched or one_row),
            cell,
            columns and (batched or one_row),
            steps_last,
            Call(draws, "draws") if draws else None,
            turns,
        )
        self.tensors, self.batch_size = tensors, batch_size
        self.fitting = Fitting(square, one_row, self.usage.batch_first)
        self.precision = Precision(added_bias=forget_bias)
        self.around: Around = contextlib.nullcontext
        self.constructed: object = None
        if cell and self.usage.call.takes_states and not {"h_n", "c_n"} <= self.usage.answer.names:
            raise UsageError(f"a cell must return h_n and c_n, got returns={returns!r}")
        self.returned = self.usage.answer.enough(count, 1 + bidirectional)

    def small_case(self, dtype: str = "float32", **changes: Any) -> Case:
        """Make a small case of the form that the LSTM takes.

        See :func:`conformance.implementations.probing.small_case` for the `changes`.
        """
        of = changes.pop("configuration", SMALL)
        sizes = {"input_size": of.input_size, "hidden_size": of.hidden_size}
        changes = {"batched": self.batched, **changes}
        return small_case(replace(self.small, **sizes), dtype, **changes)

    supports: Support
    """The cases that the LSTM takes, as found by trial runs when they are first asked for."""

    if not TYPE_CHECKING:  # a type checker takes no property for the plain attribute of a protocol

        def __getattr__(self, name: str) -> Support:
            if name != "supports":
                raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
            self.supports = supported(self)
            return self.supports

    def subject(self, case: Case) -> Subject:
        """Make a new instance with the parameters of `case`, or wrap the function."""
        case = self.fitting.sized(case)
        if self.is_function:
            return subject(self.factory, case.dtype, case.device, self.tensors)
        sizes = case.configuration.input_size, case.configuration.hidden_size, case.batch_size
        with blamed(), self.around():
            made = subject(self.factory(*sizes[: 2 + self.batch_size]), case.dtype, case.device)
        own = self.parameters.of(case)
        disturb(made, self.kept, self.zeroed, own.keys())
        for name, array in own.items():
            made.fill(name, array)
        for module in self.usage.answer.hooked:
            made.submodule(module)
        return made

    def unnamed(self, case: Case) -> list[str]:
        """List the parameters that no argument names."""
        named = [*self.parameters.of(self.fitting.sized(case)), *self.kept, *self.zeroed]
        return [] if self.is_function else unnamed(self.subject(case), named)

    def keeping(self, names: Iterable[str], zeroed: Iterable[str] = ()) -> HandWritten:
        """Return the same adapter with more parameters that are kept, and that are zeroed."""
        other = copy.copy(self)
        other.kept, other.zeroed = (*self.kept, *names), (*self.zeroed, *zeroed)
        return other

    @property
    def is_function(self) -> bool:
        """Whether the LSTM is a function, which takes its parameters as arguments."""
        return bool(set(self.usage.call.names) - {*GIVEN, *MADE, LENGTHS})

    def run(self, case: Case) -> Result:
        """Compute `case` with a newly constructed instance.

        What is not returned is NaN. Raises :class:`NoResult` for another number of layers.
        """
        return self.fitting.result(computed(self, self.fitting.case(case)), case)

    def gradients(self, case: Case, cotangents: Result) -> dict[str, Array]:
        """Compute, by autograd, the gradients of the sum of every result times its cotangent."""
        cotangents = self.fitting.cotangents(cotangents, case)
        return self.fitting.gradients(gradients(self, self.fitting.case(case), cotangents), case)
