"""What a gate in CI needs of the command line: one message, few lines, and what is new."""

import json
from pathlib import Path

import pytest

from conformance.checking.verdict import ExpectedFailure, Undecided, from_json
from conformance.cli.command import main
from tests.support.processes import SPECIMENS, command
from tests.support.reports import report
from tests.support.several_reports import EQUATIONS, SHAPES, failed, passed, written

ASKED = ("--requirement", EQUATIONS, "--requirement", SHAPES, "--device", "cpu", "--seed", 1)
FAULTY = f"{SPECIMENS}:ForgetsBiasHH"

BROKEN = """
from torch import nn

class NoLSTM(Exception):
    pass

class Broken(nn.LSTM):
    def forward(self, x, hx=None):
        raise NoLSTM(f"a text of {x.shape}")
"""


@pytest.mark.slow
def test_adapter_with_one_mistake_fails_once(tmp_path: Path) -> None:
    """With the exception, its module and the line; every requirement has a verdict."""
    (tmp_path / "mine.py").write_text(BROKEN, encoding="utf-8")
    run = command(
        *("verify", "mine.py:Broken", *ASKED, "-n", 0, "--json", "report.json"), folder=tmp_path
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert run.stdout.count("raised mine.NoLSTM: a text of torch.Size([2, 2, 2]) (mine.py:9)") == 1
    assert run.stdout.count("not begun, since the smoke test failed") == 1
    assert f"1 more with the same reason: {SHAPES}" in run.stdout
    assert "2 undecided" in run.stdout
    verdicts = [from_json(each) for each in report(tmp_path / "report.json")["verdicts"]]
    assert [type(each) for each in verdicts] == [Undecided, Undecided]
    assert (tmp_path / verdicts[0].reproduction / "reproduce.py").is_file()
    assert not verdicts[1].reproduction


@pytest.mark.slow
def test_run_stops_at_the_first_red(tmp_path: Path) -> None:
    """Exit status 1; the report says that it is not complete."""
    names = FAULTY, f"{SPECIMENS}:Numbers"
    run = command(
        *("verify", *names, *ASKED, "-n", 0, "--fail-fast", "--quiet", "--json", "report.json"),
        *("--max-examples", 3),
        folder=tmp_path,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert run.stderr == "stopped at the first red: 1 of 4 decided\n"
    found = report(tmp_path / "report.json")
    assert not found["complete"]
    assert [each["requirement"] for each in found["verdicts"]] == [EQUATIONS]
    lines = run.stdout.strip().splitlines()
    assert lines[0] == f"{FAULTY} on cpu: {EQUATIONS} failed"
    assert "┃" not in run.stdout


@pytest.mark.slow
def test_baseline_lets_only_what_is_new_be_red(tmp_path: Path) -> None:
    """With its own report as the baseline a run is green; a failure that it lacks is red."""
    asked = ("verify", FAULTY, *ASKED, "-n", 0, "--max-examples", 3, "--quiet")
    before = command(*asked, "--json", "before.json", folder=tmp_path)
    assert before.returncode == 1, before.stdout + before.stderr
    now = command(*asked, "--baseline", "before.json", "--json", "now.json", folder=tmp_path)
    assert (now.returncode, now.stdout.split()) == (0, ["conformant"]), now.stdout + now.stderr
    found = report(tmp_path / "now.json")
    known = from_json(found["verdicts"][0])
    assert isinstance(known, ExpectedFailure)
    assert known.reason == "known from the baseline"
    assert found["run"]["mended"] == []
    again = command(*asked, "--baseline", "now.json", folder=tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    found["verdicts"][0].update(outcome="passed", counterexample=None)
    found["verdicts"][1].update(outcome="failed")
    (tmp_path / "other.json").write_text(json.dumps(found), encoding="utf-8")
    new = command(*asked[:-1], "--baseline", "other.json", folder=tmp_path)
    assert new.returncode == 1, new.stdout + new.stderr
    assert f"mended since the baseline: {FAULTY} on cpu: {SHAPES}" in new.stdout


def test_baseline_that_is_no_report_is_wrong_usage(tmp_path: Path) -> None:
    """In one line, before anything is verified."""
    run = command("verify", FAULTY, *ASKED, "--baseline", "none.json", "-n", 0, folder=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert "none.json cannot be read: No such file or directory" in run.stderr


def test_compare_says_what_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 1 if something got worse, 0 if not, 2 if that cannot be said."""
    good = written(tmp_path / "good.json", passed(), passed(SHAPES))
    bad = written(tmp_path / "bad.json", passed(), failed(SHAPES))
    page = tmp_path / "changes.md"
    assert main(["compare", good, bad, "--markdown", str(page)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "worse than before"
    assert page.read_text(encoding="utf-8").startswith("## Worse than before\n")
    assert main(["compare", bad, good]) == 0
    assert main(["compare", good, good]) == 0
    assert main(["compare", good, str(tmp_path / "none.json")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_matrix_writes_page_and_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Or prints the table."""
    files = [
        written(tmp_path / "new.json", failed(), torch="2.10.0"),
        written(tmp_path / "old.json", passed(), torch="2.9.0"),
    ]
    page, table = tmp_path / "page.html", tmp_path / "table.md"
    assert main(["matrix", *files, "--html", str(page), "--markdown", str(table)]) == 0
    assert not capsys.readouterr().out
    assert main(["matrix", *files]) == 0
    assert capsys.readouterr().out == table.read_text(encoding="utf-8")
    assert f"| {EQUATIONS} | ✓ 10.0% | **✗** |" in table.read_text(encoding="utf-8")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    table.unlink()
    assert main(["matrix", str(tmp_path), files[0], "--markdown", str(table)]) == 0
    assert f"| {EQUATIONS} | ✓ 10.0% | **✗** |" in table.read_text(encoding="utf-8")
    (tmp_path / "empty").mkdir()
    assert main(["matrix", str(tmp_path / "empty")]) == 2
    assert "there is no report in" in capsys.readouterr().err
