"""The pytest plugin, in other people's sessions."""

import sys
from pathlib import Path

import pytest

from conformance.checking.budget import TIMEOUTS
from conformance.running.limits import timeout
from conformance.running.reporting.junit import junit
from conformance.running.reporting.pages.run import html
from tests.support.options import config
from tests.support.processes import SPECIMENS
from tests.support.processes import pytest as run_pytest
from tests.support.processes import run as run_program
from tests.support.reports import report

FEW = ["--lstm-requirement", "results_match_reference", "--lstm-requirement", "dtypes_follow_input"]
SMALL = ["--lstm-max-examples", "4", "--lstm-device", "cpu", "--lstm-seed", "1"]


def test_plugin_costs_nothing_without_lstm(tmp_path: Path) -> None:
    """A session without --lstm imports neither torch nor numpy nor hypothesis because of us."""
    (tmp_path / "test_nothing.py").write_text(
        "import sys\n"
        "def test_nothing(pytestconfig):\n"
        "    assert pytestconfig.pluginmanager.hasplugin('conformance.running.plugin')\n"
        "    heavy = {'torch', 'numpy', 'rich', 'reference', 'strategies'}\n"
        "    heavy.add('conformance.checking.engine')\n"
        "    assert not heavy & set(sys.modules)\n"
    )
    run = run_program(
        [sys.executable, "-m", "pytest", "-p", "conformance.running.plugin", "test_nothing.py"],
        tmp_path,
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 passed" in run.stdout


def test_plugin_is_found_by_pytest(tmp_path: Path) -> None:
    """Where the package is installed, its options are there, and nothing is collected by itself."""
    (tmp_path / "test_one.py").write_text("def test_one():\n    pass\n")
    run = run_pytest("test_one.py", "--pyargs", "conformance", "--lstm-seed", 3, folder=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 passed" in run.stdout
    assert "lstm-conformance-" in run.stdout


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_plugin_tells_how_to_name_what_is_verified(workers: int, tmp_path: Path) -> None:
    """Where the requirements alone are asked for, without --lstm, one line names the option."""
    told = "nothing to verify: name an LSTM with --lstm, such as --lstm torch.nn.LSTM"
    run = run_pytest("--pyargs", "conformance", "-n", workers, folder=tmp_path)
    assert run.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, run.stdout + run.stderr
    assert run.stdout.count(told) == 1
    (tmp_path / "test_none.py").touch()
    run = run_pytest("test_none.py", folder=tmp_path)
    assert run.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, run.stdout + run.stderr
    assert told not in run.stdout


def test_plugin_runs_in_one_process(tmp_path: Path) -> None:
    """One item per requirement and implementation; ids select them; strict warnings are no red."""
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\nxfail_strict = true\n")
    faulty = f"{SPECIMENS}:ForgetsBiasHH"
    run = run_pytest(
        *("--pyargs", "conformance", "-v", *FEW, *SMALL, "--lstm", "torch.nn.LSTM"),
        *("--lstm", faulty, "-k", "torch.nn.LSTM or results_match", "--lstm-max-examples", 30),
        folder=tmp_path,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    passed, failed = "1 deselected", f"results_match_reference[{faulty}|cpu]"
    assert passed in run.stdout
    assert "equations.py::results_match_reference[torch.nn.LSTM|cpu] PASSED" in run.stdout
    assert "interface.py::dtypes_follow_input[torch.nn.LSTM|cpu] PASSED" in run.stdout
    assert f"equations.py::{failed} FAILED" in run.stdout
    assert "failed: Output, h_n and c_n are those of the equations applied" in run.stdout
    assert " but should be " in run.stdout
    assert "in <LSTM 1->1 " in run.stdout
    assert "Traceback" not in run.stdout
    assert "LSTM conformance" in run.stdout
    assert "seed 1" in run.stdout


@pytest.mark.slow
def test_plugin_runs_in_workers(tmp_path: Path) -> None:
    """With xdist the verdicts come together in one table and one report."""
    run = run_pytest(
        *("--pyargs", "conformance", "-n", 2, *FEW, *SMALL, "--lstm", "torch.nn.LSTM"),
        *("--lstm-json", "report.json", "--lstm-html", "page.html", "--lstm-junit", "junit.xml"),
        folder=tmp_path,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "2 passed" in run.stdout
    assert run.stdout.count("│ passed") == 2
    written = report(tmp_path / "report.json")
    assert [each["outcome"] for each in written["verdicts"]].count("passed") == 2
    assert (tmp_path / "page.html").read_text("utf-8") == html(written)
    assert (tmp_path / "junit.xml").read_text("utf-8") == junit(written)


def test_plugin_tells_bad_usage(tmp_path: Path) -> None:
    """An LSTM that is not there is an error of the collection, told in one line."""
    run = run_pytest(*("--pyargs", "conformance", "--lstm", "torch.nn.Linear"), folder=tmp_path)
    assert run.returncode == pytest.ExitCode.INTERRUPTED, run.stdout + run.stderr
    assert "usage: 'torch.nn.Linear' is not an LSTM: its parameters are" in run.stdout
    assert "Traceback" not in run.stdout


def test_options_are_checked_for_the_decorator_as_well(tmp_path: Path) -> None:
    """Also where no LSTM is named: a number of cases that makes no sense is not left out."""
    (tmp_path / "test_theirs.py").write_text("def test_theirs():\n    pass\n")
    run = run_pytest("--lstm-max-examples", 0, "test_theirs.py", folder=tmp_path)
    assert run.returncode == pytest.ExitCode.USAGE_ERROR, run.stdout + run.stderr
    assert run.stderr.strip() == "ERROR: --lstm-max-examples must be at least 1, got 0"
    run = run_pytest("--lstm-max-examples", 1, "test_theirs.py", folder=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("profile", TIMEOUTS)
def test_timeout_is_that_of_the_profile_unless_given(profile: str) -> None:
    """Each profile has a time limit, and an option overrides it."""
    assert timeout(config(lstm_profile=profile)) == TIMEOUTS[profile]
    assert timeout(config(lstm_profile=profile, lstm_timeout=2.5)) == 2.5
