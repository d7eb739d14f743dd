"""What can fill the gaps of a recorded step: variables, their parts, Python source, arrays."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.recording.strides import forwards
from reference import Array


@dataclass(frozen=True)
class Name:
    """A variable: a number that identifies it, and the name that it gets unless that is taken."""

    number: int
    stem: str


@dataclass(frozen=True)
class Part:
    """A part of a variable; `text` is the Python that follows the variable, such as ``.grad``."""

    of: Name
    text: str


@dataclass(frozen=True)
class Text:
    """Python source, written as it stands; `imports` are the import lines that it needs."""

    text: str
    imports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Origin:
    """The place of a class: module, qualified name, and file (empty if there is none)."""

    module: str
    name: str
    file: str

    @classmethod
    def of(cls, kind: type[Any]) -> Origin:
        """Find the place of the class `kind`."""
        module = sys.modules.get(kind.__module__)
        return cls(kind.__module__, kind.__qualname__, getattr(module, "__file__", None) or "")


@dataclass(frozen=True)
class Made:
    """An object that its class makes when it is called without arguments."""

    of: Origin


@dataclass(frozen=True, eq=False)
class Literal:
    """An array that a script writes out in full, strides included.

    The script makes a torch tensor on `device` of the array, or a NumPy array if not `tensor`.
    """

    array: Array
    device: str = "cpu"
    tensor: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "array", forwards(self.array))


OPERANDS = (Name, Part, Text, Origin, Made, Literal)
"""What stands for itself in a gap, beside mappings and tuples of it."""


def names_in(operand: Any) -> Iterator[Name]:
    """Yield the variables in one operand, or in a mapping or tuple of operands."""
    if isinstance(operand, Name):
        yield operand
    elif isinstance(operand, Part):
        yield operand.of
    elif isinstance(operand, (Mapping, tuple)):
        for value in operand.values() if isinstance(operand, Mapping) else operand:
            yield from names_in(value)


def keyword_arguments(values: Mapping[str, Any]) -> Text:
    """Write constructor arguments as Python, the two sizes by position."""
    sizes = ("input_size", "hidden_size")
    return Text(", ".join(repr(v) if n in sizes else f"{n}={v!r}" for n, v in values.items()))


def part(name: str) -> str:
    """Write the Python that follows a module to read its parameter `name`.

    A name such as ``cells.0.weight_ih`` is not an attribute path and needs ``get_parameter``.
    """
    is_path = all(map(str.isidentifier, name.split(".")))
    return f".{name}" if is_path else f".get_parameter({name!r})"
