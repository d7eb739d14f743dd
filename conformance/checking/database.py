"""Cases that failed in earlier runs, which are tried first in the next ones.

A case is kept by its name, see :func:`strategies.search.search`: seed, requirement and number. What
others keep in a shared database is hashed, and never executed or unpickled.
"""

from __future__ import annotations

import contextlib
from functools import cache
from pathlib import Path

from hypothesis.database import (
    DirectoryBasedExampleDatabase,
    ExampleDatabase,
    InMemoryExampleDatabase,
    ReadOnlyDatabase,
)

from conformance.errors import UsageError

REDIS = ("redis://", "rediss://", "unix://")
"""How the address of a Redis server begins."""

LONGEST = 200
"""The length in bytes above which nothing is taken for a name."""


class Database:
    """The names of cases that failed, by a key; `examples` is where Hypothesis keeps them.

    An error of `examples`, such as a server that is gone, costs the names and nothing else.
    """

    def __init__(self, examples: ExampleDatabase) -> None:
        self._examples = examples

    def recall(self, key: str) -> list[str]:
        """Return the names under `key`, the same on every machine in the same order."""
        names: list[str] = []
        with contextlib.suppress(Exception):
            found = sorted(self._examples.fetch(key.encode()))
            names = [each.decode() for each in found if each.isascii() and len(each) <= LONGEST]
        return names

    def keep(self, key: str, name: str) -> None:
        """Add a name."""
        with contextlib.suppress(Exception):
            self._examples.save(key.encode(), name.encode())

    def forget(self, key: str, name: str) -> None:
        """Remove the name of a case that fails no more."""
        with contextlib.suppress(Exception):
            self._examples.delete(key.encode(), name.encode())


NOWHERE = Database(ReadOnlyDatabase(InMemoryExampleDatabase()))
"""A database that stays empty."""


@cache
def opened(place: str) -> Database:
    """Return the database in the folder, or on the Redis server, that `place` names.

    Raises :class:`UsageError` for a server that does not answer.
    """
    if not place.startswith(REDIS):
        return Database(DirectoryBasedExampleDatabase(Path(place)))
    try:
        from hypothesis.extra.redis import RedisExampleDatabase
        from redis import Redis, RedisError
    except ImportError:
        text = 'needs another package: pip install "lstm-conformance[redis]"'
        raise UsageError(f"--database {place} {text}") from None
    try:
        server = Redis.from_url(place)
        server.ping()
    except (RedisError, ValueError) as error:
        raise UsageError(f"--database {place} cannot be opened: {error}") from None
    return Database(RedisExampleDatabase(server))
