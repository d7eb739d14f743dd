"""Reports of runs that were not made, for what compares several."""

from pathlib import Path
from typing import Any

from conformance.checking.counterexample import Counterexample
from conformance.checking.verdict import Crashed, ExpectedFailure, Failed, Passed, Verdict
from conformance.recording.json import write
from conformance.running.reporting.report import Run
from conformance.running.reporting.side_by_side.reports import Report

EQUATIONS, SHAPES, REPR = (
    "cell_matches_equations",
    "shapes_are_as_documented",
    "repr_tells_the_sizes",
)
"""Three requirements: two musts and a should."""


def passed(requirement: str = EQUATIONS, share: float | None = 0.1, **more: Any) -> Verdict:
    return Passed(requirement, "mine", "cpu", 8, share, 1.0, **more)


def failed(
    requirement: str = EQUATIONS,
    kind: type[Verdict] = Failed,
    what: str = "wrong element",
    dtype: str = "float32",
    message: str = "output[0] = 1.0, but should be 0.5 ± 1e-08",
    **more: Any,
) -> Verdict:
    found = Counterexample("<LSTM 1->1>", message, {}, kind=what, dtype=dtype)
    return kind(requirement, "mine", "cpu", 3, None, 1.0, counterexample=found, **more)


def crashed(requirement: str = EQUATIONS) -> Verdict:
    return failed(requirement, Crashed, "raised", message="raised ValueError: no")


def expected(requirement: str = EQUATIONS) -> Verdict:
    return failed(requirement, ExpectedFailure, reason="known")


def report(*verdicts: Verdict, complete: bool = True, **run: Any) -> Report:
    return Report("report.json", complete, run, verdicts)


def written(path: Path, *verdicts: Verdict, **circumstances: Any) -> str:
    """The name of a file with a report of these verdicts."""
    run = Run("quick", 1, None, circumstances, list(verdicts), total=len(verdicts))
    write(path, run.to_json())
    return str(path)
