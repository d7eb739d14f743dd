"""Calling an unknown class or function, and taking apart what it returns."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.errors import told
from conformance.implementations.by_hand.expressions import Call
from conformance.implementations.by_hand.subjects import Subject, TorchSubject, subject
from conformance.implementations.by_hand.usage import Around
from conformance.implementations.failures import Misbehaviour
from conformance.inference.sizes import FIRST, HIDDEN, INPUT, SECOND
from reference import DTYPES, Array, DType


@dataclass(frozen=True, eq=False)
class Leaf:
    """One array that came back, in float64.

    `module` names the submodule whose input it is, if it was not returned; `listed` says that it
    was a list of one array for each step.
    """

    array: Array
    module: str = ""
    listed: bool = False


@dataclass(frozen=True, eq=False)
class Returned:
    """An answer: its `leaves`, and `form`, the same with each leaf's place in their stead."""

    form: Any
    leaves: list[Leaf]
    modules: list[Leaf]


class Prober:
    """Makes instances, fills them and calls them, whatever they raise.

    `factory` makes an instance with the sizes of :mod:`conformance.inference.sizes`; without it
    `function` itself is called with its parameters, as `tensors` or not. `complaint`
    is the first thing raised.
    """

    def __init__(
        self,
        dtype: DType,
        factory: Callable[[int, int], Any] | None,
        function: Callable[..., Any] | None = None,
        around: Around = contextlib.nullcontext,
        tensors: bool = False,
    ) -> None:
        self.dtype = dtype
        self.factory = factory
        self.function = function
        self.around = around
        self.tensors = tensors
        self.complaint = ""

    def in_float32(self) -> Prober:
        """The same in float32."""
        return Prober(DTYPES["float32"], self.factory, self.function, self.around, self.tensors)

    def subject(self) -> Subject:
        """A new instance."""
        with self.around():
            if self.factory is None:
                return subject(self.function, self.dtype, "cpu", self.tensors)
            return subject(self.factory(INPUT, HIDDEN), self.dtype)

    def call(
        self,
        method: str,
        call: Call,
        values: Mapping[str, Array],
        parameters: Mapping[str, Array],
    ) -> Returned | None:
        """The answer to a call of a new instance with these parameters; None if it raises."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self._call(method, call, values, parameters)
        except Misbehaviour as error:
            self.complaint = self.complaint or str(error)
        except (Exception, SystemExit) as error:
            self.complaint = self.complaint or told(error)
        return None

    def _call(
        self,
        method: str,
        call: Call,
        values: Mapping[str, Array],
        parameters: Mapping[str, Array],
    ) -> Returned:
        torch = sys.modules.get("torch")
        made = self.subject()
        given = {name: array.astype(self.dtype.numpy) for name, array in values.items()}
        own = {name: array.astype(self.dtype.numpy) for name, array in parameters.items()}
        if self.factory is None:
            given |= own
        else:
            for name, array in own.items():
                made.fill(name, array)
        hooked: list[str] = []
        if isinstance(made, TorchSubject):
            hooked = [name for name, _ in made.holder.named_modules() if name]
        positional, named = call.arguments(
            {name: made.given(array) for name, array in given.items()}
        )
        with self.around(), torch.no_grad() if torch else contextlib.nullcontext():
            answer, inputs = made.called(method, positional, named, hooked)
        leaves: list[Leaf] = []
        form = _form(answer, made, leaves)
        modules = [
            Leaf(np.asarray(made.taken(value, name), np.float64), name)
            for name, value in inputs.items()
            if hasattr(value, "detach")
        ]
        return Returned(form, leaves, modules)


def _form(answer: Any, made: Subject, leaves: list[Leaf]) -> Any:
    """`answer` with numbers instead of arrays, which go to `leaves`."""
    if isinstance(answer, Mapping):
        return {key: _form(value, made, leaves) for key, value in answer.items()}
    if isinstance(answer, (tuple, list)):
        parts = [made.taken(part, "a part") if hasattr(part, "shape") else None for part in answer]
        steps = [part for part in parts if part is not None]
        alike = len(steps) == len(parts) and len({part.shape for part in steps}) == 1
        if alike and len(parts) in (FIRST, SECOND):
            leaves.append(Leaf(np.stack(steps).astype(np.float64), listed=True))
            return len(leaves) - 1
        return tuple(_form(part, made, leaves) for part in answer)
    if answer is None:
        return None
    leaves.append(Leaf(np.asarray(made.taken(answer, "the answer"), np.float64)))
    return len(leaves) - 1


def methods(holder: Any) -> Iterator[str]:
    """What can be called: the instance itself, or methods of an object that cannot be."""
    if callable(holder):
        yield ""
        return
    unlikely = ("backward", "train", "fit", "loss", "update", "save", "load", "init", "reset")
    for name in dir(holder):
        likely = not name.startswith("_") and not any(word in name for word in unlikely)
        if likely and callable(getattr(holder, name)):
            yield name
