"""Count the faulty LSTMs that the suite catches, and those that other ways of testing catch.

    python tests/faults/rivals.py [--seed N] [--write] [NAME ...]

The faults are those in what a ``torch.nn.LSTM`` computes and in its gradients. The suite is the
requirement that each names, with the quick profile; the others are in comparisons.py. All run on
the same classes in one run; right LSTMs must pass them all.

Exit status 1 if the suite misses a fault, or if a right LSTM fails anywhere.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[2])

import torch

from conformance.implementations.pytorch.modules import set_exact_arithmetic
from tests.faults.board import SEED, fingerprint
from tests.faults.comparisons import module_info_samples, onnx_node_settings, random_normal_inputs
from tests.faults.plain import PlainLSTM
from tests.faults.verifying import caught, verify
from tests.faults.zoo import FAMILIES, Fault

RIVALS = Path(__file__).with_name("RIVALS.md")
RIGHT: tuple[type[Any], ...] = (PlainLSTM, torch.nn.LSTM)
COMPUTING = (
    *("equations", "states", "layers", "directions", "layout", "batch", "lengths"),
    *("gradients", "numerics"),
)
"""The families of faults in results and gradients."""
FAULTY: dict[str, list[Fault]] = {
    family: [fault for fault in FAMILIES[family] if issubclass(fault, torch.nn.LSTM)]
    for family in COMPUTING
}
Test = Callable[[type[Any]], None]
EVERYTHING: list[Fault] = [fault for faults in FAULTY.values() for fault in faults]
OTHERS: dict[str, Test] = {
    "ModuleInfo samples": module_info_samples,
    "random normal inputs": random_normal_inputs,
    "ONNX node settings": onnx_node_settings,
}
SUITE = "this suite"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these faults")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true", help=f"write {RIVALS.name}")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - {cls.__name__ for cls in (*RIGHT, *EVERYTHING)}
    if unknown:
        parser.error(f"no fault in results or gradients is named {', '.join(sorted(unknown))}")
    if options.write and options.names:
        parser.error("--write needs all faults")
    set_exact_arithmetic()
    stamp = fingerprint(EVERYTHING, {})
    wanted = [f for f in EVERYTHING if not options.names or f.__name__ in options.names]
    right = [cls for cls in RIGHT if not options.names or cls.__name__ in options.names]
    tasks = [(cls, options.seed) for cls in (*right, *wanted)]
    with multiprocessing.get_context("fork").Pool(options.workers) as pool:
        results = pool.imap(tried, tasks)
        found: dict[str, dict[str, bool]] = {}
        for (cls, _), catches in zip(tasks, results, strict=True):
            found[cls.__name__] = catches
            print(f"{cls.__name__:42} {', '.join(k for k, v in catches.items() if v) or '-'}")
    problems = found_problems(found)
    print(counted(found, wanted), *problems, sep="\n")
    if options.write:
        RIVALS.write_text(markdown(found, stamp), encoding="utf-8")
    return 1 if problems else 0


def tried(task: tuple[type[Any], int]) -> dict[str, bool]:
    """By which of all ways the class is caught; a right LSTM is not shown to the suite."""
    cls, seed = task
    catches = {}
    if cls not in RIGHT:
        catches[SUITE] = caught(verify(cls, cls.caught_by, seed))
    for name, test in OTHERS.items():
        catches[name] = fails(test, cls)
    return catches


def fails(test: Test, cls: type[Any]) -> bool:
    """Whether the test raises for the class."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            test(cls)
        except ModuleNotFoundError:
            raise
        except Exception:
            return True
    return False


def found_problems(found: dict[str, dict[str, bool]]) -> list[str]:
    """What makes the comparison a failure."""
    right = [cls.__name__ for cls in RIGHT]
    problems = [
        f"{name} is right and fails {way}"
        for name in right
        for way, catches in found.get(name, {}).items()
        if catches
    ]
    return problems + [
        f"{name} is not caught by this suite"
        for name, catches in found.items()
        if name not in right and not catches[SUITE]
    ]


def counted(found: dict[str, dict[str, bool]], wanted: Sequence[Fault]) -> str:
    """The four numbers."""
    totals = Counter(
        way for fault in wanted for way, catches in found[fault.__name__].items() if catches
    )
    return "\n".join(
        f"{totals[way]:4} of {len(wanted)} caught by {way}" for way in (SUITE, *OTHERS)
    )


def row(label: str, found: dict[str, dict[str, bool]], faults: Sequence[Fault]) -> str:
    """How many of some faults each way catches, as a row of a table."""
    counts = (sum(found[fault.__name__][way] for fault in faults) for way in (SUITE, *OTHERS))
    return f"| {label} | {len(faults)} | {' | '.join(map(str, counts))} |"


def markdown(found: dict[str, dict[str, bool]], stamp: str) -> str:
    """RIVALS.md; `stamp` is the fingerprint of the faults that were compared."""
    missed = [
        fault.__name__
        for fault in EVERYTHING
        if not any(found[fault.__name__][way] for way in OTHERS)
    ]
    lines = [
        "# The same faulty LSTMs, tested in other ways",
        "",
        "Written by `python tests/faults/rivals.py --write`, which runs everything below on the "
        "same classes: the faults in what a `torch.nn.LSTM` computes and in its gradients. "
        "[comparisons.py](comparisons.py) says what exactly each of the other ways is. Both "
        f"{' and '.join(f'`{cls.__name__}`' for cls in RIGHT)}, which are right, pass them all. "
        f"Fingerprint of the faults: `{stamp}`.",
        "",
        f"| faults | all | {' | '.join((SUITE, *OTHERS))} |",
        "|---" * (3 + len(OTHERS)) + "|",
        *(row(family, found, faults) for family, faults in FAULTY.items()),
        row("**all**", found, EVERYTHING),
        "",
        f"Caught by this suite alone: {', '.join(missed)}.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
