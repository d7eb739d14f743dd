"""Correct results against their bounds: ``python tests/reference/soundness.py [--help]``.

For each dtype draws cases until so many elements have been compared of each correct
implementation. Of results these are torch, and NumPy rounding every stored quantity, with sums in
order and in reverse order; of gradients torch's autograd of the LSTM and of cells stacked by hand.
Prints the largest and median share of the bound, for how many elements it says nothing (one above 1
for a result, one that is as large as the gradient itself for a gradient) and, of results, how many
``torch.testing.assert_close`` rejects with its defaults. Exits with 1 if a correct value is above
its bound.

Results of one layer are judged by the smaller of two bounds, as the suite does; with ``--whole`` by
the bound of :func:`reference.forward_bound` alone. With ``--real`` cases have the sizes of networks
that are really used, and are judged step by step; ``--real --elements 10000000`` takes hours.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

sys.path.insert(0, str(Path(__file__).parents[2]))

from conformance.checking.comparison import is_small, judged
from conformance.implementations.loading import load
from conformance.implementations.pytorch.tensors import to_tensor
from reference import (
    DTYPES,
    RESULTS,
    Array,
    Case,
    DType,
    Result,
    backward,
    forward_bound,
    gradient_bound,
    rounded,
    trace,
)
from strategies import lstm_cases
from tests.reference import autograd
from tests.reference.rounded import RoundedLSTM

Named = Mapping[str, Array]
Run = Callable[[Case], Named]
BATCH = 200
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


class Tally:
    """Shares of the bound and rejections of one implementation in one dtype."""

    def __init__(self) -> None:
        self.shares: list[Array] = []
        self.elements = self.unclaimed = self.silent = self.results = self.rejected = 0
        self.informed = 0
        self.compared = False

    def add(self, got: Named, true: Named, bound: Named, nearest: Named) -> None:
        """Compare one result; `nearest` is the true one rounded, empty if it is not looked at."""
        for name, expected in true.items():
            with np.errstate(all="ignore"):
                error = np.abs(got[name].astype(expected.dtype) - expected).astype(np.float64)
                share = np.where(error == 0, 0, error / bound[name])
            claimed = np.isfinite(bound[name])
            self.elements += int(claimed.sum())
            self.unclaimed += int((~claimed).sum())
            of_gradient = name not in RESULTS
            limit = np.abs(expected).astype(np.float64) if of_gradient else np.ones(expected.shape)
            informed = (expected != 0) if of_gradient else np.ones(expected.shape, bool)
            self.silent += int((informed & ~(bound[name] < limit)).sum())
            self.informed += int(informed.sum())
            self.shares.append(share[claimed])
        self.results += 1
        self.compared = self.compared or bool(nearest)
        self.rejected += any(not _close(got[name], nearest[name]) for name in nearest)

    def line(self) -> str:
        """The figures, for print."""
        shares = np.concatenate(self.shares)
        unclaimed = self.unclaimed / (self.elements + self.unclaimed)
        rejected = f"; assert_close rejects {self.rejected} of {self.results}"
        return (
            f"{self.elements:9d} elements, {unclaimed:5.1%} more without a claim; "
            f"says nothing of {self.silent / max(1, self.informed):5.1%}; share of bound: "
            f"largest {shares.max():.3f}, median {np.median(shares):.1e}; above it "
            f"{int((shares > 1).sum())}{rejected if self.compared else ''}"
        )

    @property
    def sound(self) -> bool:
        """Whether nothing was above its bound."""
        return all(bool((share <= 1).all()) for share in self.shares)


def _close(got: Array, expected: Array) -> bool:
    try:
        torch.testing.assert_close(to_tensor(np.ascontiguousarray(got)), to_tensor(expected))
    except AssertionError:
        return False
    return True


def cases(dtype: str, seed: int, **options: Any) -> Iterator[Case]:
    """Cases without end."""
    while True:
        yield from _drawn(lstm_cases(dtypes=dtype, **options), seed)
        seed += 1


def _drawn(strategy: SearchStrategy[Case], seed: int) -> list[Case]:
    drawn: list[Case] = []

    @hypothesis.seed(seed)
    @settings(
        max_examples=BATCH,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def keep(case: Case) -> None:
        drawn.append(case)

    keep()
    return drawn


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


def implementations(dtype: DType, of_gradients: bool) -> dict[str, Run]:
    """What is compared, by name."""
    if of_gradients:
        return {
            "torch.nn.LSTM": lambda c: autograd.of_module(c, autograd.random_cotangents(c)),
            "stacked cells": lambda c: autograd.of_cells(c, autograd.random_cotangents(c)),
        }
    return {
        "torch.nn.LSTM": lambda c: dict(RIGHT.run(c).items()),
        "NumPy, rounded": lambda c: dict(RoundedLSTM(dtype)(c).items()),
        "NumPy, sums reversed": lambda c: dict(RoundedLSTM(dtype, backwards=True)(c).items()),
    }


def main() -> int:
    """Run and print; 0 if every correct value was within its bound."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gradients", action="store_true", help="of gradients, not of results")
    parser.add_argument("--elements", type=int, help="a million of results, 200,000 of gradients")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--whole", action="store_true", help="by the carried bound alone")
    parser.add_argument("--real", action="store_true", help="sizes that are really used")
    options = parser.parse_args()
    elements = options.elements or (200_000 if options.gradients else 1_000_000)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    drawn: dict[str, Any] = {}
    if options.gradients:
        drawn = {"hidden_size": (1, 16), "input_size": (1, 16)}
    elif options.real:
        drawn = REAL
    judge = gradients if options.gradients else whole if options.whole else results
    sound = True
    for name, dtype in DTYPES.items():
        under_test = implementations(dtype, options.gradients)
        tallies = {what: Tally() for what in under_test}
        for case in cases(name, options.seed, **drawn):
            for what, run in under_test.items():
                got = run(case)
                tallies[what].add(got, *judge(case, got))
            if min(tally.elements for tally in tallies.values()) >= elements:
                break
        for what, tally in tallies.items():
            print(f"{name:9s} {what:21s} {tally.line()}", flush=True)
            sound = sound and tally.sound
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
