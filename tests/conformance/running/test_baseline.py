"""Failures that an earlier report has."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from conformance import UsageError
from conformance.checking.verdict import (
    ExpectedFailure,
    FailedShould,
    TimedOut,
    Undecided,
    UnexpectedPass,
    Verdict,
)
from conformance.running.baseline import KNOWN, Baseline, baseline, failures
from tests.support.options import config
from tests.support.several_reports import (
    EQUATIONS,
    SHAPES,
    crashed,
    expected,
    failed,
    passed,
    written,
)

HERE = EQUATIONS, "mine", "cpu"


def of(tmp_path: Path, *verdicts: Verdict) -> Baseline:
    found = failures(written(tmp_path / "r.json", *verdicts))
    return baseline(config(lstm_failures=json.loads(json.dumps(found))))  # as workers are sent it


@pytest.mark.parametrize("old", [failed(), expected(), failed(kind=FailedShould)])
@pytest.mark.parametrize("new", [failed(message="other numbers"), failed(kind=FailedShould)])
def test_failure_of_the_baseline_is_known(old: Verdict, new: Verdict, tmp_path: Path) -> None:
    """Of the same kind in the same dtype, whatever its numbers are."""
    found = of(tmp_path, old).judged(new)
    assert isinstance(found, ExpectedFailure)
    assert found.reason == KNOWN
    assert found.counterexample == new.counterexample


@pytest.mark.parametrize(
    "new",
    [
        failed(dtype="float16"),
        crashed(),
        TimedOut(*HERE),
        failed(SHAPES),
        replace(failed(), device="cuda:0"),
        replace(failed(), implementation="yours"),
        Undecided(*HERE, reason="not begun"),
        UnexpectedPass(*HERE),
        passed(),
    ],
)
def test_anything_else_is_not_known(new: Verdict, tmp_path: Path) -> None:
    """Another requirement, implementation, device, kind or dtype stays what it is."""
    assert of(tmp_path, failed()).judged(new) is new


def test_failure_of_what_passed_is_not_known(tmp_path: Path) -> None:
    """And without a baseline nothing is."""
    assert of(tmp_path, passed()).judged(failed()) == failed()
    assert baseline(config()).judged(failed()) == failed()


def test_mended_failures_are_named(tmp_path: Path) -> None:
    """What passed before as well is not."""
    known = of(tmp_path, failed(), passed(SHAPES))
    told = list(known.mended([passed(), passed(SHAPES)]))
    assert told == [f"mended since the baseline: mine on cpu: {EQUATIONS}"]
    assert not list(known.mended([failed()]))


def test_baseline_has_to_be_a_report(tmp_path: Path) -> None:
    """A file that is none ends the run before it begins."""
    with pytest.raises(UsageError, match="cannot be read"):
        failures(str(tmp_path / "none.json"))
