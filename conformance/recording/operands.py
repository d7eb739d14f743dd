"""What can stand in the gaps of a noted step: variables, parts of them, texts and numbers."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.recording.strides import forwards, storage
from reference import Array


@dataclass(frozen=True)
class Name:
    """A variable: its number, and what it is called unless another has that name already."""

    number: int
    stem: str


@dataclass(frozen=True)
class Part:
    """Part of a variable, such as ``.grad`` of a tensor."""

    of: Name
    text: str


@dataclass(frozen=True)
class Text:
    """Python as it stands; `imports` are the lines that it needs."""

    text: str
    imports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Origin:
    """Where a class comes from: module, qualified name, file (empty if it has none)."""

    module: str
    name: str
    file: str

    @classmethod
    def of(cls, kind: type[Any]) -> Origin:
        """That of a class."""
        module = sys.modules.get(kind.__module__)
        return cls(kind.__module__, kind.__qualname__, getattr(module, "__file__", None) or "")


@dataclass(frozen=True)
class Made:
    """An object of a class, made without arguments."""

    of: Origin


@dataclass(frozen=True, eq=False)
class Literal:
    """Numbers written out, with their strides, as a tensor on `device` or as a NumPy array."""

    array: Array
    device: str = "cpu"
    tensor: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "array", forwards(self.array))

    def __getstate__(self) -> dict[str, Any]:
        array = self.array
        return {**vars(self), "array": np.ascontiguousarray(array), "strides": array.strides}

    def __setstate__(self, state: dict[str, Any]) -> None:
        array, strides = state.pop("array"), state.pop("strides")
        if array.strides != strides:
            memory = storage(array, strides)
            array = np.lib.stride_tricks.as_strided(memory, array.shape, strides)
        self.__dict__.update(state, array=array)


def names_in(operand: Any) -> Iterator[Name]:
    """The variables in an operand or in several."""
    if isinstance(operand, Name):
        yield operand
    elif isinstance(operand, Part):
        yield operand.of
    elif isinstance(operand, (Mapping, tuple)):
        for value in operand.values() if isinstance(operand, Mapping) else operand:
            yield from names_in(value)


def keyword_arguments(values: Mapping[str, Any]) -> Text:
    """Arguments of a call, the two sizes by position."""
    sizes = ("input_size", "hidden_size")
    return Text(
        ", ".join(
            repr(value) if name in sizes else f"{name}={value!r}" for name, value in values.items()
        )
    )


def part(name: str) -> str:
    """Python for a parameter of that name, to stand behind the module."""
    return (
        f".{name}" if all(map(str.isidentifier, name.split("."))) else f".get_parameter({name!r})"
    )
