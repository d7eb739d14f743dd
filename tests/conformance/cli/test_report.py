"""``lstm-conformance report``: a report as a table, and in other forms."""

import re
from pathlib import Path

import pytest

from conformance.checking.verdict import NotApplicable, Passed, Verdict
from conformance.cli.command import main
from conformance.errors import BROKEN, CONFORMANT, INTERRUPTED, NOT_CONFORMANT, USAGE
from conformance.recording.json import write
from conformance.running.reporting.junit import junit
from conformance.running.reporting.markdown import markdown
from conformance.running.reporting.pages.run import html
from conformance.running.reporting.report import Run
from tests.support.reports import report
from tests.support.written import failed, run_of

PASSED = Passed("results_match_reference", "mine", "cpu", 9, 0.5, 1.0)
UNENDED = run_of(PASSED)
UNENDED.total = 2


@pytest.mark.parametrize(
    ("run", "status"),
    [
        (run_of(PASSED), CONFORMANT),
        (run_of(PASSED, failed()), NOT_CONFORMANT),
        (UNENDED, INTERRUPTED),
        (run_of(NotApplicable("results_match_reference", "mine", "cpu", reason="none")), BROKEN),
    ],
)
def test_exit_status_is_that_of_the_run(
    run: Run, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the table is printed."""
    write(tmp_path / "r.json", run.to_json())
    assert main(["report", str(tmp_path / "r.json")]) == status
    assert "mine on cpu" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("verdict", "shard", "status"),
    [
        (PASSED, "1/1", CONFORMANT),
        (PASSED, "2/3", BROKEN),
        (failed(), "2/3", NOT_CONFORMANT),
    ],
)
def test_one_shard_alone_is_not_enough(
    verdict: Verdict, shard: str, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As where the reports of the others were lost; a red is a red."""
    run = run_of(verdict, shard=shard, items_digest="x")
    write(tmp_path / "r.json", run.to_json())
    assert main(["report", str(tmp_path / "r.json")]) == status
    lines = capsys.readouterr().out.splitlines()
    lacking = [line for line in lines if line.startswith("not enough was checked: ")]
    assert lacking == [
        f"not enough was checked: shard {number}/3 is missing"
        for number in (1, 3)
        if shard == "2/3"
    ]


def test_every_form_is_written(tmp_path: Path) -> None:
    """From the one report, which itself stays as it was."""
    run = run_of(PASSED, failed())
    write(tmp_path / "r.json", run.to_json())
    words = [
        word
        for form in ("json", "html", "junit", "markdown")
        for word in (f"--{form}", str(tmp_path / f"new.{form}"))
    ]
    assert main(["report", str(tmp_path / "r.json"), *words]) == NOT_CONFORMANT
    found = report(tmp_path / "r.json")
    assert report(tmp_path / "new.json") == found
    for name, form in (("html", html), ("junit", junit), ("markdown", markdown)):
        assert (tmp_path / f"new.{name}").read_text("utf-8") == form(found)


def test_annotations_follow_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Within which no line is a command."""
    write(tmp_path / "r.json", run_of(failed()).to_json())
    assert main(["report", str(tmp_path / "r.json"), "--github"]) == NOT_CONFORMANT
    first, *_, last, annotation = capsys.readouterr().out.splitlines()
    assert first.startswith("::stop-commands::")
    assert last == f"::{first.removeprefix('::stop-commands::')}::"
    assert annotation.startswith("::error file=mine.py,title=results_match_reference failed::")


@pytest.mark.parametrize("text", ["", "{}", "[", None])
def test_what_is_no_report_is_refused_in_a_line(
    text: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Or is not there."""
    if text is not None:
        (tmp_path / "r.json").write_text(text, encoding="ascii")
    assert main(["report", str(tmp_path / "r.json")]) == USAGE
    assert re.fullmatch(r"lstm-conformance: .*r\.json .*\n", capsys.readouterr().err)


def test_report_that_cannot_be_written_is_not_green(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line names the file."""
    write(tmp_path / "r.json", run_of(PASSED).to_json())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("conformance.running.reporting.writing.write_text", full)
    target = str(tmp_path / "x.html")
    assert main(["report", str(tmp_path / "r.json"), "--html", target]) == BROKEN
    assert f"{target} cannot be written: No space left on device" in " ".join(
        capsys.readouterr().out.split()
    )
