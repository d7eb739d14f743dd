"""``conformance.verify``: one call, with whatever is given for an LSTM."""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import numpy as np
import pytest
import torch
from torch import nn

import conformance
from conformance import Case, HandWritten, Result, Support, UsageError, check, infer, load, verify
from conformance.cli.from_python import deciding
from conformance.cli.from_python.deciding import _Child
from conformance.cli.from_python.settled import Settled
from conformance.implementations import starved
from conformance.running.reporting.report import SCHEMA
from tests.support import processes

ONE = "results_match_reference"
SMALL = Support(
    dtypes=("float64",), max_layers=1, bidirectional=(False,), projection=False, dropout=False,
    lengths=False, gradients=False,
)  # fmt: skip


class Cell(nn.Module):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.linear = nn.Linear(input_size + hidden_size, 4 * hidden_size)

    def forward(self, x: Any, h: Any, c: Any) -> Any:
        i, f, g, o = self.linear(torch.cat([x, h], -1)).chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c


def lstm(x: Any, h: Any, c: Any, W: Any, U: Any, b: Any) -> Any:  # noqa: N803
    outputs = []
    for step in x:
        i, f, g, o = np.split(step @ W + h @ U + b, 4, axis=-1)
        i, f, o = (0.5 * (1 + np.tanh(0.5 * a)) for a in (i, f, o))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs), h, c


class Adapter:
    name, supports = "adapter", SMALL

    def run(self, case: Case) -> Result:
        return load("torch.nn.LSTM").run(case)


class Forgetful(nn.LSTM):
    def forward(self, input: Any, hx: Any = None) -> Any:
        return super().forward(input)


class Dies(Adapter):
    name = "dies"

    def run(self, case: Case) -> Result:
        os._exit(7)


class Hangs(Adapter):
    name = "hangs"

    def run(self, case: Case) -> Result:
        while True:
            time.sleep(0.01)


def few(*targets: Any, **options: Any) -> conformance.Report:
    given = {
        "requirements": ONE,
        "max_examples": 3,
        "seed": 0,
        "dtypes": "float64",
        "devices": "cpu",
    }
    return verify(*targets, **{**given, **options})


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


FUNCTION = HandWritten(
    lstm, name="function", weight_ih="W", weight_hh="U", bias="b", transposed=True,
    call="input, h_0[0], c_0[0], W, U, b", states_optional=False, returns="output, h_n[0], c_n[0]",
)  # fmt: skip


@pytest.mark.parametrize(
    "target",
    ["torch.nn.LSTM", nn.LSTM, nn.LSTM(2, 3), Cell, Cell(2, 3), lstm, FUNCTION, Adapter, Adapter()],
    ids=["name", "class", "module", "hand-written", "its module", "function", "HandWritten",
         "implementation", "its instance"],
)  # fmt: skip
def test_verify_load_and_check_take_whatever_is_an_lstm(target: Any) -> None:
    """Names, classes, modules, functions and implementations alike."""
    report = few(target)
    assert report.conformant, report
    assert [each.outcome for each in report.verdicts] == ["passed"]
    assert load(target).name == report.verdicts[0].implementation
    budget = conformance.Budget(3, 0)
    assert check(ONE, target, budget=budget).outcome == "passed"


def test_pytorchs_own_class_is_known_by_its_name() -> None:
    """So its known faults are those of PyTorch."""
    assert load(nn.LSTM).name == load(nn.LSTM(1, 1)).name == "torch.nn.LSTM"


def test_classes_of_a_function_are_verified_and_inferred() -> None:
    """No other process could import them."""

    class Local(Cell):
        pass

    assert few(Local).conformant
    found = infer(Local)
    assert found.fits
    assert "import Local" not in found.code
    assert "Local," in found.code


class Swapped(Cell):
    def forward(self, x: Any, h: Any, c: Any) -> Any:
        h, c = super().forward(x, h, c)
        return h + 0.125, c


@pytest.mark.slow
def test_adapter_in_a_report_is_python() -> None:
    """What is wrong with the class is in comments, however long."""
    told = str(few(Swapped)).partition("adapter:\n")[2].partition("\n\n")[0]
    assert any(len(line) > 80 and line.startswith("# Wrong: ") for line in told.splitlines())
    compile(told, "adapter", "exec")


def test_report_of_a_wrong_lstm(tmp_path: Path) -> None:
    """It is frozen, has the failures, is in words, in JSON of the published schema, and in HTML."""
    report = few(Forgetful, requirements=[ONE, "h_n_is_last_output"])
    assert not report.conformant
    assert [each.requirement for each in report.failures] == [ONE]
    assert "ignores h_0 and c_0" in repr(report)
    assert repr(report).endswith("not conformant")
    assert "<pre" in report._repr_html_()
    assert ONE in report._repr_html_()
    written = json.loads(json.dumps(report.to_json()))
    jsonschema.validate(written, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert written["conformant"] is False
    page = tmp_path / "page.html"
    report.save_html(page)
    assert ONE in page.read_text(encoding="utf-8")
    with pytest.raises(FrozenInstanceError):
        report.run = None  # type: ignore[misc, assignment]
    with pytest.raises(TypeError, match="conformant"):
        assert report


def test_report_has_one_outcome_where_the_adapter_does_not_fit() -> None:
    """A fault that no case shows, as of weights that are zero, is not called conformant as well."""
    report = few(Cell)
    (name, found), *_ = report.inferred.items()
    assert repr(report).endswith("\nconformant")
    report = replace(report, inferred={name: replace(found, faults=("it peeks",))})
    assert repr(report).endswith("\nnot conformant")
    assert "\nconformant" not in repr(report)


@pytest.mark.slow
def test_wrong_hand_written_lstm_is_not_conformant() -> None:
    """It is verified by the nearest adapter, and the report names the fault."""

    class Wrong(Cell):
        def forward(self, x: Any, h: Any, c: Any) -> Any:
            h, c = super().forward(x, h, c)
            return h.tanh(), c

    report = few(Wrong)
    assert not report.conformant
    assert report.failures
    assert "nearest adapter" in repr(report)
    with pytest.raises(UsageError, match="does not compute the LSTM"):
        load(Wrong)


@pytest.mark.skipif(sys.platform != "linux", reason="children are forked on Linux only")
@pytest.mark.parametrize(("target", "outcome"), [(Dies, "crashed"), (Hangs, "timed out")])
def test_child_that_dies_or_hangs_is_a_verdict(target: Any, outcome: str) -> None:
    """This process goes on, and the case is shown."""
    report = few(target, timeout=2.0)
    assert [each.outcome for each in report.verdicts] == [outcome]
    assert report.verdicts[0].counterexample is not None


@pytest.mark.skipif(sys.platform != "linux", reason="children are forked on Linux only")
def test_child_has_the_time_that_the_run_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second of the clock takes one second of it."""
    config = Settled(lstm_time_limit=100.0, lstm_timeout=1000.0)
    item: Any = SimpleNamespace(config=config, decided=lambda: None)
    with _Child(item) as child:
        left, now = child.left, time.monotonic()
        monkeypatch.setattr(starved, "monotonic", lambda: now + 40)
        assert child.left == pytest.approx(left - 40, abs=1)


def test_what_does_not_apply_needs_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verdict is that of a child, though the LSTM would end one."""
    name = "gradients_match_backpropagation"
    monkeypatch.setattr(deciding, "can_fork", lambda: True)
    monkeypatch.setattr(deciding, "_Child", None)
    report = verify(Dies(), requirements=name, progress=False)
    (found,) = report.to_json()["verdicts"]
    assert (found["outcome"], found["reason"]) == ("not applicable", "does not offer gradients")


def test_limit_of_time_holds_without_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process is interrupted in Python code."""
    monkeypatch.setattr(deciding, "can_fork", lambda: False)
    assert [each.outcome for each in few(Hangs, timeout=1.0).verdicts] == ["timed out"]
    assert few(Adapter).conformant


def test_nothing_is_left_in_the_current_folder(tmp_path: Path) -> None:
    """A conformant run leaves no files."""
    assert few(Adapter).conformant
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"profile": "slow"}, "profile"),
        ({"timeout": -1}, "timeout must be a positive number"),
        ({"requirements": "no_such"}, "no_such"),
        ({"devices": "tpu"}, "no device 'tpu'"),
        ({"dtypes": "int8"}, "int8"),
    ],
)
def test_wrong_arguments_are_refused(options: dict[str, Any], text: str) -> None:
    """With the texts of the command."""
    with pytest.raises(UsageError, match=text):
        few(Adapter, **options)


def test_what_is_no_lstm_is_refused() -> None:
    """With what it is."""
    with pytest.raises(UsageError, match="at least one"):
        verify()
    with pytest.raises(UsageError, match="int"):
        verify(3)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="two implementations"):
        few(Adapter, Adapter)


def test_script_verifies_its_own_class(tmp_path: Path) -> None:
    """A class in ``__main__`` is named after the file."""
    script = tmp_path / "mine.py"
    script.write_text(
        "from torch import nn\n"
        "from conformance import verify\n"
        "class Mine(nn.LSTM):\n"
        "    def forward(self, input, hx=None):\n"
        "        output, states = super().forward(input, hx)\n"
        "        return output * 2, states\n"
        f"report = verify(Mine, requirements='{ONE}', max_examples=3, seed=0, devices='cpu')\n"
        "print(report)\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert f"mine.py:Mine on cpu: {ONE} failed" in done.stdout
    assert done.stderr == ""


WRONG = """
import torch
from torch import nn

from conformance import HandWritten, verify


class Wrong(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.linear = nn.Linear(input_size + hidden_size, 4 * hidden_size)

    def forward(self, x, h, c):
        i, f, g, o = self.linear(torch.cat([x, h], -1)).chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c, c


adapter = HandWritten(
    Wrong, weight_xh="linear.weight", bias="linear.bias",
    call="input, h_0, c_0", states_optional=False, returns="h_n, c_n", cell=True,
)

if __name__ == "__main__":
    what = dict(requirements="results_match_reference", max_examples=3, seed=0, devices="cpu")
    print(verify({target}, **what).failures[0].reproduction)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "before"),
    [
        ("Wrong", "lstm-conformance infer wrong.py:Wrong > mine.py"),
        ("'wrong:Wrong'", "lstm-conformance infer wrong:Wrong > mine.py"),
        ("adapter", ""),
    ],
)
def test_commands_in_a_report_find_the_failure_again(
    target: str, before: str, tmp_path: Path
) -> None:
    """The adapter that was inferred is inferred first, and is not taken for the class."""
    (tmp_path / "wrong.py").write_text(WRONG.replace("{target}", target))
    folder = processes.run([sys.executable, "wrong.py"], tmp_path).stdout.strip()
    text = (tmp_path / folder / "report.md").read_text()
    commands = re.findall("^lstm-conformance .*", text, re.MULTILINE)
    assert commands[:-1] == [before][: bool(before)]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = [
        subprocess.run(each, shell=True, cwd=tmp_path, env=environment, capture_output=True)
        for each in commands
    ]
    assert [each.returncode for each in done] == [1] * len(commands), done
    assert b"results_match_reference failed" in done[-1].stdout


def test_package_is_run_as_the_command() -> None:
    """``python -m conformance`` is ``lstm-conformance``."""
    command = [sys.executable, "-m", "conformance", "requirements"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ONE in done.stdout
