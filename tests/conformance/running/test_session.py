"""Options of pytest that govern the tests of the decorator, in sessions of somebody's own."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from conformance.checking.budget import TIMEOUTS
from conformance.requirements import REQUIREMENTS
from conformance.running import session
from tests.support.options import config
from tests.support.processes import SPECIMENS
from tests.support.processes import pytest as run_pytest

SUITE = """
import ctypes
import torch
from conformance import parametrize_with_requirements

(torch.ones(600, 600) @ torch.ones(600, 600)).sum()  # has started threads


class Dies(torch.nn.LSTM):
    def forward(self, *arguments):
        if self.bidirectional:
            ctypes.string_at(0)
        return super().forward(*arguments)


class Wrong(torch.nn.LSTM):
    def forward(self, *arguments):
        output, (h_n, c_n) = super().forward(*arguments)
        return output, (h_n + 0.125, c_n)


NAMES = ["results_match_reference", "gradients_match_backpropagation", "repr_names_options"]
"""


def suite(folder: Path, *targets: str, **options: Any) -> Path:
    written = "".join(f", {name}={value!r}" for name, value in options.items())
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n")
    path = folder / "test_theirs.py"
    path.write_text(
        f"{SUITE}\n\n@parametrize_with_requirements({', '.join(targets)}{written})\n"
        "def test_lstm(requirement):\n    requirement()\n"
    )
    return path


def running(monkeypatch: pytest.MonkeyPatch, **options: Any) -> Any:
    """A session with these options."""
    asked = config(**{"lstm_seed": None, **options})
    monkeypatch.setattr(session, "config", lambda: asked)
    return asked


def test_seed_is_that_of_the_options_then_of_the_decorator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then that of Hypothesis, then one that all workers share."""

    def seed(own: int | None = None) -> int:
        return session.How("quick", seed=own).effort()[0].seed

    running(monkeypatch, lstm_seed=0, hypothesis_seed="5")
    assert seed(7) == 0
    running(monkeypatch, hypothesis_seed="5")
    assert (seed(7), seed()) == (7, 5)
    running(monkeypatch, hypothesis_seed="five")
    assert seed() == seed() != 5
    workers = [running(monkeypatch) for _ in range(2)]
    for worker in workers:
        worker.workerinput = {"testrunuid": "ab12"}
        running(monkeypatch)
        monkeypatch.setattr(session, "config", lambda worker=worker: worker)
        assert seed() == int.from_bytes(__import__("hashlib").sha256(b"ab12").digest()[:4], "big")
    monkeypatch.setattr(session, "config", lambda: None)
    assert seed() == session.SEED


def test_effort_is_that_of_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before that of the decorator, before that of the profile."""

    def effort(examples: int | None = None, timeout: float | None = None) -> tuple[int, float]:
        budget, seconds = session.How("quick", examples, timeout=timeout).effort()
        return budget.max_examples, seconds

    running(monkeypatch)
    assert effort() == (20, TIMEOUTS["quick"])
    assert effort(7, 8.0) == (7, 8.0)
    running(monkeypatch, lstm_profile="thorough")
    assert effort(7) == (1000, TIMEOUTS["thorough"])
    running(monkeypatch, lstm_profile="thorough", lstm_max_examples=3, lstm_timeout=4.0)
    assert effort(7, 8.0) == (3, 4.0)


def test_markers_are_those_of_the_requirements(pytestconfig: pytest.Config) -> None:
    """The plugin that pytest always loads declares them without importing anything of ours."""
    declared = {line.partition(":")[0] for line in pytestconfig.getini("markers")}
    levels = {f"lstm_{each.level}" for each in REQUIREMENTS.values()}
    assert {name for name in declared if name.startswith("lstm")} == {
        "lstm",
        "lstm_should",
        *levels,
    }


@pytest.mark.slow
def test_tests_are_chosen_by_their_markers(tmp_path: Path) -> None:
    """Under strict markers, as those of somebody's own."""
    suite(tmp_path, '"torch.nn.LSTM"')
    for chosen in ("lstm_core", "lstm_module and lstm_should"):
        run = run_pytest("--collect-only", "-q", "-m", chosen, folder=tmp_path)
        assert run.returncode == 0, run.stdout + run.stderr
        names = re.findall(r"test_lstm\[(\w+)\]", run.stdout)
        level, _, should = chosen.partition(" and ")
        assert names == [
            name
            for name, each in REQUIREMENTS.items()
            if f"lstm_{each.level}" == level and (each.should or not should)
        ]


@pytest.mark.slow
def test_what_kills_its_process_is_one_failure_of_many(tmp_path: Path) -> None:
    """The numbers are in the first line of the summary; the folder has a script that shows it."""
    options = {"requirements": ["results_match_reference"], "dtypes": ["float32"]}
    suite(tmp_path, "Wrong", "Dies", '"torch.nn.LSTM"', max_examples=20, **options)
    run = run_pytest("--lstm-seed", 3, folder=tmp_path, CI="true")
    assert run.returncode == 1, run.stdout + run.stderr
    assert "2 failed, 1 passed" in run.stdout
    lines = [line for line in run.stdout.splitlines() if line.startswith("FAILED")]
    wrong, dies = (line.partition(" - ")[2] for line in lines)
    assert re.match(r"(output|h_n|c_n)\[.*\] = .*, but should be .* ± .*", wrong)
    assert dies == "the process was ended by SIGSEGV in this case"
    for name in ("Wrong", "Dies"):
        folder = tmp_path / ".lstm-conformance" / f"test_theirs-{name}"
        kept = folder / "results_match_reference-cpu"
        assert f"reproduction: {kept.relative_to(tmp_path)}" in run.stdout
        report = (kept / "report.md").read_text(encoding="utf-8")
        command = f"lstm-conformance verify test_theirs:{name} --requirement"
        assert command in report
        assert "--dtype float32" in report
        assert "--seed 3" in report


@pytest.mark.slow
def test_cases_are_those_of_the_seed_in_every_worker(tmp_path: Path) -> None:
    """One random seed for all of them, unless the options have one."""
    suite(tmp_path, "Wrong", requirements=["results_match_reference", "h_n_is_last_output"])
    for asked in ((), ("--hypothesis-seed", 11)):
        run = run_pytest("-n", 2, *asked, folder=tmp_path)
        assert run.returncode == 1, run.stdout + run.stderr
        seeds = re.findall(r"pytest --lstm-seed (\d+)", run.stdout)
        assert len(seeds) >= 2  # the summary has them too where lines are not cut
        assert len({*seeds}) == 1
        assert not asked or seeds[0] == "11"


@pytest.mark.slow
def test_failure_is_tried_first_when_it_is_run_again(tmp_path: Path) -> None:
    """With --lf, and another seed; the first case fails."""
    shutil.copy(SPECIMENS, tmp_path / "theirs.py")
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    (tmp_path / "test_theirs.py").write_text(
        "from conformance import parametrize_with_requirements\n"
        "from theirs import ForgetsBiasHH\n\n\n"
        "@parametrize_with_requirements(ForgetsBiasHH, requirements=['results_match_reference'])\n"
        "def test_lstm(requirement):\n"
        "    try:\n"
        "        requirement()\n"
        "    except AssertionError as error:\n"
        "        print('tried', error.verdict.cases)\n"
        "        raise\n"
    )
    for seed, options, first in ((1, (), False), (2, ("--lf",), True)):
        run = run_pytest(*("-p", "cacheprovider", "--lstm-seed", seed, *options), folder=tmp_path)
        assert run.returncode == 1, run.stdout + run.stderr
        (tried,) = re.findall(r"^tried (\d+)$", run.stdout, re.M)
        assert (tried == "1") == first
