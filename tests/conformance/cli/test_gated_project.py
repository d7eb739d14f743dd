"""A project that is gated by the printed workflow: its steps run one after another, by hand."""

import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.cli.workflow import workflow
from tests.support.processes import MAIN, run

pytestmark = pytest.mark.slow

RIGHT = """
import torch


class MyLSTM(torch.nn.LSTM):
    pass
"""
WRONG = """
import torch


class MyLSTM(torch.nn.LSTM):
    def forward(self, input, hx=None):
        if hx is not None and self.bidirectional:
            hx = torch.zeros_like(hx[0]), hx[1]
        return super().forward(input, hx)
"""
EXPECTED = """
[[expect]]
requirement = "results_match_reference"
reason = "h_0 is forgotten where the LSTM is bidirectional"
kind = "wrong element"
bidirectional = true
"""
ASKED = "--requirement results_match_reference --requirement h_n_is_last_output --floor none"


class Project:
    """A project in `folder` with the workflow; this suite stands for an installed one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = 0
        self.workflow: dict[str, Any] = yaml.safe_load(workflow("github", ["my_lstm.py:MyLSTM"]))
        program = folder / ".venv" / "bin" / "lstm-conformance"
        program.parent.mkdir(parents=True)
        program.write_text(
            f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(MAIN)} "$@"\n'
        )
        program.chmod(0o755)

    def write(self, lstm: str) -> None:
        (self.folder / "my_lstm.py").write_text(lstm)

    def gated(self, options: str = "") -> tuple[bool, str, str]:
        """Whether every job is green, and output and summary of the report."""
        self.number += 1
        for old in self.folder.glob("*.json"):
            old.unlink()
        env = {
            **self.workflow["env"],
            "OPTIONS": f"{ASKED} {options}",
            "GITHUB_STEP_SUMMARY": str(self.folder / f"summary-{self.number}.md"),
        }
        shards = self.workflow["jobs"]["verify"]["strategy"]["matrix"]["shard"]
        statuses = [self.step("verify", "Verify", env, shard, len(shards))[0] for shard in shards]
        assert {*statuses} <= {0, 1}
        status, output = self.step("report", "Report", env)
        assert status == max(statuses)
        return status == 0, output, Path(env["GITHUB_STEP_SUMMARY"]).read_text()

    def step(
        self, job: str, name: str, env: dict[str, Any], shard: int = 0, count: int = 0
    ) -> tuple[int, str]:
        """Exit status and output of a step."""
        (step,) = (each for each in self.workflow["jobs"][job]["steps"] if each.get("name") == name)
        values = {
            "matrix.shard": shard,
            "strategy.job-total": count,
            "github.run_number": self.number,
        }
        script = re.sub(r"\$\{\{ (\S+) \}\}", lambda found: str(values[found[1]]), step["run"])
        done = run(["bash", "-e", "-o", "pipefail", "-c", script], self.folder, **env)
        print(script, done.stdout, done.stderr, sep="\n")
        return done.returncode, done.stdout


def test_fault_turns_the_gate_red_until_it_is_expected_or_mended(tmp_path: Path) -> None:
    """With an annotation, a summary, a page and a report for other tools.

    An expectation makes it green until the fault is mended: then it is red until the entry is
    removed.
    """
    project = Project(tmp_path)
    project.write(WRONG)
    green, output, summary = project.gated()
    assert not green
    (annotation,) = (line for line in output.splitlines() if line.startswith("::error"))
    assert "results_match_reference" in annotation
    assert " but should be " in annotation
    assert "results_match_reference" in summary
    assert "results_match_reference" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<failure" in (tmp_path / "report.xml").read_text(encoding="utf-8")
    (tmp_path / "expected.toml").write_text(EXPECTED)
    assert project.gated("--expectations expected.toml")[0]
    project.write(RIGHT)
    green, output, _ = project.gated("--expectations expected.toml")
    assert not green
    assert "unexpected pass" in output
    green, output, _ = project.gated()
    assert green
    assert "::error" not in output
