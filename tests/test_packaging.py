"""The wheel as it is built, and the files that say how to set the project up."""

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from configparser import ConfigParser

import pytest

from tests.support.sources import ROOT, needs_source_tree

pytestmark = needs_source_tree

PACKAGES = ("conformance", "reference", "strategies")
PLUGIN = "lstm_conformance_plugin"
KEPT = shutil.ignore_patterns("__pycache__")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel built from a copy of the sources, tests included."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, source)
    for name in (*PACKAGES, "tests"):
        shutil.copytree(ROOT / name, source / name, ignore=KEPT)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(built)]
    done = subprocess.run([*command, str(source)], cwd=built, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = built.iterdir()
    with zipfile.ZipFile(path) as archive:
        yield archive


def metadata(wheel: zipfile.ZipFile, name: str) -> str:
    """The text of a file in the wheel's ``.dist-info``."""
    (path,) = (path for path in wheel.namelist() if path.endswith(f".dist-info/{name}"))
    return wheel.read(path).decode()


def test_wheel_holds_the_three_packages_and_what_pytest_loads(wheel: zipfile.ZipFile) -> None:
    """Every file of the packages is in the wheel, with one module beside them; tests are not."""
    files = {path for path in wheel.namelist() if ".dist-info/" not in path}
    sources = {
        path.relative_to(ROOT).as_posix()
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    plugin = f"conformance/running/{PLUGIN}.py"
    assert files == sources - {plugin} | {f"{PLUGIN}.py"}
    assert wheel.read(f"{PLUGIN}.py") == (ROOT / plugin).read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        *(f"{name}/py.typed" for name in PACKAGES),
        "conformance/DESIGN.md",
        "conformance/checking/EXPECTATIONS.md",
        "conformance/checking/expectations/known_faults.toml",
        "conformance/cli/pytest.ini",
        "conformance/implementations/programs/protocol.schema.json",
        "conformance/implementations/programs/PROTOCOL.md",
        "conformance/implementations/shipped.json",
        "conformance/reproductions/report.template",
        "conformance/running/costs.json",
        "conformance/running/reporting/pages/matrix.md.jinja",
        "conformance/implementations/YOUR_OWN.md",
        "conformance/running/reporting/report.schema.json",
    ],
)
def test_wheel_holds_data_file(wheel: zipfile.ZipFile, path: str) -> None:
    """Type markers, pytest's configuration for the command line, schemas and pages are shipped."""
    assert path in wheel.namelist()


def test_wheel_carries_the_license(wheel: zipfile.ZipFile) -> None:
    """The licence text travels with the wheel, under its SPDX name."""
    assert metadata(wheel, "licenses/LICENSE") == (ROOT / "LICENSE").read_text()
    assert "License-Expression: BSD-3-Clause" in metadata(wheel, "METADATA")


def test_wheel_declares_its_entry_points(wheel: zipfile.ZipFile) -> None:
    """Installing gives the command and the pytest plugin."""
    points = ConfigParser()
    points.read_string(metadata(wheel, "entry_points.txt"))
    assert {name: dict(points[name]) for name in points.sections()} == {
        "console_scripts": {"lstm-conformance": "conformance.__main__:main"},
        "pytest11": {"lstm_conformance": PLUGIN},
    }


def test_readme_sets_up_with_two_commands_and_ci_runs_the_second() -> None:
    """What CI runs is what the front page says, word for word, and then the slow tests."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
    commands = [block.strip() for block in blocks if block.startswith("python3.11 -m venv")]
    assert len(commands) == 2
    verifies, tests = commands
    assert verifies.endswith("verify torch.nn.LSTM torch.nn.LSTMCell stacked-cells")
    ran = (ROOT / ".ci" / "run").read_text().splitlines()
    assert ran[-2:] == [tests, f"{tests.rpartition(' && ')[2]} -m slow"]


def test_ci_runs_every_tox_environment() -> None:
    """The workflow asks tox for its environments, and sets up the Python of each."""
    tox = ConfigParser()
    tox.read(ROOT / "tox.ini")
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert "names=$(tox list -d --no-desc -q | jq -Rcn '[inputs]')" in workflow
    assert "env: ${{ fromJSON(needs.environments.outputs.names) }}" in workflow
    pythons = re.findall(r"^ {12}3\.(\d+)$", workflow, re.M)
    needed = re.findall(r"^py3(\d+)-", tox["tox"]["env_list"], re.M)
    assert set(pythons) == {*needed, "11"}
