"""What chance can explain: counts of hits, each of which has the same probability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from conformance.requirements.helpers.randomness import FALSE_ALARM
from reference import Array


@dataclass(frozen=True, eq=False)
class Counts:
    """Of several counts how many `hits` there were in how many independent `trials`.

    `where` says of each count what it is about, and `chance` is the probability of a hit.
    """

    where: Sequence[object]
    hits: Array
    trials: Array
    chance: float


def surprise(hits: Array, trials: Array, chance: float) -> Array:
    """Compute -ln of a bound on the probability of a count as far from n `chance`, on its side.

    For k hits in n trials the bound is exp(-n D), where D = s ln(s / p) + (1 - s) ln((1 - s) /
    (1 - p)) with s = k / n. Source: W. Hoeffding, "Probability inequalities for sums of bounded
    random variables", J. Amer. Statist. Assoc. 58 (1963), theorem 1.
    """
    n = np.maximum(trials, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [
            np.where(k > 0, k * np.log(k / n / p), 0)
            for k, p in ((hits, chance), (trials - hits, 1 - chance))
        ]
    total: Array = parts[0] + parts[1]
    return total


def most_surprising(counts: Sequence[Counts]) -> tuple[Counts, int, float, float]:
    """Find the count that chance explains least: where it is, its surprise, and the limit.

    By the limit, chance exceeds it in any of all `counts`, on either side, with a probability of
    at most :data:`FALSE_ALARM`.
    """
    limit = float(np.log(2 * sum(each.hits.size for each in counts) / FALSE_ALARM))
    surprises = [surprise(each.hits, each.trials, each.chance) for each in counts]
    worst = int(np.argmax([each.max(initial=0) for each in surprises]))
    place = int(np.argmax(surprises[worst]))
    return counts[worst], place, float(surprises[worst][place]), limit
