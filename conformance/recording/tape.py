"""A tape that records what is done with an implementation, step by step.

Each step is a line of Python with named gaps, and what fills the gaps: modules and tensors that
earlier steps made, arrays, and Python source. :mod:`conformance.reproductions` writes a script from
the steps of a failing case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from conformance.recording.operands import OPERANDS, Literal, Name, Origin, Text
from conformance.recording.steps import Step
from reference import Array, Case


class Tape:
    """The steps recorded so far, and the objects that the variables of the steps stand for.

    `sink` is called with each step before the step is taken. `whole` becomes False once a step uses
    an object of unknown origin: the steps then do not suffice for a script. `entangled` becomes
    True where each step may matter to any other, so that a script leaves none out. `modes` are
    those in which modules were called, True for train.
    """

    def __init__(self, sink: Callable[[Step], None] | None = None) -> None:
        self.steps: list[Step] = []
        self.under: tuple[Text, ...] = ()
        self.attempt: int | None = None
        self.attempts = 0
        self.whole = True
        self.entangled = False
        self.training: dict[int, bool] = {}
        self.modes: set[bool] = set()
        self._count = 0
        # by id, because arrays cannot be keys; keeping the object keeps its id from being reused
        self._bound: dict[int, tuple[object, Any]] = {}
        self._sink = sink

    def add(self, step: Step) -> None:
        """Record a step, and pass it to the sink."""
        self.steps.append(step)
        if self._sink is not None:
            self._sink(step)

    def name(self, stem: str) -> Name:
        """Make a new variable."""
        self._count += 1
        return Name(self._count, stem)

    def bind(self, value: object, operand: Any) -> None:
        """Let `operand` stand for the object `value` in all later steps."""
        self._bound[id(value)] = value, operand

    def forget(self, value: object) -> None:
        """Let nothing stand for the object `value` any more."""
        self._bound.pop(id(value), None)

    def found(self, value: object) -> Any:
        """Find the operand that stands for the object `value`; None if there is none."""
        bound = self._bound.get(id(value))
        return bound[1] if bound else None

    def known(self, value: Any) -> Any:
        """Find an operand for `value`; None if `value` has no name and is not an operand itself.

        A number is an operand, and so is a tuple whose items all have one.
        """
        if isinstance(value, tuple):
            parts = tuple(map(self.known, value))
            return None if None in parts else parts
        if isinstance(value, (int, float)):
            return Text(repr(value))
        ready = isinstance(value, OPERANDS)
        return value if ready else self.found(value)

    def objects(self, name: Name) -> list[Any]:
        """List the objects that the variable `name` stands for."""
        return [value for value, operand in self._bound.values() if operand == name]

    def padded(self, output: Name) -> Name:
        """Find the padded output that was made of a packed `output`; else return `output`."""
        made = (each.new[0] for each in self.steps if each.operands.get("packed") == output)
        return next((name for name in made if name != output), output)

    def operand(self, value: Any) -> Any:
        """Make an operand of `value`: its name if it has one, else its contents written out.

        An object that cannot be written out becomes ``...``, and the tape is no longer `whole`.
        """
        name = self.found(value)
        if name is not None:
            return name
        if isinstance(value, (*OPERANDS, Case)):
            return value
        if isinstance(value, type):
            return Origin.of(value)
        if isinstance(value, np.ndarray):
            return Literal(value)
        if isinstance(value, Mapping):
            return {key: self.operand(each) for key, each in value.items()}
        if isinstance(value, tuple):
            return tuple(map(self.operand, value))
        if hasattr(value, "detach") and hasattr(value, "device"):
            array = _array(value)
            if array is not None:
                return Literal(array, str(value.device))
        if value is None or isinstance(value, (bool, int, float, str, list)):
            return Text(repr(value))
        self.whole = False
        return Text("...")


def _array(tensor: Any) -> Array | None:
    """Copy the numbers of a tensor; None if it holds none, as on the meta device or in a vmap."""
    from conformance.recording.arrays import numbers

    try:
        return numbers(tensor)
    except Exception:
        return None
