"""All right LSTMs, by name: each computes in another way."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from conformance import Implementation
from conformance.implementations.pytorch.probing import adapt

from . import (
    cached_weights,
    functions,
    hand_written_backward,
    in_order_of_length,
    limited,
    numpy_loops,
    products,
    rows,
    thread_scratch,
    time,
    torchscript,
    view_of_output,
)

MODULES = (
    products,
    functions,
    time,
    rows,
    numpy_loops,
    hand_written_backward,
    torchscript,
    view_of_output,
    cached_weights,
    in_order_of_length,
    thread_scratch,
    limited,
)


def _right(module: ModuleType) -> list[type[Any]]:
    own = (value for value in vars(module).values() if isinstance(value, type))
    lstms = (each for each in own if hasattr(each, "forward") or hasattr(each, "run"))
    return [each for each in lstms if each.__module__ == module.__name__ and each not in BASES]


BASES = (rows.ComputesGroupsOfRows, hand_written_backward.Step, limited.LastState)
"""What is no LSTM by itself."""
RIGHT = {each.__name__: each for module in MODULES for each in _right(module)}
"""The classes by name."""


def implementation(name: str) -> Implementation:
    """What the suite verifies: the class adapted, or itself if it is an implementation."""
    cls = RIGHT[name]
    if hasattr(cls, "run"):
        own: Implementation = cls()
        return own
    return adapt(cls, name)
