"""How well LSTMs explain an answer, and which of them are followed up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from conformance.inference.guess import Guess
from reference import Array

KEPT = 12
"""The number of exact guesses that are followed up; of guesses that explain nothing, a quarter."""


class Scored(NamedTuple):
    """How well each of M simulated LSTMs explains an answer.

    - `explained`: the number of arrays that each explains, (M,)
    - `off`: the mean error of each over the `total` arrays, (M,)
    - `total`: the number of arrays with the shape of something that an LSTM returns
    - `returned`: the number of all arrays
    """

    explained: Array
    off: Array
    total: int
    returned: int

    def best(self) -> Iterator[int]:
        """Yield the LSTMs that explain most, or the nearest few if none explains anything."""
        if self.explained.any():
            yield from np.flatnonzero(self.explained == self.explained.max())[:KEPT]
        else:
            yield from np.argsort(self.off, kind="stable")[: KEPT // 4]

    def all_by_one_of(self, count: int) -> bool:
        """Return whether one of the first `count` explains everything."""
        return bool((self.explained[:count] >= self.total).any()) and self.total > 0

    def shown(self, n: int) -> dict[str, Any]:
        """Return the fields of a guess that the n-th LSTM sets."""
        counts = {"exact": int(self.explained[n]), "error": float(self.off[n])}
        return {**counts, "total": self.total, "returned": self.returned}


def best(guesses: Iterable[Guess]) -> list[Guess]:
    """Return the guesses to follow up, the best first."""
    ranked = sorted(guesses, key=lambda guess: guess.rank)
    if ranked and ranked[0].exact:
        return [guess for guess in ranked if guess.exact][:KEPT]
    return ranked[: KEPT // 4]
