"""pytest in a project that has folders of its own called as ours are."""

import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.support.processes import MAIN
from tests.support.processes import pytest as run_pytest
from tests.support.processes import run as run_program
from tests.support.sources import PACKAGES

NAMES = ("conformance", "reference", "strategies", "tests")
THEIRS = """
import sys

from conformance.theirs import whose


def test_theirs():
    import reference, strategies
    assert (whose, reference.whose, strategies.whose) == ("conformance", "reference", "strategies")
    assert not {"torch", "numpy", "rich"} & set(sys.modules)
"""
FEW = ("--lstm-requirement", "dtypes_follow_input", "--lstm-max-examples", 2)
ONE = ("--pyargs", "conformance", "--lstm", "mine.py:Mine", *FEW, "--lstm-device", "cpu")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"whose = {name!r}\n")
        (tmp_path / name / "theirs.py").write_text(f"whose = {name!r}\n")
    (tmp_path / "tests" / "test_theirs.py").write_text(THEIRS)
    (tmp_path / "mine.py").write_text("from torch.nn import LSTM as Mine\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    return tmp_path


def outcome(run: CompletedProcess[str]) -> str:
    assert "Traceback" not in run.stdout + run.stderr
    return run.stdout.splitlines()[-1].strip(" =").partition(" in ")[0]


@pytest.mark.parametrize("arguments", [(), ("-n", 1), ("tests",), ("conformance", "tests")])
def test_their_tests_run_where_ours_are_installed(project: Path, arguments: tuple) -> None:
    """Their own packages are imported, ours are not, and nothing heavy is."""
    assert outcome(run_pytest(*arguments, folder=project)) == "1 passed"


def test_their_package_of_the_same_name_can_be_named(project: Path) -> None:
    """``--pyargs conformance`` means theirs, as without us."""
    (project / "conformance" / "test_it.py").write_text("def test_it():\n    pass\n")
    assert outcome(run_pytest("--pyargs", "conformance", folder=project)) == "1 passed"


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 1])
def test_our_plugin_is_found_where_it_was_installed(project: Path, workers: int) -> None:
    """An option asks for it, and a line tells what the name means then."""
    run = run_pytest(*ONE, "-n", workers, folder=project)
    assert outcome(run) == "1 passed", run.stdout + run.stderr
    theirs, ours = project / "conformance", PACKAGES["conformance"]
    told = f"lstm-conformance: `import conformance` means {ours} in this run, not {theirs}\n"
    assert run.stdout.count(told) == 1


def test_module_that_shadows_ours_is_named(project: Path) -> None:
    """Where theirs is imported before ours can be, one line tells so."""
    run = run_pytest("-p", "conformance.theirs", *ONE, folder=project)
    theirs, ours = project / "conformance" / "__init__.py", PACKAGES["conformance"]
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert run.stderr.strip() == (
        f"ERROR: --lstm needs the package {ours}, but another conformance is imported already, "
        f"from {theirs}"
    )


@pytest.mark.slow
def test_command_runs_in_their_project(project: Path) -> None:
    """Its path has no folder of theirs before ours."""
    (project / "conformance" / "mine.py").write_text("from torch.nn import LSTM as Mine\n")
    one = ("--requirement", "dtypes_follow_input", "--max-examples", 2, "--device", "cpu")
    script = [sys.executable, "-c", f"import sys; sys.path.remove(''); {MAIN}", "verify"]
    run = run_program([*script, "conformance/mine.py:Mine", *one, "-n", 1], project)
    assert run.returncode == 0, run.stdout + run.stderr
    run = run_program([*script, "conformance.mine:Mine", *one, "-n", 1], project)
    assert (run.returncode, len(run.stderr.splitlines())) == (2, 1)
    assert "`conformance` means lstm-conformance here: give path/to/file.py:Class" in run.stderr
