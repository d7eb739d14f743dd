"""Parameters that no argument of the adapter names: they get numbers, so that using them shows.

A peephole weight at zero or a gain at one changes nothing as the constructor makes it. A class with
one computes the LSTM until it is trained.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from conformance.errors import UsageError
from reference import Array

if TYPE_CHECKING:
    from conformance.implementations.by_hand.subjects import Subject

CANNOT = (UsageError, AttributeError, LookupError, TypeError, ValueError, RuntimeError)
"""What is raised where a parameter cannot be reached by its name, or is frozen: it stays."""


def numbers(name: str, shape: Sequence[int]) -> Array:
    """Return numbers of this shape for the parameter `name`, the same every time.

    They are multiples of 1/64 in [1/8, 1], exact in every dtype. All are positive, as they may be a
    scale of which the class takes the root.
    """
    return np.resize(_some(name), tuple(shape))


@lru_cache(maxsize=256)
def _some(name: str) -> Array:
    found: Array = np.random.default_rng(zlib.crc32(name.encode())).integers(8, 65, 251) / 64
    return found


def disturb(
    made: Subject, kept: Collection[str], zeroed: Collection[str], named: Collection[str]
) -> None:
    """Fill the parameters of `made` with :func:`numbers`, but those that are `kept` or `named`.

    Those that are `zeroed` become zero. Those that are `named` must be filled afterwards, as they
    may have other names as well. Raises :class:`UsageError` if one of `kept` or `zeroed` is not a
    parameter.
    """
    for name in zeroed:
        made.replace(name, np.zeros(made.leaf(name).shape))
    stay = [id(made.leaf(name)) for name in (*kept, *zeroed)]
    for name in made.parameters():
        with contextlib.suppress(*CANNOT):
            apart = name in kept or name in zeroed or name in named
            if not apart and id(leaf := made.leaf(name)) not in stay:
                made.replace(name, numbers(name, leaf.shape))


def unnamed(made: Subject, named: Iterable[str]) -> list[str]:
    """List the parameters of `made` that are not among those that are `named`, or a part of one."""
    named = set(named)
    known = {id(made.whole(name)) for name in named}
    found = []
    for name in made.parameters():
        with contextlib.suppress(*CANNOT):
            other = id(made.leaf(name)) not in known and name not in named
            if other and not any(each.startswith(f"{name}.") for each in named):
                found.append(name)
    return found
