"""A tape that records what is done with an implementation, step by step.

Each step is a line of Python with named gaps, and what fills the gaps: modules and tensors that
earlier steps made, arrays, and Python source. :mod:`conformance.reproductions` writes a script from
the steps of a failing case. Without a running tape, a call of :func:`note` costs nothing.
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
    """The steps recorded so far, and the objects that the variables of the steps stand for.

    `sink` is called with each step before the step is taken. `whole` becomes False once a step uses
    an object of unknown origin: the steps then do not suffice for a script. `modes` are those in
    which modules were called, True for train.
    """

    def __init__(self, sink: Callable[[Step], None] | None = None) -> None:
        self.steps: list[Step] = []
        self.under: tuple[Text, ...] = ()
        self.attempt: int | None = None
        self.attempts = 0
        self.whole = True
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
        ready = isinstance(value, (Name, Part, Text, Origin, Made, Literal))
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
    """Copy the numbers of a tensor; None if it holds none, as on the meta device or in a vmap."""
    from conformance.recording.arrays import numbers

    try:
        return numbers(tensor)
    except Exception:
        return None


class Noted:
    """A step that was just recorded, and whose new variables still stand for nothing."""

    def __init__(self, tape: Tape | None = None, new: tuple[Name, ...] = ()) -> None:
        self._tape, self._new = tape, new
        self._made: tuple[Any, ...] = ()

    def gave(self, *values: Any) -> None:
        """Bind the objects that the step made to its new variables, in the same order.

        Another call replaces the objects by what was made of them.
        """
        if self._tape is None:
            return
        for made in self._made:
            self._tape.forget(made)
        for value, name in zip(values, self._new, strict=True):
            self._tape.bind(value, name)
        self._made = values


_NOWHERE = Noted()
_tapes: list[Tape | None] = [None]


def current() -> Tape | None:
    """Return the running tape; None without one."""
    return _tapes[-1]


@contextlib.contextmanager
def recording(sink: Callable[[Step], None] | None = None) -> Iterator[Tape]:
    """Run a new tape within the context; `sink` is called with each step before it is taken."""
    tape = Tape(sink)
    _tapes.append(tape)
    try:
        yield tape
    finally:
        _tapes.pop()


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """Record nothing within the context."""
    _tapes.append(None)
    try:
        yield
    finally:
        _tapes.pop()


def note(
    text: str, *, new: tuple[str, ...] = (), case: Case | None = None, **operands: Any
) -> Noted:
    """Record what is done next, a line `text` whose gaps have the names in `new` and `operands`.

    Returns an object that must be given what the line makes, see :meth:`Noted.gave`.
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
    """Record that `value` is a copy of what `tensor` holds now."""
    tape = current()
    name = None if tape is None else tape.found(tensor)
    if tape is not None and name is not None:
        copy = tape.name("seen")
        operands = {"copy": copy, "tensor": name}
        tape.add(Step("{copy} = {tensor}.detach().clone()", (copy,), operands, reads=True))
        tape.bind(value, copy)


def bind(value: object, whole: object, text: str) -> None:
    """Record that `value` is the part of `whole` that Python reads with `text`."""
    tape = current()
    name = None if tape is None else tape.found(whole)
    if tape is not None and isinstance(name, (Name, Part)):
        of, before = (name, "") if isinstance(name, Name) else (name.of, name.text)
        tape.bind(value, Part(of, before + text))


def mode(module: Any, called: bool = False) -> None:
    """Record the mode of `module`, train or eval, if the mode has changed since the last call.

    The mode counts as one in which a module was `called` only where that is said.
    """
    tape = current()
    if tape is not None and called:
        tape.modes.add(bool(module.training))
    if tape is None or tape.training.get(id(module), True) == module.training:
        return
    tape.training[id(module)] = module.training
    note("{module}.train()" if module.training else "{module}.eval()", module=module)


@contextlib.contextmanager
def under(text: str, *imports: str) -> Iterator[None]:
    """Put what is recorded within into a block ``with text:``, which needs these `imports`."""
    tape = current() or Tape()
    before = tape.under
    tape.under = (*before, Text(text, imports))
    try:
        yield
    finally:
        tape.under = before


@contextlib.contextmanager
def attempted() -> Iterator[None]:
    """Mark what is recorded within as one attempt, which the implementation must refuse."""
    tape = current() or Tape()
    tape.attempts += 1
    tape.attempt = tape.attempts
    try:
        yield
    finally:
        tape.attempt = None


def compared(got: Array, expected: Array, allowed: Array) -> Comparison | None:
    """Describe a comparison that failed, so that a script can repeat it; None without a tape."""
    tape = current()
    if tape is None:
        return None
    should = tape.found(expected) or Literal(expected, tensor=False)
    return Comparison(tape.found(got), should, Literal(np.asarray(allowed), tensor=False))
