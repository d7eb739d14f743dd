"""Objects that compute with lists of floats, without any package for arrays."""

from __future__ import annotations

from collections.abc import Collection, MutableMapping
from typing import Any

import numpy as np

from conformance.implementations.by_hand.held import DEEP, inside, put
from conformance.implementations.by_hand.subjects import Subject
from reference import Array


def numbers(value: Any) -> Array | None:
    """Return the array of nested lists of floats, None of anything else."""
    if not isinstance(value, list) or not value:
        return None
    inner: list[Any] = [numbers(each) if isinstance(each, list) else each for each in value]
    if not all(isinstance(each, (float, np.ndarray)) for each in inner):
        return None
    alike = len({np.shape(each) for each in inner}) == 1
    return np.array(inner, np.float64) if alike else None


def lists_held(holder: Any) -> dict[str, Array]:
    """Find the nested lists of floats in the attributes of `holder`, and in lists and dicts there.

    The names are those of :func:`conformance.implementations.by_hand.held.arrays_held`.
    """
    return _held(vars(holder) if hasattr(holder, "__dict__") else {}, "")


def _held(values: MutableMapping[Any, Any], prefix: str) -> dict[str, Array]:
    found: dict[str, Array] = {}
    for name, value in values.items():
        array = numbers(value)
        if array is not None:
            found[f"{prefix}{name}"] = array
        elif prefix.count(".") < DEEP:
            found |= _held(inside(value), f"{prefix}{name}.")
    return found


class Lists(Subject):
    """A :class:`Subject` that takes, holds and returns lists of floats."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Give the shape of every parameter, by name."""
        return {name: array.shape for name, array in lists_held(self.holder).items()}

    def leaf(self, name: str) -> Any:
        """Return the array of the parameter `name`."""
        found = lists_held(self.holder).get(name)
        return super().leaf(name) if found is None else found

    def _put(self, name: str, new: Any) -> None:
        put(self.holder, name, new.tolist())

    def called(
        self, method: str, given: list[Any], named: dict[str, Any], hooked: Collection[str] = ()
    ) -> tuple[Any, dict[str, Any]]:
        """Call the holder with lists, and return arrays."""
        listed = {name: _lists(value) for name, value in named.items()}
        answer, inputs = super().called(method, [_lists(each) for each in given], listed)
        return _arrays(answer), inputs


def _lists(value: Any) -> Any:
    """Return `value` with a list in place of each array, also within tuples, lists and dicts."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _lists(each) for key, each in value.items()}
    return type(value)(map(_lists, value)) if isinstance(value, (tuple, list)) else value


def _arrays(value: Any) -> Any:
    """Return `value` with an array in place of each nested list of floats."""
    array = numbers(value)
    if array is not None:
        return array
    if isinstance(value, dict):
        return {key: _arrays(each) for key, each in value.items()}
    return tuple(map(_arrays, value)) if isinstance(value, (tuple, list)) else value
