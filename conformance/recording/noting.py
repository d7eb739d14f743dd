"""Recording what is done next on the running tape; without one, that costs nothing."""

from __future__ import annotations

import contextlib
import string
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from conformance.recording.operands import Literal, Name, Part, Text
from conformance.recording.steps import Comparison, Step
from conformance.recording.tape import Tape
from reference import Array, Case


class Noted:
    """A step that was just recorded, and whose new variables still stand for nothing."""

    def __init__(
        self, tape: Tape | None = None, new: tuple[Name, ...] = (), call: bool = False
    ) -> None:
        self._tape, self._new, self._call = tape, new, call
        self._made: tuple[Any, ...] = ()

    def gave(self, *values: Any) -> None:
        """Bind the objects that the step made to its new variables, in the same order.

        Another call replaces the objects by what was made of them. A call of an LSTM that gives the
        same tensor as an earlier one makes two variables of it; which one is meant later on is not
        known, so that the tape is no longer whole.
        """
        if self._tape is None:
            return
        for made in self._made:
            self._tape.forget(made)
        for value, name in zip(values, self._new, strict=True):
            if self._call and hasattr(value, "detach") and self._tape.found(value) is not None:
                self._tape.whole = False
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
    names = tuple(map(tape.name, new))
    filled = {gap: tape.operand(operands[gap]) for gap in _gaps(text) if gap in operands}
    filled.update({name.stem: name for name in names})
    tape.add(Step(text, names, filled, tape.under, tape.attempt, case))
    return Noted(tape, names, call=case is not None)


@lru_cache(maxsize=1024)
def _gaps(text: str) -> tuple[str, ...]:
    """List the names of the gaps in `text`, each once."""
    return tuple(dict.fromkeys(gap for _, gap, _, _ in string.Formatter().parse(text) if gap))


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


def entangled() -> None:
    """Record that what is done with one module may matter to another one."""
    tape = current()
    if tape is not None:
        tape.entangled = True


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
