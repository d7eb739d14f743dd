"""How much processor time and memory `judge` takes, at four sizes.

``python tests/conformance/judgement/sizes.py`` prints the table, and with ``--write`` writes
SIZES.md. Each size runs in a process of its own. `--up-to N` takes the first N sizes only.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[3])

PAGE = Path(__file__).with_name("SIZES.md")
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
    from conformance import load
    from conformance.judgement.comparing import compared
    from conformance.judgement.judging import judge_results
    from conformance.judgement.observing import observed
    from tests.support.kernels import made

    _, sizes, options = SIZES[index]
    case = made(sizes, **options)
    lstm = load("torch.nn.LSTM")
    times = [time.process_time()]
    results = observed(lstm, case)
    times.append(time.process_time())
    answer = judge_results("torch.nn.LSTM", case, results)
    times.append(time.process_time())
    compared([answer])
    times.append(time.process_time())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    parts = " | ".join(f"{after - before:.1f}" for before, after in itertools.pairwise(times))
    print(f"{answer.verdict.outcome} | {parts} | {peak:.2f}")


def page(count: int) -> str:
    """Make the page."""
    lines = [
        "# How much `judge` takes",
        "",
        "`torch.nn.LSTM` in float32: seconds of processor time to compute each layer, to judge it,",
        "and to estimate how sensitive the LSTM is to rounding; and the peak memory of the process",
        "in GiB. `python tests/conformance/judgement/sizes.py --write` writes this page.",
        "",
        "| size | verdict | computed | judged | estimated | memory |",
        "|---|---|---|---|---|---|",
    ]
    for index, (text, _, _) in enumerate(SIZES[:count]):
        command = [sys.executable, str(Path(__file__).resolve()), "--one", str(index)]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
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
