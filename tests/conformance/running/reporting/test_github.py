"""What GitHub Actions gets."""

import re
from pathlib import Path

import pytest

from conformance.checking.verdict import Undecided
from conformance.running.reporting.github import MOST, command, commands, without_commands
from conformance.running.reporting.markdown import markdown
from conformance.running.reporting.writing import Unwritable, write_all
from tests.support.written import HOSTILE, every_outcome, failed, run_of


def test_command_is_one_command() -> None:
    """Whatever its texts are."""
    assert command("error", "50%\r\n::error::x", title="a:b,c\n", file="") == (
        "::error title=a%3Ab%2Cc%0A::50%25%0D%0A::error::x"
    )


def test_failures_are_errors_and_shoulds_are_warnings() -> None:
    """Each a line of its own, on the file of the implementation."""
    lines = commands(every_outcome(HOSTILE).to_json())
    assert all("\n" not in line for line in lines)
    assert [line.split(" ")[0] for line in lines] == ["::error"] * 5 + ["::warning"]
    (line,) = commands(run_of(failed(text="Mine")).to_json())
    assert line.startswith("::error file=mine.py,title=results_match_reference failed::")
    assert "output[1, 1, 1] = 4.0, but should be 5.0 ± 0.1" in line


def test_annotations_are_no_more_than_are_shown() -> None:
    """The last one counts the others."""
    lines = commands(run_of(*(failed(text=f"x{n}") for n in range(14))).to_json())
    assert len(lines) == MOST
    assert lines[-1] == "::error title=lstm-conformance::5 more are in the summary"


def test_run_that_did_not_end_is_an_error() -> None:
    """Even if nothing is red; what is undecided is told once."""
    late = [Undecided(name, "mine", "cpu", reason="late") for name in "ab"]
    assert commands(run_of(*late).to_json()) == ["::error title=undecided::2 undecided: late"]
    run = run_of()
    assert commands(run.to_json()) == ["::error title=lstm-conformance::not complete"]


def test_lines_of_an_implementation_are_no_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """Commands are stopped until a word that nobody can know."""
    with without_commands():
        print("::error::x")
    first, inside, last = capsys.readouterr().out.splitlines()
    (token,) = re.findall("^::stop-commands::([0-9a-f]{32})$", first)
    assert (inside, last) == ("::error::x", f"::{token}::")


def test_summary_is_appended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the file that GitHub names; without one nothing is written."""
    report = run_of(failed()).to_json()
    target = tmp_path / "summary.md"
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    write_all(report, {"lstm_github": True})
    target.write_text("before\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(target))
    write_all(report, {"lstm_github": False})
    assert target.read_text("utf-8") == "before\n"
    write_all(report, {"lstm_github": True})
    assert target.read_text("utf-8") == f"before\n{markdown(report)}"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    with pytest.raises(Unwritable, match="GITHUB_STEP_SUMMARY cannot be written"):
        write_all(report, {"lstm_github": True})
