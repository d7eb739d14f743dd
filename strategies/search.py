"""The search for a case that fails: draws cases from a seed alone, and shrinks the one that fails.

Hypothesis by itself draws other cases from the same seed where other modules are imported, because
it mixes their constants into what it draws, and where its version is another. So the choices that
make a case are read here from bytes, and the bytes depend on the seed and the number of the case
only. ``fuzz_one_input``, Hypothesis's interface to fuzzers, makes a case of bytes: a choice of one
among n values takes as many bits as n needs, and further ones while their number is n or more.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from unittest import SkipTest

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.database import ExampleDatabase
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")

BYTES = 1024
"""The bytes for one case, several times as many as any case takes."""

DRAWN = 10
"""How many times as many cases are drawn as are to be tried, if most do not meet conditions."""

KEY = b"shrunk"
"""The key under which a database has cases that Hypothesis would not shrink any more."""


def search(
    cases: SearchStrategy[T],
    body: Callable[[T], Any],
    *,
    seed: str,
    max_examples: int,
    enough: Callable[[int], bool] = lambda _: False,
) -> int:
    """Call `body` with drawn `cases` until it raises; return how many met its conditions.

    The first case is the simplest. The others depend on `seed` and on `cases`, and on nothing else:
    not on the process, its modules, its hash seed, or the versions of Python and Hypothesis. At
    most `max_examples` are tried, not counting those for which ``hypothesis.assume`` fails, and
    fewer if so many are `enough`.

    An ``Exception`` of `body` is raised again after Hypothesis has called `body` with ever smaller
    cases; it is that of the smallest one that fails. Anything else is raised at once.
    """
    test: Any = settings(
        max_examples=max_examples,
        phases=[Phase.reuse, Phase.shrink],
        database=_Found(),
        deadline=None,
        derandomize=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )(hypothesis.seed(0)(given(cases)(lambda case: body(case))))
    # without a key of its own, a test has no database where pytest is given --hypothesis-seed
    test._hypothesis_internal_database_key = KEY
    valid = 0
    for number in range(DRAWN * max_examples):
        try:
            valid += test.hypothesis.fuzz_one_input(_bytes(seed, number)) is not None
        except Exception:
            with contextlib.suppress(SkipTest):  # there is nothing to shrink
                test()
            raise
        if valid == max_examples or enough(valid):
            break
    return valid


def _bytes(seed: str, number: int) -> bytes:
    """Return the bytes for the case of this number: zeros, the first of all choices, for case 0."""
    return hashlib.shake_256(f"{seed}:{number}".encode()).digest(BYTES) if number else bytes(BYTES)


class _Found(ExampleDatabase):
    """The choices that failed, handed from ``fuzz_one_input`` to the phases that shrink them."""

    def __init__(self) -> None:
        super().__init__()
        self.choices: list[bytes] = []

    def save(self, key: bytes, value: bytes) -> None:
        """Keep the first choices that are saved."""
        self.choices = self.choices or [value]

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Return the choices as ones that are not shrunk yet."""
        return [] if key == KEY else self.choices

    def delete(self, key: bytes, value: bytes) -> None:
        """Keep what is there."""
