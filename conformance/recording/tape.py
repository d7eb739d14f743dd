"""What is done with an implementation, step by step, as it is done.

Each step is a line of Python with named gaps, and what goes into the gaps: modules and tensors
that earlier steps made, arrays, and texts. From the steps of a failing case
:mod:`conformance.reproductions` writes a script. Without a tape, noting costs nothing.
"""

from __future__ import annotations

import contextlib
import string
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from conformance.recording.operands import Literal, Made, Name, Origin, Part, Text
from conformance.recording.steps import Comparison, Step
from reference import Array, Case


class Tape:
    """The steps taken so far, and which objects their variables stand for.

    `whole` is False once something was used of which the tape does not know where it came from.
    """

    def __init__(self, sink: Callable[[Step], None] | None = None) -> None:
        self.steps: list[Step] = []
        self.under: tuple[Text, ...] = ()
        self.attempt: int | None = None
        self.attempts = 0
        self.whole = True
        self.training: dict[int, bool] = {}
        self._count = 0
        self._bound: dict[int, tuple[object, Any]] = {}
        self._sink = sink

    def add(self, step: Step) -> None:
        """Take a step down, and pass it on."""
        self.steps.append(step)
        if self._sink is not None:
            self._sink(step)

    def name(self, stem: str) -> Name:
        """A new variable."""
        self._count += 1
        return Name(self._count, stem)

    def bind(self, value: object, operand: Any) -> None:
        """From now on `value` is called `operand`."""
        self._bound[id(value)] = value, operand

    def found(self, value: object) -> Any:
        """What `value` is called, None if it has no name."""
        bound = self._bound.get(id(value))
        return bound[1] if bound else None

    def known(self, value: Any) -> Any:
        """`value` as what can stand in a gap, None if it has no name and does not speak for itself.

        A tuple is known if all its parts are.
        """
        if isinstance(value, tuple):
            parts = tuple(map(self.known, value))
            return None if None in parts else parts
        if isinstance(value, (int, float)):
            return Text(repr(value))
        speaks = isinstance(value, (Name, Part, Text, Origin, Made, Literal))
        return value if speaks else self.found(value)

    def objects(self, name: Name) -> list[Any]:
        """The objects that are called `name`."""
        return [value for value, operand in self._bound.values() if operand == name]

    def padded(self, output: Name) -> Name:
        """The output that was padded from a packed `output`, or itself."""
        made = (each.new[0] for each in self.steps if each.operands.get("packed") == output)
        return next((name for name in made if name != output), output)

    def operand(self, value: Any) -> Any:
        """`value` as what can stand in a gap."""
        name = self.found(value)
        if name is not None:
            return name
        if isinstance(value, (Name, Part, Text, Origin, Made, Literal, Case)):
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
    """The numbers of a tensor, None of one that has none of its own."""
    from conformance.recording.arrays import numbers

    try:
        return numbers(tensor)
    except Exception:
        return None


class Noted:
    """A step just taken; what it made gets its names."""

    def __init__(self, tape: Tape | None = None, new: tuple[Name, ...] = ()) -> None:
        self._tape, self._new = tape, new

    def gave(self, *values: Any) -> None:
        """The objects that the step made, in the order of its new names."""
        if self._tape is not None:
            for value, name in zip(values, self._new, strict=True):
                self._tape.bind(value, name)


_NOWHERE = Noted()
_tapes: list[Tape | None] = [None]


def current() -> Tape | None:
    """The tape that is running."""
    return _tapes[-1]


@contextlib.contextmanager
def recording(sink: Callable[[Step], None] | None = None) -> Iterator[Tape]:
    """A new tape; `sink` gets each step before it is taken."""
    tape = Tape(sink)
    _tapes.append(tape)
    try:
        yield tape
    finally:
        _tapes.pop()


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """Nothing is noted within."""
    _tapes.append(None)
    try:
        yield
    finally:
        _tapes.pop()


def note(
    text: str, *, new: tuple[str, ...] = (), case: Case | None = None, **operands: Any
) -> Noted:
    """Take down what is done next.

    `text` has gaps for the variables in `new`, by their stems, and for the `operands`.
    """
    tape = current()
    if tape is None:
        return _NOWHERE
    gaps = dict.fromkeys(gap for _, gap, _, _ in string.Formatter().parse(text) if gap)
    names = tuple(map(tape.name, new))
    filled = {gap: tape.operand(operands[gap]) for gap in gaps if gap in operands}
    filled.update({name.stem: name for name in names})
    tape.add(Step(text, names, filled, tape.under, tape.attempt, case))
    return Noted(tape, names)


def read(value: object, tensor: object) -> None:
    """`value` is what `tensor` holds now."""
    tape = current()
    name = None if tape is None else tape.found(tensor)
    if tape is not None and name is not None:
        copy = tape.name("seen")
        operands = {"copy": copy, "tensor": name}
        tape.add(Step("{copy} = {tensor}.detach().clone()", (copy,), operands, reads=True))
        tape.bind(value, copy)


def bind(value: object, whole: object, text: str) -> None:
    """`value` is the part of `whole` that Python gets with `text`."""
    tape = current()
    name = None if tape is None else tape.found(whole)
    if tape is not None and isinstance(name, (Name, Part)):
        of, before = (name, "") if isinstance(name, Name) else (name.of, name.text)
        tape.bind(value, Part(of, before + text))


def mode(module: Any) -> None:
    """Note whether `module` is in train mode, where that has changed."""
    tape = current()
    if tape is None or tape.training.get(id(module), True) == module.training:
        return
    tape.training[id(module)] = module.training
    note("{module}.train()" if module.training else "{module}.eval()", module=module)


@contextlib.contextmanager
def under(text: str, *imports: str) -> Iterator[None]:
    """What is noted within stands in a ``with`` block."""
    tape = current()
    if tape is None:
        yield
        return
    before = tape.under
    tape.under = (*before, Text(text, imports))
    try:
        yield
    finally:
        tape.under = before


@contextlib.contextmanager
def attempted() -> Iterator[None]:
    """What is noted within is to be refused."""
    tape = current()
    if tape is None:
        yield
        return
    tape.attempts += 1
    tape.attempt = tape.attempts
    try:
        yield
    finally:
        tape.attempt = None


def compared(got: Array, expected: Array, allowed: Array) -> Comparison | None:
    """A comparison that failed, for a script that makes it again."""
    tape = current()
    if tape is None:
        return None
    should = tape.found(expected) or Literal(expected, tensor=False)
    return Comparison(tape.found(got), should, Literal(np.asarray(allowed), tensor=False))
