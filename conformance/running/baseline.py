"""Failures that an earlier report has: they are known, and not red again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import pytest

from conformance.checking.verdict import ExpectedFailure, Key, Passed, Verdict
from conformance.running.reporting.side_by_side.reports import failure, read

KNOWN = "known from the baseline"


@dataclass(frozen=True)
class Baseline:
    """The failures of an earlier report: kind and dtype of each, by what it is about."""

    failures: dict[Key, tuple[str, str]]

    def judged(self, verdict: Verdict) -> Verdict:
        """Return `verdict`, as an expected failure if the baseline has the same failure.

        The same failure is one of the same requirement, implementation, device, kind and dtype.
        What is undecided and what passed against expectation stay red.
        """
        if not verdict.fails or self.failures.get(verdict.key) != failure(verdict):
            return verdict
        reason = f"{KNOWN}: {verdict.reason}" if verdict.reason else KNOWN
        return replace(ExpectedFailure(**vars(verdict)), reason=reason)

    def mended(self, verdicts: Iterable[Verdict]) -> Iterator[str]:
        """Yield, in words, what failed in the baseline and passes now."""
        for each in verdicts:
            if isinstance(each, Passed) and each.key in self.failures:
                yield f"mended since the baseline: {each.where}: {each.requirement}"


NOTHING = Baseline({})
"""The baseline of a run without one."""


FAILURES = "lstm_failures"
"""The option that has the failures of the baseline as data, for workers, which may be elsewhere."""


def failures(file: str | None) -> list[list[str]]:
    """Return the failures in the report in `file`: what each is about, its kind and its dtype.

    Raises :class:`UsageError` if the file is not a report.
    """
    verdicts = read(file).verdicts if file else ()
    found = [(each.key, failure(each)) for each in verdicts]
    return [[*key, *which] for key, which in found if which is not None]


def baseline(config: pytest.Config) -> Baseline:
    """Return the baseline of the run, an empty one if it has none."""
    given = getattr(config.option, FAILURES, ())
    return Baseline({(of, name, on): (kind, dtype) for of, name, on, kind, dtype in given})
