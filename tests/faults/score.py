"""Verify every faulty LSTM against every requirement, and tell which catches which.

    python tests/faults/score.py [--seed N] [--named] [--write] [--json FILE] [NAME ...]

Each requirement that a fault names has the quick profile of 20 cases, the others have 5.

Exit status 1 if a fault is not caught by the requirement that it names, or if a requirement
catches nothing.
"""

from __future__ import annotations

import argparse
import json
import secrets
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from conformance import REQUIREMENTS
from conformance.torch_modules import set_exact_arithmetic
from tests.faults import uncaught
from tests.faults.verifying import CUDA, BrokeTheSuite, Examined, caught, examine, size, undecidable
from tests.faults.zoo import FAMILIES, FAULTS, Fault, known_bugs

SCORE = Path(__file__).with_name("SCORE.md")
SEED = 0
"""The seed that SCORE.md is written with."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these faults")
    parser.add_argument("--seed", type=int, help=f"default: random, with --write {SEED}")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--named", action="store_true", help="only the requirement each names")
    parser.add_argument("--write", action="store_true", help=f"write {SCORE.name}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything found")
    options = parser.parse_args(arguments)
    seed = options.seed
    if seed is None:
        seed = SEED if options.write else secrets.randbelow(2**32)
    faults = [fault for fault in FAULTS if not options.names or fault.__name__ in options.names]
    set_exact_arithmetic()
    started = time.perf_counter()
    scores: dict[Fault, Examined] = {}
    for examined in examine(faults, seed, options.workers, options.named):
        scores[examined.fault] = examined
        print(line(examined), flush=True)
    everything = [scores[fault] for fault in faults if fault in scores]
    skipped = [fault for fault in faults if undecidable(fault)]
    problems = found_problems(everything, all_of_them=not (options.names or options.named))
    print(summary(everything, skipped, time.perf_counter() - started, seed))
    print("\n".join(problems))
    if options.json:
        options.json.write_text(json.dumps([as_json(each) for each in everything], indent=1))
    if options.write and not (options.names or options.named):
        SCORE.write_text(markdown(everything, skipped), encoding="utf-8")
    return 1 if problems else 0


def line(examined: Examined) -> str:
    """One fault for the terminal."""
    verdict = examined.named
    assert verdict is not None
    name = f"{examined.fault.__name__:42} {examined.fault.caught_by:48}"
    if not caught(verdict):
        return f"{name} NOT CAUGHT by it; caught by {', '.join(examined.catchers) or 'none'}"
    measured = size(verdict)
    what = "" if measured is None else f"{measured[0]} non-zero, sizes <= {measured[1]}"
    late = " (default profile)" if examined.late else ""
    return f"{name} case {verdict.cases:3}{late} {what}; {len(examined.catchers)} requirements"


def found_problems(everything: Sequence[Examined], all_of_them: bool) -> list[str]:
    """What makes the score a failure."""
    problems = [
        f"{each.fault.__name__} is not caught by {each.fault.caught_by}"
        for each in everything
        if not caught(each.named)
    ]
    problems += [
        f"{each.fault.__name__} breaks the suite in {name}: {verdict.reason}"
        for each in everything
        for name, verdict in each.verdicts.items()
        if isinstance(verdict, BrokeTheSuite)
    ]
    if all_of_them:
        catching = {name for each in everything for name in each.catchers}
        idle = [name for name in REQUIREMENTS if name not in catching]
        problems += [f"{name} catches nothing" for name in idle if name not in CUDA]
    return problems


def summary(
    everything: Sequence[Examined], skipped: Sequence[Fault], seconds: float, seed: int
) -> str:
    """How many, how soon, and how small the counterexamples are."""
    hits = [each for each in everything if caught(each.named)]
    measured = [size(each.named) for each in hits if each.named is not None]
    sizes = [each for each in measured if each is not None]
    cases = [each.named.cases for each in hits if each.named is not None]
    first = [each.seconds for each in hits]
    lines = [
        f"{len(hits)} of {len(everything)} faults caught by the requirement they name, "
        f"{sum(each.late for each in everything)} of them in the default profile only; "
        f"{len(skipped)} need a device that is not present; seed {seed}, {seconds:.0f} s",
    ]
    if hits:
        lines.append(
            f"median {statistics.median(first):.2f} s to a red with its counterexample shrunk, "
            f"{statistics.median(cases):.0f} cases until the first red"
        )
    if sizes:
        few = sum(nonzero <= 8 for nonzero, _ in sizes) / len(sizes)
        short = sum(longest <= 3 for _, longest in sizes) / len(sizes)
        lines.append(
            f"counterexamples: {few:.0%} with at most 8 non-zero numbers, "
            f"{short:.0%} with all sizes at most 3"
        )
    return "\n".join(lines)


def as_json(examined: Examined) -> dict[str, Any]:
    """All that was found on one fault."""
    return {
        "fault": examined.fault.__name__,
        "confession": examined.fault.__doc__,
        "bug": examined.fault.bug.split(),
        "caught_by": examined.fault.caught_by,
        "late": examined.late,
        "size": size(examined.named) if examined.named is not None else None,
        "verdicts": {name: each.to_json() for name, each in examined.verdicts.items()},
    }


def row(fault: Fault, catchers: str) -> str:
    """A row of SCORE.md."""
    bugs = known_bugs()
    links = []
    for bug in fault.bug.split():
        url = bugs[bug]["url"]
        links.append(f"[{bug}]({url})" if url else bug)
    bug = ", ".join(links) or "-"
    return f"| {fault.__name__} | {fault.__doc__} | {bug} | {fault.caught_by} | {catchers} |"


def markdown(everything: Sequence[Examined], skipped: Sequence[Fault]) -> str:
    """SCORE.md: what is the same in every run."""
    scores = {each.fault: each for each in everything}
    counts = Counter(name for each in everything for name in each.catchers)
    known = sum(bool(fault.bug) for fault in FAULTS)
    lines = [
        "# Faulty LSTMs and the requirements that catch them",
        "",
        f"Written by `python tests/faults/score.py --write` with seed {SEED}: 20 cases for the "
        "requirement that a fault names, 5 for each of the others, which may catch more than is "
        f"counted here. {len(everything)} faulty LSTMs were verified; {len(skipped)} more need a "
        f"CUDA device. {known} of all stand for faults that real implementations have had, or that "
        "are typical of hand-written ones (bugs.tsv).",
    ]
    for family, faults in FAMILIES.items():
        lines += ["", f"## {family}", ""]
        lines += ["| fault | confession | known as | caught by | requirements that catch it |"]
        lines += ["|---|---|---|---|---|"]
        for fault in faults:
            lines.append(row(fault, catchers(fault, scores)))
    lines += ["", "## Requirements", "", "| requirement | faults it catches |", "|---|---|"]
    for name in REQUIREMENTS:
        lines.append(f"| {name} | {'needs CUDA' if name in CUDA else counts[name]} |")
    missing = uncaught_faults()
    if missing:
        lines += ["", "## Not caught yet", "", "| fault | confession | what is missing |"]
        lines += ["|---|---|---|"]
        lines += [f"| {f.__name__} | {f.__doc__} | {f.missing} |" for f in missing]
    return "\n".join(lines) + "\n"


def catchers(fault: Fault, scores: dict[Fault, Examined]) -> str:
    if fault not in scores:
        return "needs CUDA"
    alone = fault in FAMILIES["crashes"]
    return "only that one tried" if alone else str(len(scores[fault].catchers))


def uncaught_faults() -> list[Fault]:
    return [
        each
        for each in vars(uncaught).values()
        if isinstance(each, type) and "missing" in vars(each)
    ]


if __name__ == "__main__":
    sys.exit(main())
