"""The command line, as a user runs it from a folder of their own."""

import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from conformance import REQUIREMENTS
from conformance.checking.verdict import Crashed, Passed, TimedOut, from_json
from conformance.cli.command import _parsed, main
from conformance.implementations.programs import protocol
from conformance.implementations.shipped import SHIPPED
from conformance.running.reporting.report import SCHEMA
from tests.support.processes import COMMAND, SPECIMENS, command
from tests.support.processes import run as run_program
from tests.support.reports import report

FEW = ["--requirement", "results_match_reference", "--requirement", "dtypes_follow_input"]
PASSED = 4 + 2 * torch.cuda.device_count()
"""How many verdicts pass: two requirements of two implementations, one of which is on CUDA too."""


def test_verify_passes_torch(tmp_path: Path) -> None:
    """A conformant LSTM gets a table, a summary and exit status 0; stderr has the progress."""
    names = ["torch.nn.LSTM", f"{SPECIMENS}:Numbers"]
    run = command(
        *("verify", *names, *FEW, "--max-examples", 8, "--seed", 5, "--json", "report.json"),
        folder=tmp_path,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert all(re.match(r"\d+ of \d+ decided, ", line) for line in run.stderr.splitlines())
    lines = run.stdout.splitlines()
    assert lines[-1].strip() == "conformant"
    for name in ("torch.nn.LSTM on cpu", "numbers on cpu"):
        start = lines.index(next(line for line in lines if line.startswith(name)))
        for line in lines[start + 4 : start + 6]:
            assert line.split("│")[2].strip() == "passed"
            assert line.split("│")[3].strip() == "8"
    assert f"{PASSED} passed" in run.stdout
    assert "seed 5" in run.stdout
    assert "numbers does not take: dtypes float32, dtypes float16, dtypes bfloat16" in run.stdout
    assert_is_report(report(tmp_path / "report.json"))
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def assert_is_report(written: dict) -> None:
    """The report of :func:`test_verify_passes_torch`."""
    assert written["conformant"]
    assert written["counts"]["passed"] == PASSED
    run = written["run"]
    assert (run["profile"], run["seed"], run["max_examples"]) == ("default", 5, 8)
    assert run["torch"] == torch.__version__
    assert run["torch.get_float32_matmul_precision()"] == "highest"
    assert run["seconds"] > 0
    assert run["supports"]["torch.nn.LSTM"]["projection"] is True
    verdicts = [from_json(values) for values in written["verdicts"]]
    assert [verdict.to_json() for verdict in verdicts] == written["verdicts"]
    on_cpu = [verdict for verdict in verdicts if verdict.device == "cpu"]
    assert all(isinstance(verdict, Passed) for verdict in on_cpu)
    assert [(verdict.implementation, verdict.requirement) for verdict in on_cpu] == [
        ("torch.nn.LSTM", "results_match_reference"),
        ("torch.nn.LSTM", "dtypes_follow_input"),
        ("numbers", "results_match_reference"),
        ("numbers", "dtypes_follow_input"),
    ]
    assert all(verdict.conformant for verdict in verdicts)


def test_verify_fails_a_faulty_lstm(tmp_path: Path) -> None:
    """Exit status 1, and what, where, got, should be, allowed, and the smallest case."""
    (tmp_path / "odd [bold] name").mkdir()
    (tmp_path / "odd [bold] name" / "mine.py").write_text(SPECIMENS.read_text())
    name = "odd [bold] name/mine.py:ForgetsBiasHH"
    run = command(
        *("verify", name, *FEW, "--device", "cpu", "--max-examples", 20, "--seed", 1, "-n", 0),
        folder=tmp_path,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert f"{name} on cpu" in run.stdout
    assert f"{name} on cpu: results_match_reference failed" in " ".join(run.stdout.split())
    assert "1 failed, 1 passed" in run.stdout
    assert run.stdout.rstrip().endswith("not conformant")
    told = run.stdout.partition("results_match_reference failed")[2].split("\n")
    assert "= " in told[1]
    assert " but should be " in told[1]
    assert " ± " in told[1]
    assert told[2].startswith("  in <LSTM 1->1 ")
    assert told[3].startswith("    bias_hh_l0 = [")
    assert "all zero: " in told[4]


def test_verify_tells_bad_usage_in_one_line(tmp_path: Path) -> None:
    """What was asked for and is not there: exit status 2 and one line on stderr."""
    run = command("verify", "torch.nn.Linear", "torch.nn.LSTM", folder=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert len(run.stderr.strip().splitlines()) == 1
    assert run.stderr.strip().startswith("lstm-conformance: 'torch.nn.Linear' is not an LSTM: ")


def test_verify_ends_when_an_lstm_kills_its_process_while_loaded(tmp_path: Path) -> None:
    """What cannot even be tried out: exit status 2 and one line that names it."""
    name = f"{SPECIMENS}:DiesWhenTried"
    run = command("verify", name, *FEW, folder=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    told = f"lstm-conformance: {name!r}: the process died or hung while loading and trying it"
    assert run.stderr.startswith(told)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--json", "no/such/folder/x.json"], "--json must be a file in an existing folder"),
        (["--json", "."], "--json must be a writable file"),
        (["--reproductions", "/proc/x"], "--reproductions must be a writable folder"),
        (
            ["--level", "core", "--requirement", "second_derivatives_are_right"],
            "no requirement has one of these levels and one of these names",
        ),
        (["-n", "-1"], "-n must be at least 0, got -1"),
        (["--requirement", "no_such", "-n", "0"], "unknown requirement 'no_such': `lstm-con"),
    ],
)
def test_verify_refuses_options_that_do_not_fit(
    arguments: list[str], told: str, tmp_path: Path
) -> None:
    """Exit status 2 and one line on stderr that says which option and why."""
    run = command("verify", "torch.nn.LSTM", *arguments, folder=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith(f"lstm-conformance: {told}")
    assert len(run.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_verify_survives_what_implementations_do(tmp_path: Path) -> None:
    """Processes that end, crash or hang become verdicts with the case; the others get theirs."""
    ends = ["Exits", "Segfaults"]
    hangs = ["Sleeps", "LoopsForever", "HoldsTheInterpreter"]
    names = [f"{SPECIMENS}:{name}" for name in ends + hangs]
    run = command(
        *("verify", *names, "torch.nn.LSTM", "--requirement", "results_match_reference"),
        *("--max-examples", 8, "--seed", 2, "--device", "cpu", "--json", "report.json"),
        *("--timeout", 20, "-n", 3),  # so that those that hang wait at the same time
        folder=tmp_path,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    written = report(tmp_path / "report.json")
    assert not written["conformant"]
    verdicts = {verdict["implementation"]: from_json(verdict) for verdict in written["verdicts"]}
    assert list(verdicts) == [*names, "torch.nn.LSTM"]
    assert isinstance(verdicts["torch.nn.LSTM"], Passed)
    for name in names:
        verdict = verdicts[name]
        late = name.rpartition(":")[2] in hangs
        assert isinstance(verdict, TimedOut if late else Crashed), verdict
        assert verdict.counterexample is not None
        assert verdict.counterexample.message == (
            "no verdict within 20 s" if late else "the process died in this case"
        )
        assert verdict.counterexample.case.startswith("<LSTM ")
        assert any(tensor for tensor in verdict.counterexample.tensors["input"])
        assert not late or verdict.seconds > 19
    assert "2 crashed, 3 timed out, 1 passed" in " ".join(run.stdout.split())


def test_requirements_lists_every_requirement(tmp_path: Path) -> None:
    """In a pipe each is a line: its name, level, claim, source and strength."""
    run = command("requirements", folder=tmp_path, COLUMNS="80")
    assert run.returncode == 0, run.stderr
    rows = [line.split("\t") for line in run.stdout.splitlines()]
    assert rows == [
        [item.name, item.level, item.claim, item.source, item.strength]
        for item in REQUIREMENTS.values()
    ]


@pytest.mark.parametrize(
    ("arguments", "file"),
    [([], protocol.SCHEMA), (["protocol"], protocol.SCHEMA), (["report"], SCHEMA)],
)
def test_schema_prints_what_is_shipped(
    arguments: list[str], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The schema asked for, as it lies in the package; that of the protocol by default."""
    assert main(["schema", *arguments]) == 0
    assert capsys.readouterr().out == file.read_text(encoding="utf-8")


def test_version_is_that_of_the_package(tmp_path: Path) -> None:
    """``--version`` tells it."""
    run = command("--version", folder=tmp_path)
    assert (run.returncode, run.stdout) == (0, f"lstm-conformance {version('lstm-conformance')}\n")


@pytest.mark.slow
def test_verify_and_its_scripts_print_in_any_encoding(tmp_path: Path) -> None:
    """Where the terminal has no ±, neither the command nor the script dies of it."""
    options = ["--device", "cpu", "--max-examples", 20, "-n", 0]
    arguments = ("verify", f"{SPECIMENS}:ForgetsBiasHH", *FEW[:2], *options)
    run = command(*arguments, folder=tmp_path, PYTHONIOENCODING="ascii")
    assert run.returncode == 1, run.stderr
    assert " but should be " in run.stdout
    (script,) = tmp_path.glob(".lstm-conformance/*/*/reproduce.py")
    run = run_program([sys.executable, script], tmp_path, PYTHONIOENCODING="ascii")
    assert run.returncode == 1, run.stderr
    assert " +- " in run.stdout


def test_implementations_lists_what_is_shipped(tmp_path: Path) -> None:
    """Each name known by itself is in the list, and how any other is given."""
    run = command("implementations", folder=tmp_path)
    assert run.returncode == 0, run.stderr
    assert [line.split()[0] for line in run.stdout.splitlines()[: len(SHIPPED)]] == list(SHIPPED)
    assert "anything else: package.module:Class or path/to/file.py:Class\n" in run.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["verify"],
        ["frobnicate"],
        ["verify", "x", "--seed=a"],
        ["verify", "x", "--seed=1\n2"],
        ["verify", "x", "--frob\nnicate", "y"],
        ["verify", "x", "--profile="],
        ["schema", "x"],
        ["schema", ""],
        ["infer"],
        ["infer", "x", "--seed", "1"],
        ["replay", "x", "y"],
        ["requirements", "x"],
    ],
)
def test_command_tells_how_it_is_used(arguments: list[str], tmp_path: Path) -> None:
    """Arguments that make no sense give exit status 2 and a line with what is wrong."""
    run = command(*arguments, folder=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    assert re.fullmatch(
        r"lstm-conformance.*: .*; `lstm-conformance.* --help` lists .*\n", run.stderr
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["verify", "mine.py:Mine", "--memory", "0.01"], "--memory must be at least 0.5 GiB"),
        (["verify", "mine.py:Mine", "--timeout", "1e300"], "--timeout must be at most 1e+06 seco"),
        (["verify", "mine.py:Mine", "--dtype", ","], "--dtype must name at least one, got ','"),
        (["verify", "@file", "-n", "0"], "unknown implementation '@file': give package"),
        (["verify", "caf\udce9.py:L"], "caf\\udce9.py:L is not UTF-8: rename the file or folder"),
        (["verify", "-n", "0", "--", "-x"], "unknown implementation '-x': give package"),
        (["verify", "..x", "-n", "0"], "unknown implementation '..x': give package"),
        (["verify", "latin.py:Mine", "-n", "0"], "'latin.py:Mine': importing latin.py raised Sy"),
        (["verify", "mine.py", "--seed", "1", "mine.py", "-n", "0"], "'mine.py': give mine.py:C"),
        (["infer", "nothing.py", "--timeout", "60", "mine.py"], "'nothing.py': there is no file"),
        (["verify", "stops.py:Mine", "-n", "0"], "'stops.py:Mine': importing stops.py raised Keyb"),
        (["verify", "stops.py:Mine", "-n", "1"], "'stops.py:Mine': importing stops.py raised Keyb"),
        (["infer", "stops.py:Mine"], "'stops.py:Mine': importing stops.py raised KeyboardInterr"),
        (["infer", "latin.py:Mine"], "'latin.py:Mine': importing latin.py raised SyntaxError: "),
        (["infer", "mine.py", "--memory", "inf"], "--memory must be at most 1e+09 GiB, got inf"),
        (["replay", "long" * 99], "there is no folder 'longlong"),
        (["replay", "mine.py"], "there is no folder mine.py"),
        (["replay", ".", "--timeout", "-0"], "--timeout must be a positive number of seconds"),
    ],
)
def test_command_tells_what_is_wrong_in_one_line(
    arguments: list[str], told: str, tmp_path: Path
) -> None:
    """Exit status 2, and nothing of what happened inside."""
    (tmp_path / "mine.py").write_text("from torch.nn import LSTM as Mine\n")
    (tmp_path / "latin.py").write_bytes(b"name = 'caf\xe9'\nfrom torch.nn import LSTM as Mine\n")
    (tmp_path / "stops.py").write_text("raise KeyboardInterrupt\n")
    (tmp_path / "file").write_text("--help\n")
    run = command(*arguments, folder=tmp_path)
    assert (run.returncode, run.stdout) == (2, ""), run.stderr
    assert run.stderr.startswith(f"lstm-conformance: {told}")
    assert len(run.stderr.splitlines()) == 1


def test_names_stand_on_both_sides_of_an_option() -> None:
    """They are verified, or looked at, in the order in which they are given."""
    asked = _parsed(["verify", "a", "--seed", "1", "b", "c", "--dtype", "float32", "d"])
    assert (asked.lstm, asked.lstm_seed) == (["a", "b", "c", "d"], 1)
    assert _parsed(["infer", "a", "--timeout", "2", "b"]).names == ["a", "b"]
    assert _parsed(["verify", "--seed", "1", "a"]).lstm == ["a"]


@pytest.mark.parametrize("what", ["requirements", "implementations", "schema", "--help"])
def test_lists_end_quietly_where_nobody_reads_them(what: str, tmp_path: Path) -> None:
    """As in ``lstm-conformance requirements | head``."""
    reading, writing = os.pipe()
    os.close(reading)
    run = subprocess.run(
        [*COMMAND, what], cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (run.returncode, run.stderr) == (0, b"")


def test_verdict_that_nobody_reads_is_neither_green_nor_red(tmp_path: Path) -> None:
    """The status tells that nothing could be printed."""
    reading, writing = os.pipe()
    os.close(reading)
    few = ["--requirement", "dtypes_follow_input", "--max-examples", "1", "--device", "cpu"]
    run = subprocess.run(
        [*COMMAND, "verify", "torch.nn.LSTM", *few, "-n", "0"],
        cwd=tmp_path,
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert run.returncode == 3
    assert b"Traceback" not in run.stderr
