"""Weights that ship inside packages, judged as they are, and with faults.

``python tests/conformance/judgement/real.py`` prints the page, and with ``--write`` writes REAL.md,
in two minutes. It needs onnxruntime, and these packages, whose files alone are read::

    pip install --no-deps silero-vad resemblyzer
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[3])

from conformance import Case, load
from conformance.judgement.files import given
from conformance.judgement.files.finding import one_of
from conformance.judgement.verdict import Wrong
from reference import DTYPES, Array
from tests.support.judging import judge_implementation
from tests.support.kernels import Altered, with_parameters

PAGE = Path(__file__).with_name("REAL.md")
FILES = {
    "silero_vad": ("data/silero_vad_16k_op15.onnx", "/model/decoder/rnn/LSTM"),
    "resemblyzer": ("pretrained.pt", "model_state.lstm"),
}
"""By package: the file with weights, and the LSTM in it."""
STEPS, ROWS = 160, 4
UNIT, COLUMN = 37, 5


def present(package: str) -> Path | None:
    """Return the file of `package`, None where it is not installed; nothing is imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / FILES[package][0]


def case_of(package: str, dtype: str) -> Case:
    """Make a case of the LSTM in a package, on a drawn input."""
    path = present(package)
    assert path is not None
    found = one_of(given.lstms(path), FILES[package][1], package)
    shape = STEPS, ROWS, found.configuration.input_size
    x = np.random.default_rng(0).standard_normal(shape)
    return given.case_of(found, DTYPES[dtype], {"input": x})


def weight_off(case: Case, layer: int) -> Case:
    """One weight by h of a layer, of the candidate g of one unit."""

    def change(array: Array) -> Array:
        array[len(array) // 2 + UNIT, COLUMN] += np.abs(array).max() / 8
        return array

    return with_parameters(case, **{f"weight_hh_l{layer}": change})


def gates_off(case: Case, layer: int) -> Case:
    """The forget gate and the candidate of a layer are swapped."""

    def change(array: Array) -> Array:
        i, f, g, o = np.split(array, 4)
        return np.concatenate([i, g, f, o])

    names = [name for name in case.parameters if name.endswith(f"_l{layer}")]
    return with_parameters(case, **dict.fromkeys(names, change))


FAULTS = {"none": None, "one weight": weight_off, "order of gates": gates_off}
IMPLEMENTATIONS = {"torch.nn.LSTM": ("float32", "float64"), "onnxruntime": ("float32",)}


def judged(package: str) -> Iterator[tuple[str, str, str, Any]]:
    """Judge each implementation in each dtype with each fault: yield them, and the verdict."""
    for dtype in ("float32", "float64"):
        case = case_of(package, dtype)
        top = case.configuration.num_layers - 1
        for fault, change in FAULTS.items():
            for name, dtypes in IMPLEMENTATIONS.items():
                if dtype in dtypes:
                    own = load(name)
                    lstm = own if change is None else _altered(partial(change, layer=top), own)
                    yield name, dtype, fault, judge_implementation(lstm, case).verdict


def _altered(change: Any, own: Any) -> Any:
    altered = Altered(change, own.name, own)
    altered.supports = replace(own.supports, gradients=False)
    return altered


def page() -> str:
    """Make the page."""
    lines = [
        "# Real weights",
        "",
        "LSTMs that ship inside packages of PyPI, judged on a drawn input of 160 steps and 4 rows:",
        "as they are; with one weight by h of the top layer changed in what computes, that of the",
        f"candidate of unit {UNIT}; and with its forget gate and candidate swapped there. ONNX",
        "Runtime has no LSTM in float64.",
        "`python tests/conformance/judgement/real.py --write` writes this page.",
        "",
        "| package | computed by | dtype | fault | verdict | of its bound | from |",
        "|---|---|---|---|---|---|---|",
    ]
    found: list[str] = []
    for package, (file, name) in FILES.items():
        configuration = case_of(package, "float32").configuration
        sizes = ", ".join(f"{key}={value}" for key, value in configuration.arguments().items())
        found.append(f"- {package}: `{name}` in `{file}`, {sizes}")
        for by, dtype, fault, verdict in judged(package):
            place = str(verdict.place) if isinstance(verdict, Wrong) else ""
            row = package, by, dtype, fault, verdict.outcome, f"{verdict.share:.2g}", place
            lines.append(f"| {' | '.join(row)} |")
    return "\n".join([*lines, "", *found]) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write REAL.md")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    lacking = [name for name in (*FILES, "onnxruntime") if importlib.util.find_spec(name) is None]
    if lacking:
        sys.exit(f"not installed: {', '.join(lacking)}")
    text = page()
    if asked.write:
        PAGE.write_text(text, encoding="utf-8")
    print(text)
