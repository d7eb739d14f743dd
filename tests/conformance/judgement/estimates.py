"""How far right results are apart, beside how far they were expected to be.

``python tests/conformance/judgement/estimates.py`` prints the page, and with ``--write`` writes
ESTIMATES.md, in about two minutes. With ``--seed N`` the LSTMs are others. ONNX Runtime is left out
where it is not installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[3])

from conformance import Case, load
from conformance.judgement.sensitivity import Sensitivity, sensitivity
from reference import Arithmetic
from tests.support.kernels import ORDERS, Kernel, made

PAGE = Path(__file__).with_name("ESTIMATES.md")
WITHIN = 5.0
"""The factor within which an estimate is to be."""

SCALES = {
    "contracting": 0.3,
    "as initialised": 1.0,
    "as trained": 3.0,
    "amplifying": 8.0,
    "chaotic": 20.0,
}
SIZES: tuple[tuple[tuple[int, ...], dict[str, Any]], ...] = (
    ((8, 16, 40, 2), {}),
    ((16, 32, 100, 2), {}),
    ((25, 10, 209, 2), {}),
    ((16, 64, 80, 2), {"num_layers": 2}),
    ((12, 24, 60, 2), {"bidirectional": True, "num_layers": 2}),
    ((40, 128, 50, 2), {}),
)


def cases(seed: int = 0) -> Iterator[tuple[str, Case]]:
    """Yield 30 LSTMs: each kind in each size."""
    kinds = itertools.product(SCALES.items(), SIZES)
    for own, ((name, scale), (sizes, options)) in enumerate(kinds, 30 * seed):
        chosen: dict[str, Any] = {"scale": scale, "seed": own, **options}
        yield name, made(sizes, **chosen)


def apart(case: Case) -> tuple[float, float]:
    """How far two right implementations are apart in the output: in the mean, and at most."""
    implementations: list[Any] = [Kernel(order) for order in ORDERS] + [load("torch.nn.LSTM")]
    if importlib.util.find_spec("onnxruntime"):
        implementations.append(load("onnxruntime"))
    outputs = [each.run(case).output.astype(np.float64) for each in implementations]
    pairs = itertools.combinations(outputs, 2)
    differences = [float(np.abs(first - second).max()) for first, second in pairs]
    return float(np.mean(differences)), max(differences)


def measured(case: Case) -> tuple[Sensitivity, tuple[float, float]]:
    """The estimate, and what happens."""
    return sensitivity(case, Arithmetic.of(case.dtype)), apart(case)


def factors(estimate: Sensitivity, seen: tuple[float, float]) -> tuple[float, float]:
    """By which factors what is seen is larger than expected: in the mean, and at most."""
    return seen[0] / estimate.typical, seen[1] / estimate.largest


def page(seed: int = 0) -> str:
    """Make the page."""
    also = " and ONNX Runtime" if importlib.util.find_spec("onnxruntime") else ""
    lines = [
        "# How far right results are apart",
        "",
        "For 30 LSTMs in float32: by how much two right implementations were expected to differ in",
        "their output, in the mean and at most, and by how much two of several did. These are",
        f"kernels in NumPy that sum forwards, backwards and in lanes, PyTorch{also}. *Growth*",
        "is by how much the rounding of one step grows. The sizes of the errors in the estimate",
        "were settled while these 30 were looked at, so the table is no independent test of it.",
        "`python tests/conformance/judgement/estimates.py --write` writes this page, in a minute.",
        "",
        "| LSTM | | growth | expected | seen | factor | up to | seen at most | factor |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    found: list[float] = []
    for name, case in cases(seed):
        estimate, seen = measured(case)
        of_mean, of_most = factors(estimate, seen)
        found += [of_mean, of_most]
        lines.append(
            f"| {name} | {repr(case)[6:].partition(' no initial')[0]} | {estimate.growth:.1e} "
            f"| {estimate.typical:.1e} | {seen[0]:.1e} | {of_mean:.2f} "
            f"| {estimate.largest:.1e} | {seen[1]:.1e} | {of_most:.2f} |"
        )
    inside = sum(1 / WITHIN <= factor <= WITHIN for factor in found)
    lines += [
        "",
        f"Of these {len(found)} factors {inside} are between 1/{WITHIN:g} and {WITHIN:g}; they "
        f"are from {min(found):.2g} to {max(found):.2g}.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write ESTIMATES.md")
    parser.add_argument("--seed", type=int, default=0, help="draw other LSTMs")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    text = page(asked.seed)
    if asked.write:
        PAGE.write_text(text, encoding="utf-8")
    print(text)
