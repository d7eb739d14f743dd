"""What the pages show a newcomer is what happens."""

import re
import shlex
import shutil
import sys
from datetime import timedelta
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from hypothesis import settings

from conformance.checking.expectations.complaints import PROBLEMS
from conformance.checking.expectations.expectation import EITHER, SIZES
from conformance.checking.expectations.reading import READERS
from conformance.implementations.failures import KINDS
from tests.support.processes import command
from tests.support.processes import pytest as run_pytest
from tests.support.processes import run as run_program
from tests.support.sources import ROOT, needs_source_tree

pytestmark = needs_source_tree

QUICK = ["--max-examples", "5", "--device", "cpu", "--seed", "1"]

PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in (ROOT, *(ROOT / name for name in (".github", "conformance", "tests")))
    for path in (folder.glob("*.md") if folder == ROOT else folder.rglob("*.md"))
)


def blocks(page: str, heading: str) -> list[tuple[str, str]]:
    """Language and text of every block of code below a heading."""
    text = (ROOT / page).read_text(encoding="utf-8")
    section = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^```(\w*)\n(.*?)^```$", section, re.M | re.S)
    assert found
    return found


def shown(line: str, folder: Path, *more: str) -> CompletedProcess[str]:
    """What the command of a page does in `folder`, with `more` options."""
    program, *arguments = shlex.split(line)
    assert program == "lstm-conformance"
    return command(*arguments, *more, folder=folder)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page: str) -> None:
    """What a page links to in this project exists; what is shipped links to what is shipped."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text):
        target = ((ROOT / page).parent / link).resolve()
        assert target.exists(), link
        if page.startswith("conformance/"):
            shipped = target.relative_to(ROOT).parts[0]
            assert shipped in ("conformance", "reference", "strategies"), link


@pytest.mark.slow
def test_page_verifies_a_torch_module(tmp_path: Path) -> None:
    """The cell passes as the page says, and at the level of modules fails shoulds only."""
    (_, cell), (_, verify) = blocks("conformance/implementations/YOUR_OWN.md", "A torch module")
    (tmp_path / "my_lstm.py").write_text(cell)
    run = shown(verify, tmp_path, *QUICK)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.rstrip().endswith("conformant")
    run = shown(verify.partition(" --level")[0], tmp_path, *QUICK, "--level", "module")
    assert run.returncode == 0, run.stdout + run.stderr
    assert " failed should" in run.stdout
    run = shown(verify.partition(" --level")[0], tmp_path, *QUICK, "--level", "module", "--strict")
    assert run.returncode == 1, run.stdout + run.stderr


@pytest.mark.slow
def test_page_infers_and_verifies_a_class_written_by_hand(tmp_path: Path) -> None:
    """The adapter that the page shows is what is printed, and it passes."""
    (_, written), (_, infer), (_, printed), (_, verify) = blocks(
        "conformance/implementations/YOUR_OWN.md", "A class written by hand"
    )
    (tmp_path / "by_hand.py").write_text(written)
    line, _, target = infer.partition(" > ")
    found = shown(line, tmp_path)
    assert found.stdout.endswith(f"\n{printed}")
    (tmp_path / target.strip()).write_text(found.stdout)
    run = shown(verify, tmp_path, *QUICK)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.slow
def test_page_infers_and_verifies_a_network_of_a_tutorial(tmp_path: Path) -> None:
    """The adapter that the page shows is what is printed, and it passes."""
    (_, written), (_, commands), (_, printed) = blocks(
        "conformance/implementations/YOUR_OWN.md", "A network of a tutorial"
    )
    (tmp_path / "tutorial.py").write_text(written)
    infer, verify = commands.splitlines()
    line, _, target = infer.partition(" > ")
    found = shown(line, tmp_path)
    assert found.stdout.endswith(f"\n{printed}")
    (tmp_path / target.strip()).write_text(found.stdout)
    run = shown(verify, tmp_path, *QUICK)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.slow
def test_page_verifies_a_numpy_function(tmp_path: Path) -> None:
    """The function with its adapter passes."""
    (_, function), (_, verify) = blocks(
        "conformance/implementations/YOUR_OWN.md", "A NumPy function"
    )
    (tmp_path / "function.py").write_text(function)
    run = shown(verify, tmp_path, *QUICK)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.slow
def test_page_expects_the_failure_of_its_example(tmp_path: Path) -> None:
    """The file that the page shows makes the run green, and red as soon as the fault is mended."""
    page = "conformance/checking/EXPECTATIONS.md"
    (_, faulty), (_, entry), (_, verify) = blocks(page, "An example")
    (tmp_path / "my_lstm.py").write_text(faulty)
    (tmp_path / "expected.toml").write_text(entry)
    only = ["--requirement", "results_match_reference", "-n", "0"]
    run = shown(verify, tmp_path, *QUICK, *only)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 expected failure" in run.stdout
    (tmp_path / "my_lstm.py").write_text(faulty.replace("self.bidirectional", "False"))
    run = shown(verify, tmp_path, *QUICK, *only)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "expected.toml:1: unexpected pass: results_match_reference" in run.stdout


def test_page_has_every_key_of_an_expected_failure() -> None:
    """And every kind of failure."""
    text = (ROOT / "conformance/checking/EXPECTATIONS.md").read_text(encoding="utf-8")
    for name in ("requirement", *READERS, *EITHER, *SIZES, *KINDS):
        assert f"`{name}`" in text, name
    for problem in PROBLEMS:
        assert f"**{problem}**" in text


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_page_verifies_a_program_in_another_language(tmp_path: Path) -> None:
    """The JavaScript that the page points to passes."""
    ((_, verify),) = blocks("conformance/implementations/YOUR_OWN.md", "Another language")
    text = (ROOT / "conformance/implementations/programs/PROTOCOL.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"^```js\n(.*?)^```$", text, re.M | re.S)
    (tmp_path / "my_lstm.mjs").write_text(program)
    run = shown(verify, tmp_path, *QUICK)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.slow
def test_page_verifies_another_framework(tmp_path: Path) -> None:
    """Its results in another layout and its gradients are right, as far as they are returned."""
    (_, written), (_, verify) = blocks(
        "conformance/implementations/YOUR_OWN.md", "Another framework"
    )
    (tmp_path / "framework.py").write_text(written)
    some = ["results_match_reference", "gradients_match_backpropagation", "h_n_is_last_output"]
    run = shown(verify, tmp_path, *QUICK, *(f"--requirement={each}" for each in some))
    assert run.returncode == 0, run.stdout + run.stderr
    assert "3 passed" in run.stdout
    assert "does not return: c_n" in run.stdout
    assert "declares its precision: sigmoid 8, tanh 8" in run.stdout


def test_front_page_verifies_a_class_from_python(tmp_path: Path) -> None:
    """What the example prints is the verdict, by an adapter that was found."""
    ((_, written),) = blocks("README.md", "Verify your own LSTM")
    written = written.replace("verify(MyLSTM)", "verify(MyLSTM, **few)")
    few = "few = dict(requirements='results_match_reference', max_examples=3, devices='cpu')"
    (tmp_path / "my_lstm.py").write_text(f"{few}\n{written}")
    run = run_program([sys.executable, "my_lstm.py"], tmp_path)
    assert run.returncode == 0, run.stderr
    assert "my_lstm.py:MyLSTM is verified by this adapter:" in run.stdout
    assert run.stdout.rstrip().endswith("conformant")
    assert "not conformant" not in run.stdout


def test_front_page_example_of_strategies_passes() -> None:
    """The test that the front page shows passes, on the slowest machine as well."""
    ((_, example),) = blocks("README.md", "Strategies for tests of your own")
    names: dict[str, Any] = {}
    settings.register_profile("impatient", max_examples=10, deadline=timedelta(microseconds=1))
    settings.load_profile("impatient")
    try:
        exec(example, names)
        names["test_output_has_both_directions"]()
    finally:
        settings.load_profile("tests")


def test_front_page_example_of_a_suite_passes(tmp_path: Path) -> None:
    """The decorator that the front page shows makes tests with the ids that it names."""
    _, (_, example) = blocks("README.md", "In pytest")
    plain = (ROOT / "tests/faults/plain.py").read_text(encoding="utf-8")
    (tmp_path / "my_package.py").write_text(plain.replace("PlainLSTM", "MyLSTM"))
    (tmp_path / "test_mine.py").write_text(example)
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    run = run_pytest("-v", "-k", "rows_do_not_interact", folder=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "test_mine.py::test_my_lstm[rows_do_not_interact] PASSED" in run.stdout
