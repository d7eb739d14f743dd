"""What a failure leaves on disk, and replaying it, as a user does."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from functools import reduce
from pathlib import Path

import numpy as np
import pytest

from conformance import REQUIREMENTS, Passed
from conformance.checking.finding import Finding
from conformance.checking.verdict import from_json
from conformance.cli.command import main
from conformance.errors import USAGE, UsageError
from conformance.implementations.failures import Accepted, Mismatch
from conformance.recording.steps import Step
from conformance.recording.tape import Tape
from conformance.reproductions.directory import folder_name, place, remove, tidy
from conformance.reproductions.record import Record, Subject, read
from conformance.reproductions.script import script
from reference import DTYPES, Case, Configuration
from tests.support.cases import random_case
from tests.support.processes import SPECIMENS, command
from tests.support.processes import pytest as run_pytest
from tests.support.processes import run as run_program
from tests.support.reports import report

ONE = ["--requirement", "results_match_reference", "--device", "cpu", "--max-examples", 20]
FORGETFUL = """
from torch import nn


class Mine(nn.LSTM):
    def forward(self, x, hx=None):
        return super().forward(x)
"""
RIGHT = FORGETFUL.replace("forward(x)", "forward(x, hx)")
WITHOUT_GRADIENT_OF_INPUT = """
from torch import nn
from conformance import HandWritten


class Mine(HandWritten):
    def gradients(self, case, cotangents):
        found = super().gradients(case, cotangents)
        return {name: found[name] for name in found if name != "input"}


names = {"weight_ih": "weight_ih_l0", "weight_hh": "weight_hh_l0"}
mine = Mine(nn.LSTM, **names, bias=("bias_ih_l0", "bias_hh_l0"))
"""
FOUND = Path(".lstm-conformance/mine.py-Mine/results_match_reference-cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a forgetful LSTM was verified."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "mine.py").write_text(FORGETFUL)
    arguments = ("verify", "mine.py:Mine", *ONE, "--seed", 4, "--json", "report.json")
    run = command(*arguments, folder=folder)
    assert run.returncode == 1, run.stdout + run.stderr
    assert f"reproduction: {FOUND}" in run.stdout
    return folder


def test_failure_leaves_a_script_a_report_and_a_case(folder: Path) -> None:
    """The folder is named in the report, and nothing else is left."""
    assert sorted(path.name for path in (folder / FOUND).iterdir()) == [
        "case.json",
        "report.md",
        "reproduce.py",
    ]
    (verdict,) = report(folder / "report.json")["verdicts"]
    assert from_json(verdict).reproduction == str(FOUND)
    assert [path.name for path in (folder / ".lstm-conformance").iterdir()] == ["mine.py-Mine"]


def test_script_needs_neither_the_suite_nor_its_folder(folder: Path, tmp_path: Path) -> None:
    """From anywhere, without Hypothesis and this suite, it shows the fault."""
    script = folder / FOUND / "reproduce.py"
    blocked = ["conformance", "reference", "strategies", "hypothesis", "pytest"]
    code = f"import sys, runpy; sys.modules.update(dict.fromkeys({blocked})); "
    code += f"runpy.run_path({str(script)!r}, run_name='__main__')"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1, run.stderr
    assert run.stdout.startswith("output[0, 0, 0]: got 0.0, expected 0.231058578")
    assert run.stdout.endswith("the fault shows\n")


def test_report_can_be_pasted(folder: Path) -> None:
    """It has the requirement with claim and source, the difference, script, versions, command."""
    report = (folder / FOUND / "report.md").read_text()
    assert report.startswith("# `mine.py:Mine` does not meet results_match_reference\n")
    for part in (
        "Required: Output, h_n and c_n are those of the equations applied over time",
        "Source: torch.nn.LSTM documentation, equations",
        "output[0, 0, 0] = 0.0, but should be 0.23105857863000487 ± ",
        (folder / FOUND / "reproduce.py").read_text().rstrip(),
        f"| Python | {sys.version.split()[0]} |",
        "| torch | ",
        "lstm-conformance verify mine.py:Mine --requirement results_match_reference --device cpu",
        "--seed 4",
    ):
        assert part in report
    assert not any(line.startswith("reproduction:") for line in report.splitlines())


def test_replay_decides_the_case_again(folder: Path, tmp_path: Path) -> None:
    """The same failure, or from anywhere what another implementation does with the case."""
    run = command("replay", FOUND, folder=folder)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "mine.py:Mine on cpu: results_match_reference failed" in run.stdout
    assert "output[0, 0, 0] = 0.0, but should be 0.23105857863000487" in run.stdout
    assert "The results equal those of an LSTM " in run.stdout
    run = command("replay", folder / FOUND, "--as", "torch.nn.LSTM", folder=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "│ passed" in run.stdout


@pytest.mark.slow
def test_replay_finds_what_was_typed_from_where_it_was_typed(folder: Path, tmp_path: Path) -> None:
    """A file, or a module, of the current folder is meant, not its namesake beside the case."""
    (tmp_path / "mine.py").write_text(RIGHT)
    for name in ("mine.py:Mine", "mine:Mine"):
        run = command("replay", folder / FOUND, "--as", name, folder=tmp_path)
        assert run.returncode == 0, run.stdout + run.stderr
        assert "│ passed" in run.stdout


@pytest.mark.slow
def test_replay_is_not_applicable_where_the_case_is_not_taken(folder: Path, tmp_path: Path) -> None:
    """A case in both directions is nothing to a cell: status 0, and why."""
    record = read(folder / FOUND)
    case = random_case(Configuration(2, 3, bidirectional=True))
    Record(record.subject, case, "failed", "why").write(tmp_path)
    run = command("replay", tmp_path, "--as", "torch.nn.LSTMCell", folder=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "not applicable, the case needs bidirectional=True, " in run.stdout


def test_replay_of_what_decides_nothing_is_not_applicable(folder: Path, tmp_path: Path) -> None:
    """Where a requirement assumes what is not there, such as one of the gradients."""
    (tmp_path / "mine.py").write_text(WITHOUT_GRADIENT_OF_INPUT)
    record = read(folder / FOUND)
    subject = replace(record.subject, requirement="gradient_reaches_first_step")
    Record(subject, record.case, "failed", "why").write(tmp_path)
    name = f"{tmp_path}/mine.py:mine"
    run = command("replay", tmp_path, "--as", name, "--timeout", 60, folder=tmp_path)
    assert "the requirement cannot be decided from this case" in " ".join(run.stdout.split())
    assert run.returncode == 0


BY_HAND = """
import torch
from torch import nn


class Mine(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.gates = nn.Linear(input_size + hidden_size, 4 * hidden_size)

    def forward(self, x, states):
        h, c = states
        outputs = []
        for step in x:
            i, f, g, o = self.gates(torch.cat([step, h], 1)).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
        return torch.stack(outputs), (h, c)
"""


@pytest.mark.slow
def test_replay_infers_what_was_found_on_a_class_written_by_hand(
    folder: Path, tmp_path: Path
) -> None:
    """As ``conformance.verify`` does, which verifies such a class under its own name."""
    (tmp_path / "mine.py").write_text(BY_HAND)
    record = json.loads((folder / FOUND / "case.json").read_text())
    record["subject"]["folder"] = str(tmp_path)
    (tmp_path / "found").mkdir()
    (tmp_path / "found/case.json").write_text(json.dumps(record))
    run = command("replay", "found", folder=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "mine.py:Mine on cpu" in run.stdout
    assert "passed" in run.stdout


@pytest.mark.slow
def test_script_that_replays_shows_the_fault(folder: Path, tmp_path: Path) -> None:
    """Where no plain script can be written, and where no step of a refusal was noted."""
    requirement = REQUIREMENTS["results_match_reference"]
    refusal = Tape()
    refusal.steps = [Step("x = 1")]
    mismatch = Mismatch("output", "", "0", "1")
    for failure, tape in ((mismatch, Tape()), (Accepted("what"), refusal)):
        found = Finding(None, random_case(Configuration(1, 1)), failure, tape)
        written = script(requirement, "mine.py:Mine", found)
        assert not written.plain
        (tmp_path / "reproduce.py").write_text(written.text)
        (tmp_path / "case.json").write_bytes((folder / FOUND / "case.json").read_bytes())
        done = run_program([sys.executable, tmp_path / "reproduce.py"], tmp_path)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "output[0, 0, 0] = 0.0, but should be 0.23105857863000487" in done.stdout
        assert done.stderr == ""


@pytest.mark.slow
def test_what_was_mended_leaves_nothing(tmp_path: Path) -> None:
    """After the fault is gone the script exits with 0, and a run takes the reproduction away.

    A run that does not decide leaves it.
    """
    mine = tmp_path / "mine.py"
    mine.write_text(FORGETFUL)
    arguments = ("verify", "mine.py:Mine", *ONE, "--reproductions", "here", "-n", 1)
    assert command(*arguments, folder=tmp_path).returncode == 1
    script = tmp_path / "here" / "mine.py-Mine" / FOUND.name / "reproduce.py"
    undecided = command(*arguments, "--time-limit", 0.001, folder=tmp_path)
    assert undecided.returncode == 3
    assert "1 undecided" in undecided.stdout
    mine.write_text(RIGHT)
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "the fault does not show\n"), run.stderr
    assert command(*arguments, folder=tmp_path).returncode == 0
    assert not (tmp_path / "here").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"schema": "lstm-conformance/report"}, "is a lstm-conformance/report, not a lstm-conf"),
        (
            {"version": 3},
            "has version 3, but this lstm-conformance reads version 2: install the newer one",
        ),
        (
            {"version": 1},
            "has version 1, but this lstm-conformance reads version 2: install the older one",
        ),
        ({"subject.requirement": "no_such"}, "names no_such, which is not a requirement of this"),
        ({"subject.implementation": "gone.py:Mine"}, "'gone.py:Mine' is gone: there is no file "),
        ({"subject.implementation": "no.such:Mine"}, "'no.such:Mine': there is no module 'no'"),
        ({"subject.device": "cuda:77"}, "has no device 'cuda:77' here"),
        ({"case": {}}, "is damaged: missing @ $.case.configuration"),
        ({"case.h_0": None}, "is damaged: give both of h_0 and c_0 or neither @ $.case"),
        ({"subject.folder": 1}, "is damaged: 1 is not of type str @ $.subject.folder"),
        (None, "has no case.json"),
        ("[1, 2", "was not written by lstm-conformance"),
        ("[1, 2]", "was not written by lstm-conformance"),
        ("null", "was not written by lstm-conformance"),
        ("[" * 100_000, "was not written by lstm-conformance"),
        ("1" * 2**26 + "1", "has more than 64 MiB, as no case of this suite has"),
        ({"case.configuration.num_layers": 10**12}, "is damaged: 1000000000000 layers have more"),
        ({"case.input.shape": [10**18, 1, 1]}, "is damaged: cannot reshape array"),
        ({"case.input.base64": "!"}, "is damaged: "),
        ({"case.input.dtype": "object"}, "is damaged: unknown dtype 'object' @ $.case.input"),
    ],
)
def test_replay_tells_what_is_wrong_in_one_line(
    change: dict | str | None,
    told: str,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A folder that is none, a newer version and an implementation that is gone: status 2."""
    values = json.loads((folder / FOUND / "case.json").read_text())
    if isinstance(change, dict):
        for keys, value in change.items():
            *above, last = keys.split(".")
            reduce(dict.__getitem__, above, values)[last] = value
        (tmp_path / "case.json").write_text(json.dumps(values))
    elif change is not None:
        (tmp_path / "case.json").write_text(change)
    assert main(["replay", str(tmp_path), "--trust"]) == USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("lstm-conformance: ")
    assert told in err
    assert len(err.strip().splitlines()) == 1


def test_replay_tells_a_folder_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line names it; of a folder above reproductions it names one of them."""
    assert main(["replay", "nowhere"]) == USAGE
    assert capsys.readouterr().err == "lstm-conformance: there is no folder nowhere\n"
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "case.json").touch()
    with pytest.raises(UsageError, match=r"name a folder below it that has one, such as .*b"):
        read(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Segfaults", "CallsExit", "Exits", "HoldsTheInterpreter"])
def test_reproduction_of_an_end_was_written_before_it(name: str, tmp_path: Path) -> None:
    """A process that dies or hangs leaves the case; the script and the replay do it again."""
    hangs = name == "HoldsTheInterpreter"
    arguments = ("verify", f"{SPECIMENS}:{name}", *ONE, "--seed", 2, "-n", 1)
    limit = 4 if hangs else 60
    run = command(*arguments, "--timeout", limit, folder=tmp_path)
    assert run.returncode == 1, run.stdout + run.stderr
    (case,) = tmp_path.glob(".lstm-conformance/*/*/case.json")
    run = command("replay", case.parent, "--timeout", limit, "--trust", folder=tmp_path)
    assert run.returncode == 1, run.stdout + run.stderr
    told = {"HoldsTheInterpreter": "no verdict within 4 s", "CallsExit": "raised SystemExit: bye"}
    assert told.get(name, "the process died") in run.stdout
    if not hangs:
        script = [sys.executable, str(case.with_name("reproduce.py"))]
        done = subprocess.run(script, capture_output=True, text=True, check=False)
        assert done.returncode == 1, done.stdout
        assert "expected: the call returns; got: exit status " in done.stderr


@pytest.mark.slow
def test_reproduction_of_the_end_of_pytest(tmp_path: Path) -> None:
    """Without workers pytest dies of the case; the folder of its run is replayed."""
    options = [f"--lstm-{str(word)[2:]}" if str(word).startswith("--") else word for word in ONE]
    run = run_pytest(
        *("--pyargs", "conformance", "--lstm", f"{SPECIMENS}:Exits", *options), folder=tmp_path
    )
    assert run.returncode == 3, run.stdout + run.stderr
    (left,) = tmp_path.glob(".lstm-conformance/running-*")
    run = command("replay", left, "--trust", folder=tmp_path)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "the process died in this case" in run.stdout
    (case,) = tmp_path.glob(".lstm-conformance/*/*/case.json")
    assert f"reproduction: {case.parent}" in run.stdout.replace("\n", "")
    right = command("verify", "torch.nn.LSTM", *ONE, folder=tmp_path)
    assert right.returncode == 0, right.stdout + right.stderr
    assert not left.exists()  # which the next run takes away


@pytest.mark.slow
def test_plugin_leaves_reproductions(tmp_path: Path) -> None:
    """Under pytest, too, in the folder asked for, and the failure names it."""
    (tmp_path / "mine.py").write_text(FORGETFUL)
    options = [f"--lstm-{str(word)[2:]}" if str(word).startswith("--") else word for word in ONE]
    run = run_pytest(
        *("--pyargs", "conformance", "--lstm", "mine.py:Mine", *options),
        *("--lstm-reproductions", "kept"),
        folder=tmp_path,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert f"reproduction: kept/mine.py-Mine/{FOUND.name}" in run.stdout
    assert (tmp_path / "kept" / "mine.py-Mine" / FOUND.name / "reproduce.py").is_file()


@pytest.mark.parametrize("dtype", DTYPES)
def test_record_keeps_every_bit(dtype: str, tmp_path: Path) -> None:
    """A case is read back as it was written, NaN, lengths and states among it."""
    case = random_case(
        Configuration(2, 3, num_layers=2, bidirectional=True, proj_size=1, batch_first=True),
        dtype=dtype,
        lengths=np.array([4, 1, 2]),
    )
    case.input[0, 0] = np.nan, -0.0
    subject = Subject("r", "i", "cpu", "f", "c", {"torch": "1"})
    Record(subject, case, "failed", "why").write(tmp_path)
    again = read(tmp_path)
    assert (again.subject, again.outcome, again.message) == (subject, "failed", "why")
    assert again.case.configuration == case.configuration
    assert again.case.lengths is not None
    assert again.case.lengths.tolist() == [4, 1, 2]
    assert list(again.case.parameters) == list(case.parameters)
    for one, other in zip(arrays(case), arrays(again.case), strict=True):
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()


def arrays(case: Case) -> list[np.ndarray]:
    states = [state for state in (case.h_0, case.c_0) if state is not None]
    return [case.input, *states, *case.parameters.values()]


def test_tidy_leaves_what_is_not_ours(tmp_path: Path) -> None:
    """Only folders with a case are taken away, and empty ones."""
    verdict = Passed("r", "../a b.py:C", "cuda:0")
    there = place(tmp_path, verdict)
    assert re.fullmatch(r"a-b\.py-C-[0-9a-f]{8}", there.parent.name)
    assert there == tmp_path / there.parent.name / "r-cuda-0"
    there.mkdir(parents=True)
    (there / "notes.txt").touch()
    remove(tmp_path, verdict)
    assert there.is_dir()
    (there / "case.json").touch()
    remove(tmp_path, verdict)
    tidy(tmp_path)
    assert not tmp_path.exists()


def test_implementations_have_folders_of_their_own() -> None:
    """Also if their names are the same but for what a folder cannot be called, or very long."""
    usual = {"mine.py:LSTM": "mine.py-LSTM", "torch.nn.LSTM": "torch.nn.LSTM", "a.b:C": "a.b-C"}
    usual |= {"stacked-cells": "stacked-cells", "näher.py:LSTM": "näher.py-LSTM"}
    for name, folder in usual.items():
        assert folder_name(name) == folder
    names = [
        *usual,
        *("a/m.py:L", "../a/m.py:L", "/a/m.py:L", "a//m.py:L", "a-m.py:L", "a/m.py/L", "a m.py:L"),
        *("mine.py-LSTM", "mine.py LSTM", ".mine.py:LSTM", "stacked:cells", "torch.nn.LSTM:"),
        *("x" * 300, "y" + "x" * 300, "", ".", "..", "-", "/", "\udce9", "\x1b[31m", "node x.mjs"),
    ]
    folders = [folder_name(name) for name in names]
    assert len(set(folders)) == len(names)
    assert all(re.fullmatch(r"[\w.-]{1,109}", folder) for folder in folders)
    assert not {".", ".."} & set(folders)
    assert folder_name("a/m.py:L") == "a-m.py-L-7ba7efb8"


def test_reproductions_must_be_writable(tmp_path: Path) -> None:
    """A place where no folder can be made: status 2 and one line."""
    (tmp_path / "file").touch()
    run = command("verify", "torch.nn.LSTM", *ONE, "--reproductions", "file/x", folder=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    told = "--reproductions must be a writable folder"
    assert run.stderr == f"lstm-conformance: {told}; {tmp_path}/file is not\n"
