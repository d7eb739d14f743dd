"""Checks of the options of strategies, and strategies for one of several values."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from operator import itemgetter
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument
from hypothesis.strategies import SearchStrategy

Value = TypeVar("Value", str, bool)
T = TypeVar("T")

Bounds = tuple[int, int]
"""The smallest and the largest size that may be drawn, both included."""


class Unsupported(InvalidArgument):
    """An option that leaves none of the `supported` values; `reason` is the text without them."""

    def __init__(self, reason: str, supported: tuple[object, ...]) -> None:
        super().__init__(f"{reason}, only {supported} is")
        self.reason = reason


def choices(
    name: str, supported: Collection[Value], requested: Collection[Value] | Value | None
) -> tuple[Value, ...]:
    """Select the `supported` values, in their order, that the option `name` asks for.

    `requested` is one value, several values, or None for all. Raises :class:`Unsupported` if none
    of them is supported.
    """
    if requested is None:
        return tuple(supported)
    wanted = (requested,) if isinstance(requested, (str, bool)) else tuple(requested)
    left = tuple(value for value in supported if value in wanted)
    if not left:
        raise Unsupported(f"{name}={requested!r} is not supported", tuple(supported))
    return left


def bounds(name: str, pair: Bounds, *, least: int = 1) -> Bounds:
    """Check the bounds `pair` and return them.

    Raises :class:`InvalidArgument` unless they are integers (min, max) with least <= min <= max.
    """
    if (
        not isinstance(pair, tuple)
        or len(pair) != 2
        or not all(isinstance(size, int) for size in pair)
    ):
        raise InvalidArgument(f"{name}={pair!r} must be a pair of integers (min, max)")
    if not least <= pair[0] <= pair[1]:
        raise InvalidArgument(f"{name}={pair!r} must have {least} <= min <= max")
    return pair


def at_least(name: str, pair: Bounds, least: int, reason: str) -> Bounds:
    """Raise the lower end of the bounds `pair` to `least`, which `reason` needs.

    Raises :class:`InvalidArgument` if the upper end is below `least`.
    """
    if pair[1] < least:
        raise InvalidArgument(f"{reason} needs {name} of at least {least}, got {name}={pair}")
    return max(pair[0], least), pair[1]


def one_of(name: str, values: Sequence[T]) -> SearchStrategy[T]:
    """Draw one of `values`, each as often as it is listed; shrinks to the first.

    `name` makes strategies for different options unequal. Hypothesis varies an example by copying
    what was drawn from a strategy to all places with an equal strategy, which would make many cases
    near-duplicates.
    """
    tagged = [(name, value) for value in values]
    return (st.sampled_from(tagged) if len(tagged) > 1 else st.just(tagged[0])).map(itemgetter(1))


def flags(
    name: str, values: Sequence[bool], *, often: tuple[int, int] = (1, 1)
) -> SearchStrategy[bool]:
    """Draw one of one or two `values`, each as `often` as its number there; see :func:`one_of`."""
    return one_of(name, [value for value, n in zip(values, often, strict=False) for _ in range(n)])
