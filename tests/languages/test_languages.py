"""LSTMs in other languages: the examples of the documentation, TensorFlow.js and libtorch.

Each is verified by the command, as a user would. What is not installed is skipped.
"""

import importlib.util
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.checking.comparison import agree
from conformance.checking.verdict import Verdict, from_json
from conformance.cli.command import main
from conformance.errors import CONFORMANT, NOT_CONFORMANT
from conformance.implementations.programs import protocol
from conformance.judgement.files import arrays
from reference import Case, Configuration, Result, forward_bound, trace
from tests.languages import libtorch
from tests.support.kernels import made
from tests.support.processes import command
from tests.support.protocol import read, valid

HERE = Path(__file__).parent
PAGE = (Path(protocol.__file__).parent / "PROTOCOL.md").read_text(encoding="utf-8")
NODE = shutil.which("node")
PYTHON = shlex.quote(sys.executable)


def blocks(language: str) -> list[str]:
    """The examples of the page in that language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)


def verdicts(
    folder: Path, *commands: str, max_examples: int = 20, **variables: str
) -> dict[tuple[str, str], Verdict]:
    """What the command decides, by implementation and requirement, without what does not apply."""
    asked = [argument for text in commands for argument in ("--command", text)]
    run = command(
        *("verify", *asked, "--strict", "--device", "cpu", "--max-examples", max_examples),
        *("--seed", 1, "--timeout", 900, "--json", "report.json"),
        folder=folder,
        **variables,
    )
    assert run.returncode in (0, 1), run.stdout + run.stderr
    decided = map(from_json, json.loads((folder / "report.json").read_text())["verdicts"])
    return {
        (verdict.implementation, verdict.requirement): verdict
        for verdict in decided
        if verdict.outcome != "not applicable"
    }


def reds(decided: dict[tuple[str, str], Verdict]) -> set[tuple[str, str]]:
    return {place for place, verdict in decided.items() if not verdict.conformant}


def example(language: str, folder: Path, *changes: tuple[str, str]) -> str:
    """The command that runs the page's example in that language, with `changes`."""
    (text,) = blocks(language)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    name = {"js": "my_lstm.mjs", "python": "my_lstm.py"}[language]
    (folder / name).write_text(text)
    return f"node {name}" if language == "js" else f"{PYTHON} {name}"


LANGUAGES = [
    pytest.param(
        "js", "my-lstm", marks=pytest.mark.skipif(NODE is None, reason="there is no node")
    ),
    pytest.param("python", "my-lstm-in-python"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("language", "name"), LANGUAGES)
def test_example_is_conformant(language: str, name: str, tmp_path: Path) -> None:
    """The whole example of the page passes all that applies to it."""
    decided = verdicts(tmp_path, example(language, tmp_path))
    assert (name, "results_match_reference") in decided
    assert (name, "nan_stays_in_its_row") in decided
    assert len(decided) > 20
    assert reds(decided) == set()


@pytest.mark.slow
@pytest.mark.parametrize(("language", "name"), LANGUAGES)
def test_example_with_a_fault_is_not(language: str, name: str, tmp_path: Path) -> None:
    """With two gates exchanged it does not match the reference, and keeps its shapes."""
    order = {"js": "[i, f, g, o] = [0", "python": "i, f, g, o = np.split"}[language]
    wrong = order.replace("i, f", "f, i")
    decided = verdicts(tmp_path, example(language, tmp_path, (order, wrong)))
    assert decided[name, "results_match_reference"].outcome == "failed"
    assert decided[name, "shapes_are_as_documented"].outcome == "passed"


def test_page_shows_valid_messages() -> None:
    """The hello, request and result on the page are valid, and the result is right."""
    hello, request, result = map(json.loads, blocks("json"))
    assert valid("hello", hello)
    assert valid("request", request)
    assert valid("result", result)
    dtype = np.dtype(request["dtype"])
    x, h_0, c_0 = (read(request[name]).astype(dtype) for name in ("input", "h_0", "c_0"))
    parameters = {name: read(array).astype(dtype) for name, array in request["parameters"].items()}
    case = Case(Configuration(**request["configuration"]), parameters, x, h_0, c_0)
    got = Result.of(read(result[name]).astype(dtype) for name in ("output", "h_n", "c_n"))
    true = trace(case)
    assert agree(got, true.result, forward_bound(true)) <= 1


def test_page_lists_every_field_of_the_schema() -> None:
    """Each field that a process may declare is in a table of the page, with its default."""
    definitions = json.loads(protocol.SCHEMA.read_text(encoding="utf-8"))["definitions"]
    for name, field in definitions["supports"]["properties"].items():
        (row,) = re.findall(rf"^\| `{name}` \|.*\| `(.*)` \|$", PAGE, re.M)
        assert json.loads(row) == field["default"]
    for name in definitions["precision"]["properties"]:
        assert f"`{name}`" in PAGE


def test_verify_tells_in_one_line_that_a_command_does_not_start(tmp_path: Path) -> None:
    """Exit status 2 and one line on stderr that names the command and says what it did."""
    run = command("verify", "--command", "false", "-n", 1, folder=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    told = "lstm-conformance: 'false' did not send a hello: it exited with status 1"
    assert run.stderr.strip() == told


def test_verify_refuses_two_of_one_name(tmp_path: Path) -> None:
    """Verdicts are told apart by the name that a process gives itself."""
    text = example("python", tmp_path)
    run = command("verify", "--command", text, "--command", f"{text} ", "-n", 1, folder=tmp_path)
    assert (run.returncode, run.stdout) == (2, "")
    told = "lstm-conformance: two implementations are called 'my-lstm-in-python'"
    assert run.stderr.strip() == told


def installed(package: str) -> bool:
    """Whether node finds an npm package, here or by NODE_PATH."""
    if NODE is None:
        return False
    look = ["node", "-e", f"require.resolve({package!r})"]
    return subprocess.run(look, cwd=HERE, capture_output=True, check=False).returncode == 0


needs_tfjs = pytest.mark.skipif(
    not installed("@tensorflow/tfjs"), reason="@tensorflow/tfjs is not installed: tox -e tfjs"
)


@needs_tfjs
def test_tfjs_differs_by_its_mask_only(tmp_path: Path) -> None:
    """Layer and cells of TensorFlow.js conform but where they multiply by a mask."""
    program = shlex.quote(str(HERE / "tfjs.js"))
    commands = (f"node {program} layer", f"node {program} cell")
    decided = verdicts(tmp_path, *commands, max_examples=5)
    names = ("tf.layers.lstm", "tf.layers.lstmCell")
    masked = ("output_beyond_length_is_zero", "infinity_stays_in_its_row")
    assert reds(decided) == {(name, requirement) for name in names for requirement in masked}
    assert decided[names[0], "directions_are_concatenated"].outcome == "passed"
    assert decided[names[1], "layers_are_a_chain"].outcome == "passed"


@needs_tfjs
def test_tfjs_by_default_is_another_function(tmp_path: Path) -> None:
    """Its default recurrentActivation, hardSigmoid, is not the sigmoid of an LSTM."""
    text = (HERE / "tfjs.js").read_text()
    sigmoid = ', recurrentActivation: "sigmoid"'
    assert sigmoid in text
    (tmp_path / "hard.js").write_text(text.replace(sigmoid, ""))
    decided = verdicts(tmp_path, "node hard.js layer", max_examples=5)
    assert decided["tf.layers.lstm", "cell_matches_equations"].outcome == "failed"


@needs_tfjs
def test_tfjs_results_in_a_file_are_judged(tmp_path: Path) -> None:
    """What a program on TensorFlow.js wrote is right, and wrong where an element is changed."""
    case = made((5, 7, 20, 3), scale=2.0)
    one_bias = {"bias_hh_l0": np.zeros(28, np.float32)}
    weights: dict[str, Any] = {**case.parameters, **one_bias}
    x = case.input.swapaxes(0, 1)
    given = {
        "input": x,
        "kernel": weights["weight_ih_l0"].T,
        "recurrent": weights["weight_hh_l0"].T,
        "bias": weights["bias_ih_l0"],
    }
    text = json.dumps({name: array.tolist() for name, array in given.items()})
    (tmp_path / "given.json").write_text(text)
    np.savez(tmp_path / "w.npz", **weights)
    np.save(tmp_path / "x.npy", x)
    subprocess.run(["node", str(HERE / "tfjs_results.js"), str(tmp_path)], check=True)
    file = tmp_path / "results.safetensors"
    words = ["judge", tmp_path / "w.npz", "--input", tmp_path / "x.npy"]
    words += ["--order", "batch-first", "--expected"]
    assert main([*map(str, words), str(file)]) == CONFORMANT
    results = arrays.read(file)
    assert {name: array.shape for name, array in results.items()} == {
        "output": (3, 20, 7),
        "h_n": (3, 7),
        "c_n": (3, 7),
    }
    off: dict[str, Any] = {**results, "output": results["output"].copy()}
    off["output"][1, 13, 4] += 1e-4
    np.savez(tmp_path / "off.npz", **off)
    assert main([*map(str, words), str(tmp_path / "off.npz")]) == NOT_CONFORMANT


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program that asks the C++ frontend of torch."""
    if not (shutil.which("g++") and importlib.util.find_spec("nlohmann_json")):
        pytest.skip("needs g++ and the package nlohmann-json: tox -e libtorch")
    target = tmp_path_factory.mktemp("libtorch") / "libtorch"
    libtorch.build(target)
    return str(target)


def test_libtorch_is_conformant(built: str, tmp_path: Path) -> None:
    """``torch::nn::LSTM`` and ``torch::nn::LSTMCell`` conform, gradients included."""
    decided = verdicts(tmp_path, f"{built} layer", f"{built} cell")
    assert reds(decided) == set()
    assert ("torch::nn::LSTM", "packed_batch_equals_rows_alone") in decided
    for name in ("torch::nn::LSTM", "torch::nn::LSTMCell"):
        assert (name, "gradients_match_backpropagation") in decided


def test_libtorch_cell_needs_states_for_a_single_row(built: str, tmp_path: Path) -> None:
    """Where the input has no batch dimension the C++ cell makes states of a wrong shape."""
    decided = verdicts(tmp_path, f"{built} unbatched-cell")
    verdict = decided["torch::nn::LSTMCell", "omitted_states_are_zeros"]
    assert verdict.outcome == "crashed"
    assert verdict.counterexample is not None
    assert "doesn't match hidden0 batch size 2" in verdict.counterexample.message
    assert "unbatched no initial state" in verdict.counterexample.case
