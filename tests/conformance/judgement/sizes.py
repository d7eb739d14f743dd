"""How much processor time and memory `judge` takes, at four sizes.

``python tests/conformance/judgement/sizes.py`` prints the table, and with ``--write`` writes
SIZES.md. Each size runs in a process of its own. `--up-to N` takes the first N sizes only.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[3])

T = TypeVar("T")
PAGE = Path(__file__).with_name("SIZES.md")
ROWS = 512
"""Rows of the bare product that is timed, and multiplied by how many times as many there are."""
SIZES: tuple[tuple[str, tuple[int, ...], dict[str, Any]], ...] = (
    ("1 layer of 128, 100 steps, 4 rows", (64, 128, 100, 4), {}),
    ("3 layers of 256, 160 steps, 8 rows", (40, 256, 160, 8), {"num_layers": 3}),
    (
        "2 layers of 512, both ways, 400 steps, 16 rows",
        (128, 512, 400, 16),
        {"num_layers": 2, "bidirectional": True},
    ),
    (
        "4 layers of 1024, both ways, 1000 steps, 32 rows",
        (256, 1024, 1000, 32),
        {"num_layers": 4, "bidirectional": True},
    ),
)
"""What is said of each size, and its arguments."""


def one(index: int) -> None:
    """Judge one size in this process; print the seconds of each part, and the peak in GiB."""
    import numpy as np

    from conformance import load
    from conformance.judgement.comparing import compared
    from conformance.judgement.judging import collected, computed, judge_results
    from conformance.judgement.verdict import NoResult
    from tests.support.kernels import made

    _, sizes, options = SIZES[index]
    case = made(sizes, **options)
    lstm = load("torch.nn.LSTM")
    columns: list[str] = []

    def timed(work: Callable[[], T], walls: bool = False, times: float = 1.0) -> T:
        before = time.process_time(), time.perf_counter()
        done = work()
        spent, passed = time.process_time() - before[0], time.perf_counter() - before[1]
        columns.append(f"{spent * times:.1f}" + (f", {passed:.1f} by the clock" if walls else ""))
        return done

    results = timed(lambda: collected(computed(lstm, case)))
    assert not isinstance(results, NoResult)
    answer = timed(lambda: judge_results("torch.nn.LSTM", case, results), walls=True)
    group = timed(lambda: compared([answer]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    shapes = [s for s in case.configuration.parameter_shapes().values() if len(s) == 2]
    factors = [(np.ones((ROWS, terms)), np.ones((terms, gates))) for gates, terms in shapes]
    timed(
        lambda: [np.matmul(*each) for each in factors],
        times=case.seq_len * case.batch_size / ROWS,
    )
    share, steps = answer.verdict.shown(".2g"), (group and group.first) or "all"
    print(f"{answer.verdict.outcome}, {share} | {' | '.join(columns[:3])}, {steps} steps ", end="")
    print(f"| {columns[3]} | {peak:.2f}")


def page(count: int) -> str:
    """Make the page, of the first `count` sizes."""
    fewer = "" if count == len(SIZES) else f" --up-to {count}"
    lines = [
        "# How much `judge` takes",
        "",
        "`torch.nn.LSTM` in float32: seconds of processor time to compute the network and each",
        "lower layer, to judge all layers, and to estimate how sensitive the LSTM is to rounding;",
        "beside them, the seconds that the matrix products of one forward pass take alone, in",
        "float64; and the peak memory of the process in GiB, the computation included. NumPy and",
        "PyTorch use one thread, and large layers are judged in two. The clock also counts what",
        "other programs did on the machine, which was shared.",
        f"`python tests/conformance/judgement/sizes.py --write{fewer}` writes this page.",
        "",
        "| size | verdict | computed | judged | estimated, on | products | memory |",
        "|---|---|---|---|---|---|---|",
    ]
    for index, (text, _, _) in enumerate(SIZES[:count]):
        command = [sys.executable, str(Path(__file__).resolve()), "--one", str(index)]
        alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        run = subprocess.run(command, capture_output=True, text=True, check=True, env=alone)
        lines.append(f"| {text} | {run.stdout.strip()} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write SIZES.md")
    parser.add_argument("--one", type=int, help="measure one size in this process")
    parser.add_argument("--up-to", type=int, default=len(SIZES), help="the number of sizes")
    asked = parser.parse_args()
    if asked.one is not None:
        one(asked.one)
        sys.exit()
    text = page(asked.up_to)
    if asked.write:
        PAGE.write_text(text, encoding="utf-8")
    print(text)
