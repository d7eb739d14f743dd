"""Verify every faulty LSTM against every requirement, and tell which catches which.

    python tests/faults/score.py [--seed N] [--named] [--write] [--json FILE] [NAME ...]

The requirement that a fault names has the quick profile of 20 cases and shrinks what it finds, the
others have its first 2 cases, but for those of real sizes and of very many calls. Right LSTMs are
verified in the same run.

Exit status 1 if a fault is not caught by the requirement that it names, if a requirement catches
nothing, if a right LSTM fails one, if it takes more than 2 seconds until half of the faults are
caught, or if fewer than nine counterexamples in ten are small, apart from faults of real sizes.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from conformance import REQUIREMENTS
from conformance.implementations.pytorch.modules import set_exact_arithmetic
from tests.faults.board import SCORE, SEED, fingerprint, markdown
from tests.faults.examining import (
    RIGHT,
    BrokeTheSuite,
    Examined,
    draw_all,
    examine,
    fault_job,
    right_job,
)
from tests.faults.verifying import CUDA, caught, size, undecidable
from tests.faults.zoo import FAMILIES, FAULTS

FEW_NUMBERS, SMALL_SIZE = 8, 3
"""How many numbers of a small counterexample are not zero, and its largest size."""
SMALL_SHARE = 0.9
"""The share of counterexamples that must be small."""
SECONDS = 2.0
"""Within which half of the faults must be caught, each in a process that has started."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these faults")
    parser.add_argument("--seed", type=int, help=f"default: random, with --write {SEED}")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--named", action="store_true", help="only the requirement each names")
    parser.add_argument("--write", action="store_true", help=f"write {SCORE.name}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything found")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - {fault.__name__ for fault in FAULTS} - set(RIGHT)
    if unknown:
        parser.error(f"there is no fault named {', '.join(sorted(unknown))}")
    if options.write and (options.names or options.named):
        parser.error("--write needs all faults and all requirements")
    seed = options.seed
    if seed is None:
        seed = SEED if options.write else secrets.randbelow(2**32)
    wanted = [fault for fault in FAULTS if not options.names or fault.__name__ in options.names]
    faults = [fault for fault in wanted if not undecidable(fault)]
    right = [name for name in RIGHT if not options.names or name in options.names]
    set_exact_arithmetic()
    stamp = fingerprint()
    started = time.perf_counter()
    draw_all(seed)
    found: dict[str, Examined] = {}
    jobs = [right_job(name, seed) for name in right if not options.named]
    jobs += [fault_job(fault, seed, options.named) for fault in faults]
    for examined in examine(jobs, options.workers):
        found[examined.name] = examined
        print(line(examined), flush=True)
    everything = [found[fault.__name__] for fault in faults]
    passing = [found[name] for name in right if name in found]
    everybody = not (options.names or options.named)
    problems = found_problems(everything, passing, everybody)
    told = summary(everything, len(wanted) - len(faults))
    print(told, f"seed {seed}, {spent(started)}", *problems, sep="\n")
    if options.json:
        options.json.write_text(json.dumps([as_json(each) for each in found.values()], indent=1))
    if options.write:
        SCORE.write_text(markdown(everything, passing, told, stamp), encoding="utf-8")
    return 1 if problems else 0


def spent(started: float) -> str:
    """Seconds on the clock, and in all processors together."""
    used = os.times()
    cpu = used.user + used.system + used.children_user + used.children_system
    return f"{time.perf_counter() - started:.0f} s, {cpu:.0f} s of processors"


def line(examined: Examined) -> str:
    """One LSTM for the terminal: by what it is caught, each in which case."""
    verdict = examined.verdict
    others = ", ".join(
        f"{name} {examined.verdicts[name].cases}"
        for name in examined.catchers
        if name != examined.named
    )
    if not examined.named:
        return f"{examined.name:42} {f'FAILS {others}' if others else 'passes'}"
    name = f"{examined.name:42} {examined.named}"
    if verdict is None or not caught(verdict):
        return f"{name}: NOT CAUGHT by it; by {others or 'none'}"
    measured = size(verdict)
    what = "" if measured is None else f", {measured[0]} numbers, sizes <= {measured[1]}"
    also = f"\n    and {len(examined.catchers) - 1} more: {others}" if others else ""
    return f"{name}: case {verdict.cases} after {examined.red or 0:.2f} s{what}{also}"


def found_problems(
    everything: Sequence[Examined], right: Sequence[Examined], everybody: bool
) -> list[str]:
    """What makes the score a failure."""
    problems = [
        f"{each.name} is not caught by {each.named}"
        for each in everything
        if not caught(each.verdict)
    ]
    problems += [
        f"{each.name} breaks the suite in {name}: {verdict.reason}"
        for each in (*everything, *right)
        for name, verdict in each.verdicts.items()
        if isinstance(verdict, BrokeTheSuite)
    ]
    problems += [
        f"{each.name} is right and does not pass {name}: {verdict.outcome}"
        for each in right
        for name, verdict in each.verdicts.items()
        if not verdict.conformant
    ]
    if everybody:
        catching = {name for each in everything for name in each.catchers}
        idle = [name for name in REQUIREMENTS if name not in catching]
        problems += [f"{name} catches nothing" for name in idle if name not in CUDA]
        if median_red(everything) > SECONDS:
            problems.append(f"the median first red takes more than {SECONDS} s")
        if small_share(everything) < SMALL_SHARE:
            problems.append(f"fewer than {SMALL_SHARE:.0%} of the counterexamples are small")
    return problems


def median_red(everything: Sequence[Examined]) -> float:
    """Seconds until half of the faults had failed the requirement that they name."""
    return statistics.median(each.red or 0.0 for each in everything)


def sizes(everything: Sequence[Examined]) -> list[tuple[int, int]]:
    """Of every counterexample; of a process that ended there may be none."""
    measured = [size(each.verdict) for each in everything if each.verdict is not None]
    return [each for each in measured if each is not None]


def small_share(everything: Sequence[Examined]) -> float:
    """The share of counterexamples with few numbers and small sizes.

    Faults of real sizes are left out: they do not show in a small case.
    """
    measured = sizes([each for each in everything if each.fault not in FAMILIES["sizes"]])
    small = [each for each in measured if each[0] <= FEW_NUMBERS and each[1] <= SMALL_SIZE]
    return len(small) / max(1, len(measured))


def summary(everything: Sequence[Examined], undecided: int) -> str:
    """How many, how soon, and how small the counterexamples are; a line for each."""
    hits = [each for each in everything if each.verdict is not None and caught(each.verdict)]
    lines = [
        f"{len(hits)} of {len(everything)} faults caught by the requirement they name, "
        f"with the quick profile; {undecided} more need a CUDA device"
    ]
    if hits:
        cases = statistics.median(each.verdict.cases for each in hits if each.verdict)
        lines.append(f"first red: median {median_red(hits):.2f} s, in case {cases:.0f}")
    measured = sizes(hits)
    if measured:
        few = sum(numbers <= FEW_NUMBERS for numbers, _ in measured) / len(measured)
        short = sum(largest <= SMALL_SIZE for _, largest in measured) / len(measured)
        lines.append(
            f"counterexamples: {few:.1%} with at most {FEW_NUMBERS} numbers that are not zero, "
            f"{short:.1%} with all sizes at most {SMALL_SIZE}, {small_share(hits):.1%} with both "
            "where the fault shows in small cases at all"
        )
    return "\n".join(lines)


def as_json(examined: Examined) -> dict[str, Any]:
    """All that was found on one LSTM."""
    fault = examined.fault
    return {
        "name": examined.name,
        "confession": fault.__doc__ if fault else None,
        "bug": fault.bug.split() if fault else [],
        "caught_by": examined.named,
        "red": examined.red,
        "size": size(examined.verdict) if examined.verdict is not None else None,
        "verdicts": {name: each.to_json() for name, each in examined.verdicts.items()},
    }


if __name__ == "__main__":
    sys.exit(main())
