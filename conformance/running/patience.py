"""How long the suite waits for one call of an implementation that hangs."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter, defaultdict
from time import perf_counter

from conformance.checking.verdict import TimedOut, Verdict

ENOUGH = 2
"""The number of requirements that time out before the others get a shorter limit."""
TIMES = 1000.0
"""How many times the median of the calls in the run a single call may take then."""
LEAST = {ENOUGH: 2.0, 10: 1.0}
"""The shortest such limit in seconds, by how many requirements have timed out."""
SHARE = 0.1
"""That limit as a share of a requirement's, if no call in the run has ended."""
TOOK = "lstm_conformance_took"
"""The name under which the seconds of a call travel as a property of a pytest report."""


class Calls:
    """How long calls take: the seconds in `took`, of those that returned."""

    def __init__(self) -> None:
        self.took: list[float] = []
        self._since: float | None = None

    def begin(self) -> None:
        """Note that a call begins; one that has not ended is forgotten."""
        self._since = perf_counter()

    def forget(self) -> None:
        """Forget a call that has not ended."""
        self._since = None

    def end(self) -> None:
        """Note that the call has ended, if there is one."""
        if self._since is not None:
            self.took.append(perf_counter() - self._since)
            self._since = None


class Patience:
    """The shortened limits of a run, made from the verdicts as they come.

    - `timeout`: the limit in seconds for a requirement
    - `limits`: the limit in seconds for a call, by the name of the implementation
    - `reasons`: why the limit is shorter, in a sentence, by the same names and the shortest limit
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self.limits: dict[str, float] = {}
        self.reasons: dict[tuple[str, float], str] = {}
        self._settled: dict[str, float] = {}
        self._late: Counter[str] = Counter()
        self._took: defaultdict[str, list[float]] = defaultdict(list)

    def took(self, implementation: str, seconds: float) -> None:
        """Take into account what half of the calls for a requirement have taken at most."""
        self._took[implementation].append(seconds)

    def learn(self, verdict: Verdict) -> bool:
        """Take a verdict into account; returns whether that has shortened a limit.

        A limit that was shortened before any call had ended is shortened once more.
        """
        name = verdict.implementation
        self._late[name] += isinstance(verdict, TimedOut)
        late = self._late[name]
        least = min((LEAST[count] for count in LEAST if count <= late), default=None)
        if least is None or self._settled.get(name) == least:
            return False
        took = self._took[name] or [*itertools.chain(*self._took.values())]
        if took:
            self._settled[name] = least
            median = statistics.median(took)
            limit = max(float(f"{TIMES * median:.2g}"), least)
            why = f"half of the calls took less than {median:.2g} s"
        else:
            limit, why = max(SHARE * self.timeout, least), "no call had ended"
        if limit >= self.limits.get(name, self.timeout):
            return False
        self.limits[name] = limit
        self.reasons[name, least] = (
            f"{late} requirements of {name} had timed out, and {why}: "
            f"from then on {limit:g} s were the limit for a call, not {self.timeout:g} s"
        )
        return True
