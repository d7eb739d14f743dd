"""Verify every right LSTM: ``python tests/right/false_alarms.py [--help]``.

Prints what each one fails, and exits with 1 if that is a must. What is decided in the thorough
profile only is left out, unless it is named.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from conformance import PROFILES, REQUIREMENTS, Budget, check
from conformance.implementations.pytorch.modules import set_exact_arithmetic
from tests.faults.examining import DEAR, Examined, Found, Job, examine
from tests.right.everyone import RIGHT, implementation


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these")
    parser.add_argument("--requirement", action="append", metavar="NAME", help="only this one")
    parser.add_argument("--cases", type=int, default=PROFILES["quick"], help="as in quick")
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    parser.add_argument("--seeds", type=int, default=1, help="how many")
    parser.add_argument("--cheap", action="store_true", help="not at real sizes, nor many calls")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    unknown = set(options.names) - set(RIGHT) | set(options.requirement or ()) - set(REQUIREMENTS)
    if unknown:
        parser.error(f"there is no {' and no '.join(sorted(unknown))}")
    asked = options.requirement or affordable(options.cheap)
    set_exact_arithmetic()
    started, alarms = time.perf_counter(), 0
    for seed in range(options.seed, options.seed + options.seeds):
        budget = Budget(options.cases, seed)
        jobs = [job(name, budget, asked) for name in options.names or RIGHT]
        for examined in examine(jobs, options.workers):
            alarms += told(examined, seed)
    print(f"{alarms} false alarms, {time.perf_counter() - started:.0f} s")
    return 1 if alarms else 0


def affordable(cheap: bool) -> list[str]:
    """List what is not decided in the thorough profile only, or the `cheap` ones of that."""
    dear = {key for key, each in REQUIREMENTS.items() if each.costly} | set(DEAR * cheap)
    return [key for key in REQUIREMENTS if key not in dear]


def job(name: str, budget: Budget, asked: Sequence[str]) -> Job:
    """Verify one right LSTM by the requirements `asked` for."""
    right = implementation(name)

    def decide(requirement: str) -> Found:
        return check(REQUIREMENTS[requirement], right, "cpu", budget), None

    return Job(Examined(name), list(asked), decide)


def told(examined: Examined, seed: int) -> int:
    """Print what an LSTM fails; returns how many musts."""
    musts = 0
    for name, verdict in examined.verdicts.items():
        if not verdict.conformant:
            must = not REQUIREMENTS[name].should
            musts += must
            print(f"{examined.name}, seed {seed}: {'MUST' * must or 'should'} {name}")
            print(*verdict.lines()[:12] if must else [verdict.reason[:100]], sep="\n", flush=True)
    print(f"{examined.name}, seed {seed}: {len(examined.verdicts)} requirements", flush=True)
    return musts


if __name__ == "__main__":
    sys.exit(main())
