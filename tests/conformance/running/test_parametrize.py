"""The requirements in somebody's own suite."""

import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from conformance import REQUIREMENTS, HandWritten, UsageError, parametrize_with_requirements
from conformance.running.session import How
from tests.support.cases import RoundedReference
from tests.support.processes import SPECIMENS
from tests.support.processes import pytest as run_pytest

PLAIN = Path(__file__).parents[2] / "faults" / "plain.py"
LISTED = r"^XFAIL test_theirs.py::test_lstm\[results_match_reference\] - (reason: )?no bias_hh$"
"""How pytest lists the failure; older versions have "reason: " in it."""

SUITE = """
import hypothesis
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance import parametrize_with_requirements
from {module} import {name}

settings.register_profile("theirs", max_examples=3, deadline=77)
settings.load_profile("theirs")


@parametrize_with_requirements({name}, max_examples=12, seed=4{options})
def test_lstm(requirement):
    requirement()


def test_their_settings_are_theirs():
    assert settings.default.max_examples == 3
    assert settings.default.deadline.total_seconds() == 0.077
    assert torch.get_num_threads() == 2


torch.set_num_threads(2)
"""


def suite(folder: Path, module: Path, name: str, options: str = "") -> Path:
    shutil.copy(module, folder)
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\npythonpath = .\n")
    path = folder / "test_theirs.py"
    path.write_text(SUITE.format(module=module.stem, name=name, options=options))
    return path


@pytest.mark.slow
def test_right_lstm_passes_in_their_suite(tmp_path: Path) -> None:
    """Every requirement is a test of theirs, passed or skipped with its reason, on workers too."""
    suite(tmp_path, PLAIN, "PlainLSTMCell")
    run = run_pytest("-n", 2, "-rs", "-v", folder=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "PASSED test_theirs.py::test_lstm[results_match_reference]" in run.stdout
    assert "bidirectional=True is not supported" in run.stdout
    assert "PASSED test_theirs.py::test_their_settings_are_theirs" in run.stdout
    for name in REQUIREMENTS:
        assert f"test_lstm[{name}]" in run.stdout


@pytest.mark.slow
def test_faulty_lstm_fails_in_their_suite(tmp_path: Path) -> None:
    """The failure is the verdict in their own output, with how to draw the same cases again."""
    suite(tmp_path, SPECIMENS, "ForgetsBiasHH")
    run = run_pytest("-k", "results_match_reference or settings_are", folder=tmp_path)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "FAILED test_theirs.py::test_lstm[results_match_reference]" in run.stdout
    assert "but should be" in run.stdout
    assert "bias_hh_l0 = [" in run.stdout
    assert "draw the same cases again: pytest --lstm-seed 4, or " in run.stdout
    assert "requirements(..., seed=4)" in run.stdout


def test_declared_failure_is_expected_and_strict(tmp_path: Path) -> None:
    """What fails as declared is xfailed with the reason; what passes all the same fails."""
    expected = ', expected_failures={"results_match_reference": "no bias_hh", '
    expected += '"dtypes_follow_input": "perhaps"}'
    suite(tmp_path, SPECIMENS, "ForgetsBiasHH", expected)
    chosen = "results_match_reference or dtypes_follow_input"
    run = run_pytest("-rx", "-k", chosen, folder=tmp_path)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "1 failed" in run.stdout
    assert "1 xfailed" in run.stdout
    assert re.search(LISTED, run.stdout, re.M)
    assert "[XPASS(strict)] perhaps" in run.stdout


EXPECTED = """
[[expect]]
requirement = "results_match_reference"
reason = "no bias_hh"
kind = "wrong element"
implementation = "*:ForgetsBiasHH"

[[expect]]
requirement = "dtypes_follow_input"
reason = "perhaps"
kind = "raised"

[[expect]]
requirement = "shapes_are_as_documented"
reason = "of large ones"
kind = "raised"
hidden_size = ">=1000"

[[expect]]
requirement = "h_n_is_last_output"
reason = "of others"
kind = "raised"
implementation = "others:LSTM"
"""


@pytest.mark.slow
def test_file_of_expected_failures_is_as_strict_as_for_a_run(tmp_path: Path) -> None:
    """What fails as listed is xfailed; an unexpected pass and what matches nothing fail."""
    (tmp_path / "mine.toml").write_text(EXPECTED)
    suite(tmp_path, SPECIMENS, "ForgetsBiasHH", ', expectations="mine.toml"')
    names = "results_match_reference", "dtypes_follow_input", "shapes_are", "h_n_is_last_output"
    run = run_pytest("-rxf", "-k", " or ".join(names), folder=tmp_path)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "2 failed" in run.stdout
    assert "1 xfailed" in run.stdout
    assert re.search(LISTED, run.stdout, re.M)
    assert "known to fail (mine.toml:8): perhaps" in run.stdout
    assert "mine.toml:13: matches nothing: no case of shapes_are_as_documented" in run.stdout


def test_expected_failures_are_given_as_a_list() -> None:
    """With the same keys, and the same refusals."""
    known = {"requirement": "results_match_reference", "reason": "so", "message": "no"}
    mark = parametrize_with_requirements("torch.nn.LSTM", expectations=[known])
    (bound,) = (each.values[0] for each in mark.args[1] if each.id == "results_match_reference")
    assert [each.message for each in bound.expectations] == ["no"]
    with pytest.raises(UsageError, match=r"^expectations\[1\]: unknown key 'wher'"):
        parametrize_with_requirements("torch.nn.LSTM", expectations=[known, {**known, "wher": 1}])
    version = {**known, "version": ">=1"}
    with pytest.raises(UsageError, match=r"^expectations\[0\]: the version of rounded"):
        parametrize_with_requirements(RoundedReference(), expectations=[version])


def test_several_targets_are_told_apart() -> None:
    """Each test is named after its target and its requirement."""
    mark = parametrize_with_requirements(RoundedReference(), "torch.nn.LSTMCell")
    ids = [parameters.id for parameters in mark.args[1]]
    assert ids == [
        *(f"{RoundedReference().name}-{name}" for name in REQUIREMENTS),
        *(f"torch.nn.LSTMCell-{name}" for name in REQUIREMENTS),
    ]


names: dict[str, Any] = {"weight_ih": "weight_ih_l0", "weight_hh": "weight_hh_l0"}
mine = HandWritten(torch.nn.LSTM, **names, bias=("bias_ih_l0", "bias_hh_l0"))
other = HandWritten(torch.nn.LSTM, **names, bias=("bias_ih_l0", "bias_hh_l0"), name="other")
wrong = HandWritten(torch.nn.LSTM, weight_ih="W", weight_hh="U")


def test_hand_written_ones_are_named_after_their_places() -> None:
    """An object without a name of its own is called module:name, as on the command line."""
    mark = parametrize_with_requirements(mine, other)
    assert mine.name == f"{__name__}:mine"
    ids = [parameters.id for parameters in mark.args[1]]
    assert ids[0] == f"{__name__}:mine-{next(iter(REQUIREMENTS))}"
    assert ids[-1].startswith("other-")


def test_objects_are_checked_as_on_the_command_line() -> None:
    """What lacks a field, or cannot be filled with parameters, is refused in one line."""
    with pytest.raises(UsageError, match=f"^'{__name__}:wrong': W is not a parameter"):
        parametrize_with_requirements(wrong)
    nameless = RoundedReference()
    nameless.name = ""
    with pytest.raises(UsageError, match=r"^'RoundedReference': its `name` must be a text"):
        parametrize_with_requirements(nameless)


@pytest.mark.parametrize(
    ("targets", "options", "told"),
    [
        (
            ["torch.nn.LSTM"],
            {"expected_failures": {"result_match_reference": "so"}},
            "unknown requirement 'result_match_reference': .* you mean 'results_match_reference'?",
        ),
        (["torch.nn.LSTMM"], {}, "there is no 'LSTMM' in torch.nn"),
        ([torch.nn.GRU], {}, "is not an LSTM: its parameters are"),
        (["torch.nn.LSTM"], {"profile": "slow"}, "unknown profile 'slow': choose among quick"),
        ([], {}, "give at least one class"),
        (["torch.nn.LSTM"], {"levels": ["modul"]}, "unknown level 'modul': choose among core"),
        (["torch.nn.LSTM"], {"requirements": ["so"]}, "unknown requirement 'so'"),
        (
            ["torch.nn.LSTM"],
            {"requirements": ["h_n_is_last_output"], "levels": ["module"]},
            "no requirement has one of these levels and one of these names",
        ),
        (["torch.nn.LSTM"], {"dtypes": ["float8"]}, "unknown dtype 'float8'"),
        (["torch.nn.LSTM"], {"precision": "product=tf32"}, "unknown --precision 'product'"),
        (["torch.nn.LSTM"], {"devices": "gpu"}, "torch.nn.LSTM has no device 'gpu' here, only cpu"),
        (["torch.nn.LSTM"], {"max_examples": 0}, "max_examples=0 must be at least 1"),
        (["torch.nn.LSTM"], {"max_examples": 2.5}, "max_examples=2.5 must be a number"),
        (["torch.nn.LSTM"], {"timeout": -1}, "timeout=-1 must be a positive number"),
        (["torch.nn.LSTM"], {"timeout": "5"}, "timeout='5' must be a number"),
        (["torch.nn.LSTM"], {"seed": True}, "seed=True must be a number"),
        (
            ["torch.nn.LSTM"],
            {"expectations": {"reason": "so"}},
            "must be a file, or a list of dict",
        ),
        (["torch.nn.LSTM"], {"expected_failures": ["so"]}, "must be a dict of reasons"),
        ([["torch.nn.LSTM"]], {}, "is not a class, an Implementation or a name"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(targets: list, options: dict, told: str) -> None:
    """At decoration, in one line."""
    with pytest.raises(UsageError, match=told.replace("?", r"\?")):
        parametrize_with_requirements(*targets, **options)


def test_one_name_needs_no_list() -> None:
    """It is not taken for a list of letters, of which none is a device: all would be skipped."""
    mark = parametrize_with_requirements(
        "torch.nn.LSTM", devices="cpu", requirements="h_n_is_last_output", dtypes="float32"
    )
    (parameter,) = mark.args[1]
    (bound,) = parameter.values
    assert bound.how.places(bound.implementation()) == ("cpu",)
    assert bound.implementation().supports.dtypes == ("float32",)


@pytest.mark.parametrize(
    ("asked", "places"),
    [
        (None, ("cpu", "cuda:0", "cuda:1")),
        (("cuda",), ("cuda:0", "cuda:1")),
        (("cuda:1", "cuda", "cpu"), ("cuda:1", "cuda:0", "cpu")),
        (("cuda:7",), ("cuda:7",)),
    ],
)
def test_cuda_stands_for_each_cuda_device(asked: Any, places: tuple[str, ...]) -> None:
    """One that is not there is named by the test that is skipped."""
    mine = SimpleNamespace(supports=SimpleNamespace(devices=("cpu", "cuda:0", "cuda:1")))
    assert How(devices=asked).places(mine) == places
