"""Calls an unknown class or function, and takes apart what it returns."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.implementations.by_hand.expressions import Call
from conformance.implementations.by_hand.subjects import Subject, TorchSubject, subject
from conformance.implementations.by_hand.usage import Around
from conformance.implementations.failures import Misbehaviour
from conformance.inference.numbers import FIRST, HIDDEN, INPUT, SECOND
from conformance.recording.text import told
from reference import Array, DType


@dataclass(frozen=True, eq=False)
class Leaf:
    """One array of an answer, in float64.

    - `module`: the submodule that got the array as its input; empty if the array was returned
    - `listed`: whether the array was a list of one array for each step
    """

    array: Array
    module: str = ""
    listed: bool = False


@dataclass(frozen=True, eq=False)
class Returned:
    """An answer: its arrays, `leaves`; its `form`, which has the index of a leaf in place of each.

    `modules` are the inputs of submodules.
    """

    form: Any
    leaves: list[Leaf]
    modules: list[Leaf]


@dataclass
class Prober:
    """Makes instances of an unknown class, fills and calls them, whatever they raise.

    - `dtype`: the dtype of parameters and arguments
    - `factory`: makes an instance of given input and hidden sizes; None for a function
    - `function`: is called with its parameters as arguments if there is no factory
    - `around`: a context for everything that the class does
    - `tensors`: whether a function takes tensors
    - `complaint`: the first exception raised, in words
    """

    dtype: DType
    factory: Callable[[int, int], Any] | None = None
    function: Callable[..., Any] | None = None
    around: Around = contextlib.nullcontext
    tensors: bool = False
    complaint: str = ""

    def subject(self) -> Subject:
        """Make a new instance."""
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
        """Call a new instance, and return its answer, None if it raises.

        - `method`, `call`: what is called with which arguments; an empty method is the instance
        - `values`, `parameters`: arrays by name
        """
        torch = sys.modules.get("torch")
        with warnings.catch_warnings(), torch.no_grad() if torch else contextlib.nullcontext():
            warnings.simplefilter("ignore")
            try:
                made = self.subject()
                given = dict(values)
                if self.factory is None:
                    given |= parameters
                else:
                    for name, array in parameters.items():
                        made.fill(name, array.astype(self.dtype.numpy))
                return self._answer(made, method, call, given)
            except Misbehaviour as error:
                self.complaint = self.complaint or str(error)
            except (Exception, SystemExit) as error:
                self.complaint = self.complaint or told(error)
        return None

    def _answer(
        self, made: Subject, method: str, call: Call, values: Mapping[str, Array]
    ) -> Returned:
        given = {key: made.given(array.astype(self.dtype.numpy)) for key, array in values.items()}
        positional, named = call.arguments(given)
        module = isinstance(made, TorchSubject)
        hooked = [name for name, _ in made.holder.named_modules() if name] if module else []
        with self.around():
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
    """Return `answer` with the index of a leaf in place of each array, which goes to `leaves`."""
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
