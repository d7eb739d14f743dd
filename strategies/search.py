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
    failed: Callable[[str], None] = lambda _: None,
    enough: Callable[[int], bool] = lambda _: False,
) -> int:
    """Call `body` with drawn `cases` until it raises; return how many met its conditions.

    The first case is the simplest. The others depend on `seed` and on `cases`, and on nothing else:
    not on the process, its modules, its hash seed, or the versions of Python and Hypothesis. At
    most `max_examples` are tried, not counting those for which ``hypothesis.assume`` fails, and
    fewer if so many are `enough`.

    An ``Exception`` of `body` is raised again after Hypothesis has called `body` with ever smaller
    cases; it is that of the smallest one that fails. Anything else is raised at once. Before that,
    `failed` is called with the name of the case, by which :func:`again` draws it.
    """
    test = _test(cases, body, max_examples)
    valid = 0
    for number in range(DRAWN * max_examples):
        valid += _tried(test, f"{seed}:{number}", failed)
        if valid == max_examples or enough(valid):
            break
    return valid


def again(cases: SearchStrategy[T], body: Callable[[T], Any], name: str) -> None:
    """Call `body` with the case of this name among `cases`, as :func:`search` does."""
    _tried(_test(cases, body, max_examples=1), name)


def _test(cases: SearchStrategy[T], body: Callable[[T], Any], max_examples: int) -> Any:
    """Return a Hypothesis test that tries the bytes it is given, and shrinks what fails."""
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
    return test


def _tried(test: Any, name: str, failed: Callable[[str], None] = lambda _: None) -> bool:
    """Try the case of this name; returns whether it meets the conditions of the test."""
    try:
        return test.hypothesis.fuzz_one_input(_bytes(name)) is not None
    except Exception:
        failed(name)
        with contextlib.suppress(SkipTest):  # there is nothing to shrink
            test()
        raise


def _bytes(name: str) -> bytes:
    """Return the bytes for the case of this name: zeros, the first of all choices, for case 0."""
    simplest = name.endswith(":0")
    return bytes(BYTES) if simplest else hashlib.shake_256(name.encode()).digest(BYTES)


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
