"""Judging an implementation in this process."""

from functools import partial
from pathlib import Path

from conformance.implementations.implementation import Implementation, precision
from conformance.judgement.judging import Answer, answered, collected, computed, explained
from reference import Case


def judge_implementation(
    implementation: Implementation, case: Case, *, root: Path | None = None
) -> Answer:
    """Run `implementation` on `case`, layer by layer, and judge the results.

    What goes wrong is reproduced in a folder below `root`, unless that is None.
    """
    by, there = precision(implementation), implementation.supports.results
    explain = partial(explained, implementation, root)
    results = collected(computed(implementation, case))
    return answered(implementation.name, case, results, by, there, explain)
