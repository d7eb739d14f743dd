"""The workflows that the command prints."""

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.cli.workflow import KINDS, PINNED, workflow
from conformance.errors import UsageError
from tests.support.processes import command, run
from tests.support.sources import ROOT, needs_source_tree

SCHEMAS = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}


def conforms(file: Path, schema: str) -> bool:
    """Whether a file is right by a schema that the service publishes."""
    arguments = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, file]
    return run([*arguments], file.parent).returncode == 0


def shipped(folder: Path, kind: str, *names: str) -> Path:
    """A file with the workflow, as it is printed."""
    printed = command("ci", kind, *names, folder=folder)
    assert printed.returncode == 0, printed.stderr
    (folder / f"{kind}.yml").write_text(printed.stdout)
    return folder / f"{kind}.yml"


@pytest.mark.parametrize("kind", KINDS)
def test_workflow_is_one_of_its_service(kind: str, tmp_path: Path) -> None:
    """By the published schema, which refuses a key that it does not know."""
    printed = shipped(tmp_path, kind, "mine.py:LSTM", "torch.nn.LSTM")
    assert conforms(printed, SCHEMAS[kind])
    wrong = printed.read_text().replace("timeout", "time-out")
    printed.write_text(wrong)
    assert not conforms(printed, SCHEMAS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_workflow_verifies_what_is_named_with_the_versions_installed(kind: str) -> None:
    """Everything in braces is filled in, but for what the service fills in."""
    values: dict[str, Any] = yaml.safe_load(workflow(kind, ["mine.py:LSTM", "torch.nn.LSTM"]))
    given = values["env" if kind == "github" else "variables"]
    assert given["LSTM"] == "mine.py:LSTM torch.nn.LSTM"
    pins = dict(each.split("==") for each in given["PACKAGES"].split())
    assert [*pins] == ["lstm-conformance", *PINNED]
    assert pins["numpy"] == version("numpy")
    assert "+" not in pins["torch"]
    text = workflow(kind)
    assert "my_package:MyLSTM" in text
    assert not [word for word in ("{names}", "{python}", "{packages}") if word in text]


@pytest.mark.parametrize("name", ["a b", "it's", 'x"', "$HOME", "a;b", "x\ny: z", "#q", "*", ""])
@pytest.mark.parametrize("kind", KINDS)
def test_name_that_needs_quotes_is_refused(kind: str, name: str) -> None:
    """The shell, or YAML, would take something else for it."""
    with pytest.raises(UsageError, match="is not one word in a workflow") as told:
        workflow(kind, ["mine.py:LSTM", name])
    assert "\n" not in str(told.value)


def test_unknown_service_is_wrong_usage(tmp_path: Path) -> None:
    """In one line, which lists those that there are."""
    asked = command("ci", "jenkins", folder=tmp_path)
    assert asked.returncode == 2
    assert all(kind in asked.stderr for kind in KINDS)


@needs_source_tree
def test_this_project_uses_its_own_workflow() -> None:
    """Every step that is printed, but for how this project is installed, in the same order."""
    ours = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    for name, job in yaml.safe_load(workflow("github"))["jobs"].items():
        steps = [step for step in job["steps"] if step.get("name") != "Install"]
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        expected = yaml.safe_load(yaml.safe_dump(steps).replace(python, "3.11"))
        assert [step for step in ours["jobs"][name]["steps"] if step in expected] == expected
