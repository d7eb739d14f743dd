"""Options of the strategies: what a caller may ask for, checked against what is supported."""

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
    """An option asks for nothing that is `supported`; `reason` says so without listing that."""

    def __init__(self, reason: str, supported: tuple[object, ...]) -> None:
        super().__init__(f"{reason}, only {supported} is")
        self.reason = reason


def choices(
    name: str, supported: Collection[Value], requested: Collection[Value] | Value | None
) -> tuple[Value, ...]:
    """The `supported` values, in their order, that the option `name` leaves.

    `requested` is one value, several, or None for all. Raises :class:`Unsupported` if none of
    them is supported.
    """
    if requested is None:
        return tuple(supported)
    wanted = (requested,) if isinstance(requested, (str, bool)) else tuple(requested)
    left = tuple(value for value in supported if value in wanted)
    if not left:
        raise Unsupported(f"{name}={requested!r} is not supported", tuple(supported))
    return left


def bounds(name: str, pair: Bounds, *, least: int = 1) -> Bounds:
    """`pair` itself, checked: raises :class:`InvalidArgument` unless least <= min <= max."""
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
    """`pair` with its lower end raised to `least`, which `reason` needs.

    Raises :class:`InvalidArgument` if its upper end is below that.
    """
    if pair[1] < least:
        raise InvalidArgument(f"{reason} needs {name} of at least {least}, got {name}={pair}")
    return max(pair[0], least), pair[1]


def one_of(name: str, values: Sequence[T]) -> SearchStrategy[T]:
    """One of `values`, each as often as it is listed. Shrinks to the first.

    Hypothesis varies an example by copying what was drawn in one place to every place drawn from
    an equal strategy. Here that makes near-duplicates: the `name` sets the strategies apart.
    """
    tagged = [(name, value) for value in values]
    return (st.sampled_from(tagged) if len(tagged) > 1 else st.just(tagged[0])).map(itemgetter(1))


def flags(
    name: str, values: Sequence[bool], *, often: tuple[int, int] = (1, 1)
) -> SearchStrategy[bool]:
    """One of `values`, where there are two as `often` as these numbers say; see :func:`one_of`."""
    return one_of(name, [value for value, n in zip(values, often, strict=False) for _ in range(n)])
