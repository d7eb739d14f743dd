"""Correct results against their bounds: ``python tests/reference/soundness.py [--help]``.

For each dtype draws cases until so many elements have been compared of each correct
implementation. Of results these are torch, and NumPy rounding every stored quantity, with sums in
order and in reverse order; of gradients torch's autograd of the LSTM and of cells stacked by hand.
Prints the largest and median share of the bound, for how many elements it says nothing (one above 1
for a result, one that is as large as the gradient itself for a gradient) and, of results, how many
``torch.testing.assert_close`` rejects with its defaults. Exits with 1 if a correct value is above
its bound.

Cases are those that the suite draws. Results of one layer are judged by the smaller of two bounds,
as the suite does; with ``--whole`` by the bound of :func:`reference.forward_bound` alone. With
``--real`` cases have the sizes of networks that are really used, and are judged step by step. With
``--stepwise`` gradients are judged step by step, in the short cases of dtypes of 16 bits.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from conformance.checking.truth import is_small, judged
from conformance.implementations.loading import load
from conformance.requirements.helpers.gradients import CASES
from conformance.requirements.stepwise_gradients import SHORT, seen_through
from reference import (
    DTYPES,
    Case,
    DType,
    Result,
    backward,
    forward_bound,
    gradient_bound,
    rounded,
    trace,
)
from reference.local_gradients import local_gradient_bound
from strategies import lstm_cases
from strategies.search import search
from tests.reference import autograd
from tests.reference.rounded import RoundedLSTM
from tests.reference.tally import Named, Tally

Run = Callable[[Case], Named]
BATCH = 20
"""Cases drawn at once, and kept in memory; at real sizes each has up to a million weights."""
RIGHT = load("torch.nn.LSTM")
REAL: dict[str, Any] = {
    "work": 2**25,
    "hidden_size": (34, 1024),
    "input_size": (15, 1024),
    "batch_size": (1, 512),
    "seq_len": (1, 1000),
    "num_layers": (1, 1),
    "weights": ["default", "small", "unit"],
}
"""The options of cases of real sizes."""


def cases(seed: int, **options: Any) -> Iterator[Case]:
    """Cases without end, drawn as for requirements: they depend on the seed alone."""
    while True:
        drawn: list[Case] = []
        search(lstm_cases(**options), drawn.append, seed=str(seed), max_examples=BATCH)
        yield from drawn
        seed += 1


def _options(of_requirement: Mapping[str, Any]) -> dict[str, Any]:
    """Those among the arguments of a requirement that limit its cases."""
    return {k: v for k, v in of_requirement.items() if k not in ("level", "share_of_cases")}


def results(case: Case, got: Named) -> tuple[Named, Named, Named]:
    """What each result should be, its bounds, and the nearest numbers of the dtype."""
    known = judged(RIGHT, case, Result(got["output"], got["h_n"], got["c_n"]))
    nearest = {} if not is_small(case) else dict(rounded(trace(case).result, case.dtype).items())
    return dict(known.result.items()), dict(known.bound.items()), nearest


def whole(case: Case, _: Named) -> tuple[Named, Named, Named]:
    """As :func:`results`, by the bound that is carried through all steps alone."""
    evaluated = trace(case)
    nearest = rounded(evaluated.result, case.dtype)
    bound = forward_bound(evaluated)
    return dict(evaluated.result.items()), dict(bound.items()), dict(nearest.items())


def gradients(case: Case, _: Named) -> tuple[Named, Named, Named]:
    """The true gradients and their bounds."""
    evaluated, cotangents = trace(case), autograd.random_cotangents(case)
    return backward(evaluated, cotangents), gradient_bound(evaluated, cotangents), {}


def stepwise(case: Case, got: Named) -> tuple[Named, Named, Named]:
    """As :func:`gradients`, each step from the output and the gradients of the step before."""
    given = got["output"], got["input"], autograd.random_cotangents(case)
    return *local_gradient_bound(case, *given), {}


def implementations(dtype: DType, what: str) -> dict[str, Run]:
    """What is compared, by name."""
    if what == "gradients":
        return {
            "torch.nn.LSTM": lambda c: autograd.of_module(c, autograd.random_cotangents(c)),
            "stacked cells": lambda c: autograd.of_cells(c, autograd.random_cotangents(c)),
        }
    if what == "stepwise":
        return {
            "torch.nn.LSTM": lambda c: {
                **autograd.of_module(c, autograd.random_cotangents(c)),
                "output": RIGHT.run(c).output,
            }
        }
    return {
        "torch.nn.LSTM": lambda c: dict(RIGHT.run(c).items()),
        "NumPy, rounded": lambda c: dict(RoundedLSTM(dtype)(c).items()),
        "NumPy, sums reversed": lambda c: dict(RoundedLSTM(dtype, backwards=True)(c).items()),
    }


Judge = Callable[[Case, Named], tuple[Named, Named, Named]]
MEASURED: dict[str, tuple[Judge, str, Mapping[str, Any]]] = {
    "results": (results, "results, by the smaller bound; the default", {}),
    "whole": (whole, "results, by the carried bound alone", {}),
    "real": (results, "results at sizes that are really used", REAL),
    "gradients": (gradients, "gradients", _options(CASES)),
    "stepwise": (
        stepwise,
        "gradients in 16 bits, judged step by step",
        _options({"bidirectional": False, **SHORT}),
    ),
}
"""By option, how it is judged, what it is, and the options of the cases."""


def measured(what: str, dtype: str, elements: int, seed: int) -> dict[str, Tally]:
    """Compare so many elements, of each implementation, with `what` of :data:`MEASURED`."""
    judge, _, drawn = MEASURED[what]
    under_test = implementations(DTYPES[dtype], what)
    tallies = {each: Tally() for each in under_test}
    for case in cases(seed, **{**drawn, "dtypes": dtype}):
        given = seen_through(case) if what == "stepwise" else case
        for each, run in under_test.items():
            got = run(given)
            tallies[each].add(got, *judge(given, got))
        if min(tally.elements for tally in tallies.values()) >= elements:
            break
    return tallies


def main() -> int:
    """Run and print; 0 if every correct value was within its bound."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--elements", type=int, help="a million of results, 200,000 of gradients")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dtype", choices=DTYPES, help="only this one")
    which = parser.add_mutually_exclusive_group()
    for what, (_, meaning, _) in MEASURED.items():
        which.add_argument(f"--{what}", dest="what", action="store_const", const=what, help=meaning)
    options = parser.parse_args()
    what = options.what or "results"
    judge, _, drawn = MEASURED[what]
    elements = options.elements or (200_000 if judge in (gradients, stepwise) else 1_000_000)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    sound = True
    for dtype in drawn.get("dtypes", DTYPES):
        if options.dtype in (None, dtype):
            for each, tally in measured(what, dtype, elements, options.seed).items():
                print(f"{dtype:9s} {each:21s} {tally.line()}", flush=True)
                sound = sound and tally.sound
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
