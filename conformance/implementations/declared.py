"""An implementation by somebody else, whose declarations are read once.

A ``supports`` that is a property may raise an exception when it is read again, or answer otherwise.
"""

from __future__ import annotations

from typing import Any, cast

from conformance.implementations.failures import NoResult, blamed
from conformance.implementations.implementation import Implementation, operand
from conformance.recording.text import kind_of, line_of, shown
from reference import Case, Precision, Result
from strategies import Support

ADAPTERS = (
    "conformance.implementations.by_hand.adapter",
    "conformance.implementations.programs.external",
    "conformance.implementations.pytorch.modules",
)
"""Modules of this project whose implementations keep their declarations as plain attributes."""


class Declared:
    """The implementation `inner`, with its declarations as they are now.

    Raises :class:`~conformance.Misbehaviour` if one cannot be read or is of another type than
    :class:`Implementation` says.
    """

    def __init__(self, inner: Implementation) -> None:
        with blamed():
            name, supports = getattr(inner, "name", None), getattr(inner, "supports", None)
            precision = getattr(inner, "precision", Precision())
            version = getattr(inner, "version", "")
            self.run_inner: Any = getattr(inner, "run", None)
            self.constructed = operand(inner)
            self.name = line_of(name) if issubclass(type(name), str) else ""
            self.version = line_of(version)
        for field, value, kind, fits in (
            ("name", name, "a text such as 'my LSTM'", bool(self.name)),
            ("supports", supports, "a conformance.Support", type(supports) is Support),
            ("precision", precision, "a reference.Precision", type(precision) is Precision),
            ("run", self.run_inner, "a method run(case)", callable(self.run_inner)),
        ):
            if not fits:
                found = "None or no attribute" if value is None else shown(value, 60)
                raise NoResult(f"its `{field}` must be {kind}, got {found}")
        self.supports = cast(Support, supports)
        self.precision: Precision = precision
        self.inner = inner

    def run(self, case: Case) -> Result:
        """Let `inner` compute `case`."""
        return cast(Result, self.run_inner(case))

    def __getattr__(self, name: str) -> Any:
        """Read what else `inner` has, such as `gradients`."""
        if name.startswith("__") or "inner" not in vars(self):  # asked for while this is copied
            raise AttributeError(name)
        with blamed():
            value = getattr(self.inner, name, self)
        if value is self:
            raise AttributeError(f"{kind_of(self.inner)} has no attribute {name!r}")
        return value


def declared(implementation: Implementation) -> Implementation:
    """Return `implementation` with its declarations read once, itself if it is this project's.

    Raises :class:`~conformance.Misbehaviour` as :class:`Declared` does.
    """
    ours = isinstance(implementation, Declared) or type(implementation).__module__ in ADAPTERS
    return implementation if ours else Declared(implementation)
