"""Runs with a file of expected failures: when the gate is red, and what it says then."""

from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from conformance.checking.expectations.applying import Expected
from conformance.checking.verdict import Passed, Undecided
from conformance.errors import UsageError
from conformance.running.expecting import fix
from conformance.running.reporting.report import Run
from tests.support.processes import SPECIMENS, command
from tests.support.processes import pytest as run_pytest
from tests.support.reports import report

FAULTY, MENDED = (f"{SPECIMENS}:{name}" for name in ("ForgetsBiasHH", "PlainCell"))
FORGETS = f"""
[[expect]]
requirement = "results_match_reference"
reason = "bias_hh is forgotten"
kind = "wrong element"
implementation = "{SPECIMENS}:*"
"""
OLD = """
[[expect]]
requirement = "float32_has_second_derivatives"
reason = "torch has no second derivative of oneDNN's LSTM"
kind = "raised"
message = "derivative for mkldnn_rnn_layer_backward is not implemented"
implementation = "torch.nn.LSTM"
torch = "<2.1"
dtype = "float32"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def verified(name: str, requirement: str, folder: Path, *more: object) -> CompletedProcess[str]:
    """A run of one requirement by the file in `folder`, and a report."""
    which = ["--requirement", requirement, "--device", "cpu", "--max-examples", 6, "--seed", 2]
    alone = ["-n", 0, "--json", "report.json", *more]
    return command("verify", name, *which, *alone, folder=folder)


def complaints(folder: Path) -> list[tuple[str, str]]:
    written = report(folder / "report.json")
    told = written["expectations"]["complaints"]
    assert not (told and written["conformant"])
    return [(each["at"], each["problem"]) for each in told]


@pytest.mark.slow
def test_gate_is_red_until_the_entry_of_a_mended_fault_is_removed(tmp_path: Path) -> None:
    """Green with the fault; red without it, by the line; then green without the entry."""
    path = written(tmp_path, FORGETS)
    use = "--expectations", path.name
    run = verified(FAULTY, "results_match_reference", tmp_path, *use)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 expected failure" in run.stdout
    assert "expected failures are those in mine.toml" in run.stderr
    assert complaints(tmp_path) == []
    run = verified(MENDED, "results_match_reference", tmp_path, *use)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "mine.toml:2: unexpected pass: results_match_reference on " in run.stdout
    assert complaints(tmp_path) == [("mine.toml:2", "unexpected pass")]
    path.write_text("")
    run = verified(MENDED, "results_match_reference", tmp_path, *use)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.slow
def test_gate_is_red_while_a_mended_fault_of_torch_is_listed(tmp_path: Path) -> None:
    """It is not listed for this version; then for this one too; then not at all."""
    path = written(tmp_path, OLD)
    requirement, use = "float32_has_second_derivatives", ("--expectations", path.name)
    run = verified("torch.nn.LSTM", requirement, tmp_path, *use)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "not judged, torch is " in run.stdout
    assert list(report(tmp_path / "report.json")["expectations"]["unjudged"]) == ["mine.toml:2"]
    path.write_text(OLD.replace('"<2.1"', '">=2.0"'))
    run = verified("torch.nn.LSTM", requirement, tmp_path, *use)
    assert run.returncode == 1, run.stdout + run.stderr
    assert complaints(tmp_path) == [("mine.toml:2", "unexpected pass")]
    path.write_text("")
    run = verified("torch.nn.LSTM", requirement, tmp_path, *use)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ('"wrong element"', '"raised"', ("mine.toml:2", "another failure")),
        ('"results_match_reference"', '"h_n_is_last_output"', ("mine.toml", "unlisted failure")),
        (
            "implementation =",
            'dtype = "float16"\nimplementation =',
            ("mine.toml", "unlisted failure"),
        ),
        (
            "implementation =",
            "bidirectional = true\nimplementation =",
            ("mine.toml", "unlisted failure"),
        ),
    ],
)
def test_what_the_file_does_not_say_is_red(
    before: str, after: str, problem: tuple[str, str], tmp_path: Path
) -> None:
    """Another kind of failure, another requirement, another dtype, another configuration."""
    path = written(tmp_path, FORGETS.replace(before, after))
    use = "--expectations", path.name
    run = verified(FAULTY, "results_match_reference", tmp_path, *use)
    assert run.returncode == 1, run.stdout + run.stderr
    assert complaints(tmp_path) == [problem]


@pytest.mark.slow
def test_entry_that_matches_nothing_is_red_under_pytest_too(tmp_path: Path) -> None:
    """All verdicts are in order, and the run is not."""
    written(tmp_path, FORGETS.replace('"wrong element"', '"raised"\nbidirectional = true'))
    run = verified(MENDED, "results_match_reference", tmp_path, "--expectations", "mine.toml")
    assert run.returncode == 1, run.stdout + run.stderr
    assert complaints(tmp_path) == [("mine.toml:2", "matches nothing")]
    words = ["--lstm", MENDED, "--lstm-requirement", "results_match_reference"]
    words += ["--lstm-device", "cpu", "--lstm-max-examples", "3"]
    run = run_pytest(
        "--pyargs", "conformance", *words, "--lstm-expectations", "mine.toml", folder=tmp_path
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert "expected failures are those in mine.toml" in run.stdout
    assert "mine.toml:2: matches nothing: " in run.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("versoin = '>1'", "mine.toml:2: unknown key 'versoin'; did you mean 'version'?"),
        ("torch = 'new'", "mine.toml:2: torch must be a range of versions"),
        ("version = '>=1'", "mine.toml:2: the version of "),
    ],
)
def test_condition_that_cannot_be_evaluated_is_wrong_usage(
    line: str, told: str, tmp_path: Path
) -> None:
    """Before anything is verified, by the line."""
    path = written(tmp_path, FORGETS + line)
    use = "--expectations", path.name
    run = verified(FAULTY, "results_match_reference", tmp_path, *use)
    assert run.returncode == 2, run.stdout + run.stderr
    assert f"lstm-conformance: {told}" in run.stderr


@pytest.mark.slow
def test_table_of_the_project_is_found_from_below(tmp_path: Path) -> None:
    """The run says that it is used; a file that is asked for goes before it."""
    table = FORGETS.replace("[[expect]]", "[[tool.lstm-conformance.expect]]")
    (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "x"\n{table}')
    folder = tmp_path / "inner"
    folder.mkdir()
    run = verified(FAULTY, "results_match_reference", folder)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"expected failures are those in {tmp_path / 'pyproject.toml'}" in run.stderr
    written(folder, "")
    run = verified(FAULTY, "results_match_reference", folder, "--expectations", "mine.toml")
    assert run.returncode == 1, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--requirement", "results_match_reference"], "without --requirement"),
        (["--level", "core"], "without --level"),
        (["--dtype", "float32"], "without --dtype"),
        (["--device", "cpu"], "without --device"),
        (["--shard", "1/2", "--seed", "1"], "without --shard"),
        (["--time-budget", "1m"], "without --time-budget"),
    ],
)
def test_file_is_not_rewritten_from_a_part_of_a_run(
    more: list[str], told: str, tmp_path: Path
) -> None:
    """It is refused before anything is verified."""
    path = written(tmp_path, FORGETS)
    fixing = ["--expectations", path.name, "--fix-expectations"]
    run = command("verify", FAULTY, *fixing, *more, folder=tmp_path)
    assert run.returncode == 2, run.stdout + run.stderr
    assert run.stderr == f"lstm-conformance: --fix-expectations needs a run of everything, {told}\n"
    assert path.read_text() == FORGETS


def test_rewriting_needs_a_file(tmp_path: Path) -> None:
    """There is nothing else to write to."""
    run = command("verify", FAULTY, "--fix-expectations", folder=tmp_path)
    assert run.returncode == 2
    assert "--fix-expectations needs a file, --expectations FILE" in run.stderr


@pytest.mark.parametrize(
    "unfinished", [{"total": 2}, {"verdicts": [Undecided("rows_do_not_interact", "x", "cpu")]}]
)
def test_file_is_not_rewritten_from_an_unfinished_run(
    unfinished: dict[str, Any], tmp_path: Path
) -> None:
    """Neither if it was interrupted nor if its time was up."""
    path = written(tmp_path, FORGETS)
    passed = [Passed("results_match_reference", "x", "cpu")]
    run = Run("quick", 0, None, **{"verdicts": passed, "total": 1, **unfinished})
    run.expected = Expected("mine.toml")
    with pytest.raises(UsageError, match="is not rewritten: not every requirement was decided"):
        fix(path, run)
    assert path.read_text() == FORGETS


@pytest.mark.slow
def test_file_is_rewritten_until_the_gate_is_green(tmp_path: Path) -> None:
    """A new file gets every failure of a run, which is then expected, and stays as it is."""
    words = [
        "verify",
        FAULTY,
        "-n",
        2,
        "--max-examples",
        1,
        "--seed",
        2,
        "--expectations",
        "a.toml",
    ]
    run = command(*words, "--fix-expectations", folder=tmp_path)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "; give each new one its reason in place of 'not yet explained'" in run.stderr
    text = (tmp_path / "a.toml").read_text()
    assert 'requirement = "every_parameter_influences_result"\nreason = "not yet explained"' in text
    (tmp_path / "a.toml").write_text(f"# mine\n{text}")
    run = command(*words, "--fix-expectations", folder=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "a.toml: 0 removed, 0 changed, 0 added" in run.stderr
    assert (tmp_path / "a.toml").read_text() == f"# mine\n{text}"
