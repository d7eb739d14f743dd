"""Musts decide what is an LSTM; shoulds are reported."""

import json
from pathlib import Path

import pytest

from conformance import REQUIREMENTS, Budget, Crashed, Failed, UsageError, check, load
from conformance.checking.verdict import FailedShould
from conformance.running.limiting import without
from strategies import Support
from tests.support.cases import RoundedReference
from tests.support.processes import command
from tests.support.processes import pytest as run_pytest

SHORT = Budget(max_examples=2)
SHOULD, MUST = "repr_tells_the_sizes", "shapes_are_as_documented"
MODULE = """
import torch

class Silent(torch.nn.LSTM):
    def __repr__(self):
        return "LSTM(...)"

class SilentAndWrong(Silent):
    def forward(self, input, hx=None):
        output, (h_n, c_n) = super().forward(input, hx)
        return output[..., :0], (h_n, c_n)

class RaisesInRepr(torch.nn.LSTM):
    def __repr__(self):
        raise RuntimeError("no repr")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(MODULE)
    return tmp_path


@pytest.mark.parametrize(("name", "kind"), [("Silent", Failed), ("RaisesInRepr", Crashed)])
def test_should_is_a_failure_only_where_strict(folder: Path, name: str, kind: type) -> None:
    """The counterexample is the same; whether it decides is not."""
    implementation = load(f"{folder / 'mine.py'}:{name}")
    strict = check(REQUIREMENTS[SHOULD], implementation, budget=SHORT)
    assert type(strict) is kind
    lenient = check(REQUIREMENTS[SHOULD], implementation, budget=SHORT, strict=False)
    assert isinstance(lenient, FailedShould)
    assert lenient.conformant
    assert lenient.counterexample is not None
    assert lenient.counterexample.message == strict.counterexample.message  # type: ignore[union-attr]


def test_must_is_never_excused(folder: Path) -> None:
    """A requirement that makes it an LSTM fails without being strict, too."""
    implementation = load(f"{folder / 'mine.py'}:SilentAndWrong")
    verdict = check(REQUIREMENTS[MUST], implementation, budget=SHORT, strict=False)
    assert isinstance(verdict, Failed)


@pytest.mark.slow
def test_command_reports_a_failed_should(folder: Path) -> None:
    """Conformant, with the details and a reproduction; not conformant if strict."""
    asked = "verify", "mine.py:Silent", "--requirement", SHOULD, "--requirement", MUST
    options = "--device", "cpu", "-n", 0, "--max-examples", 2, "--json", "report.json"
    run = command(*asked, *options, folder=folder)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"mine.py:Silent on cpu: {SHOULD} failed should" in run.stdout
    assert "1 passed, 1 failed should" in run.stdout
    report = json.loads((folder / "report.json").read_text())
    (failed,) = [each for each in report["verdicts"] if each["outcome"] == "failed should"]
    assert failed["requirement"] == SHOULD
    assert (folder / failed["reproduction"] / "reproduce.py").is_file()
    assert report["conformant"]
    run = command(*asked, *options, "--strict", folder=folder)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "1 passed, 1 failed in" in run.stdout
    assert "--strict" in (folder / failed["reproduction"] / "report.md").read_text()


def test_pytorch_itself_is_held_to_everything() -> None:
    """Its own LSTM and cell must do what others should."""
    from conformance.implementations.shipped import SHIPPED

    strict = {name for name, each in SHIPPED.items() if each.strict}
    assert {"torch.nn.LSTM", "torch.nn.LSTMCell"} <= strict
    assert not [name for name in strict if SHIPPED[name].extra]


@pytest.mark.slow
def test_decorator_expects_a_failed_should(folder: Path) -> None:
    """An xfail with the difference in other suites; a failure where they are strict."""
    for strict, outcome in ((False, "1 xfailed"), (True, "1 failed")):
        (folder / "test_mine.py").write_text(
            "from conformance import parametrize_with_requirements\n"
            "from mine import Silent\n\n"
            f"@parametrize_with_requirements(Silent, max_examples=2, strict={strict})\n"
            "def test_lstm(requirement):\n    requirement()\n"
        )
        run = run_pytest("-k", SHOULD, "-p", "no:randomly", folder=folder)
        assert outcome in run.stdout


def test_without_takes_away_what_is_named() -> None:
    """What is declared not to be offered is not asked for, and the report lists it."""
    left = without(RoundedReference(), "unbatched,bidirectional,layers,second_derivatives").supports
    assert (left.batched, left.bidirectional, left.max_layers) == ((True,), (False,), 1)
    assert not left.second_derivatives
    assert without(RoundedReference(), "").supports == RoundedReference().supports


def test_without_refuses_what_it_does_not_know() -> None:
    """An unknown name, and what would leave nothing to try."""
    with pytest.raises(UsageError, match=r"unknown --without 'unbatchd'.*unbatched"):
        without(RoundedReference(), "unbatchd")
    batched = RoundedReference(support=Support(batched=(True,)))
    with pytest.raises(UsageError, match="--without batched: rounded reference takes nothing else"):
        without(batched, "batched")
