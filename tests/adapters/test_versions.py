"""The table of PyTorch's versions, renewed one of them at a time."""

from pathlib import Path

import pytest

from conformance import ExpectedFailure, NotApplicable, Passed
from conformance.checking.counterexample import Counterexample
from conformance.checking.verdict import Verdict
from conformance.recording.json import write
from conformance.running.reporting.report import Run
from conformance.running.reporting.side_by_side.reports import Report
from tests.adapters import kept, versions

ABOUT = "torch.nn.LSTM", "cpu"
FOUND = Counterexample("<LSTM 1->1 float64 on cpu>", "raised ValueError: no", {"x": [1.0]})


def report(version: str, share: float, *more: Verdict) -> Report:
    shares = {"float64": share, "float32": share / 2}
    passed = Passed("results_match_reference", *ABOUT, cases=9, largest_share=share, shares=shares)
    run = {
        "profile": "quick",
        "started": "2026-01-02T03:04:05Z",
        "torch": version,
        "supports": {ABOUT[0]: {"dtypes": ["float64", "float32"]}},
    }
    return Report(f"{version}.json", True, run, [passed, *more])


def test_what_is_kept_gives_the_page_of_whole_reports(tmp_path: Path) -> None:
    """Shares, failures with their scripts, and what does not apply, are as in the reports."""
    expected = ExpectedFailure(
        "empty_batch_gives_empty_results", *ABOUT, reason="1", counterexample=FOUND, script="2"
    )
    reports = [
        report("2.0.1", 0.0125, expected),
        report("2.1.2", 0.25, NotApplicable("empty_batch_gives_empty_results", *ABOUT, reason="3")),
    ]
    kept.save(tmp_path / "kept.json", reports, versions.FIELDS)
    page = versions.page(kept.load(tmp_path / "kept.json"))
    assert page == versions.page(reports)
    assert "| results_match_reference | ✓ 1.2% | **✓ 25.0%** |" in page
    assert "raised ValueError: no" in page


def test_one_version_is_renewed_without_the_others() -> None:
    """A report takes the place of that of the same version."""
    old = [report("2.0.1", 0.125), report("2.1.2", 0.25)]
    found = kept.renewed(old, [report("2.1.2", 0.5)], versions.version)
    assert [(each.run["torch"], each.verdicts[0].largest_share) for each in found] == [
        ("2.0.1", 0.125),
        ("2.1.2", 0.5),
    ]


def test_published_table_of_versions_is_that_of_what_is_kept() -> None:
    """VERSIONS.md was written from VERSIONS.json."""
    page = versions.page(kept.load(versions.KEPT))
    assert versions.PAGE.read_text(encoding="utf-8") == page, "versions.py --write makes it"


def test_report_of_an_unfinished_run_is_not_published(tmp_path: Path) -> None:
    """What was not decided would stand there as not conformant."""
    run = Run("quick", 1, None, {}, [Passed("results_match_reference", *ABOUT, cases=9)], total=2)
    write(tmp_path / "report.json", run.to_json())
    with pytest.raises(SystemExit, match=r"report\.json is not complete"):
        list(kept.below(str(tmp_path)))
