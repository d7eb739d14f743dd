"""Correct results against their bounds: ``python tests/reference/soundness.py [--help]``.

For each dtype draws cases until so many elements have been compared of each correct
implementation. Of results these are torch, and NumPy rounding every stored quantity, with sums in
order and in reverse order; of gradients torch's autograd of the LSTM and of cells stacked by hand.
Prints the largest and median share of the bound and, of results, how many
``torch.testing.assert_close`` rejects with its defaults. Exits with 1 if a correct value is above
its bound.
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

from conformance.implementations.loading import load
from conformance.implementations.pytorch.tensors import to_tensor
from reference import (
    DTYPES,
    Array,
    Case,
    DType,
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


class Tally:
    """Shares of the bound and rejections of one implementation in one dtype."""

    def __init__(self) -> None:
        self.shares: list[Array] = []
        self.elements = self.unclaimed = self.results = self.rejected = 0
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
            f"{self.elements:9d} elements, {unclaimed:5.1%} more without a claim; share of bound: "
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


def results(case: Case) -> tuple[Named, Named, Named]:
    """The true results, their bounds, and the nearest numbers of the dtype."""
    evaluated = trace(case)
    nearest = rounded(evaluated.result, case.dtype)
    bound = forward_bound(evaluated)
    return dict(evaluated.result.items()), dict(bound.items()), dict(nearest.items())


def gradients(case: Case) -> tuple[Named, Named, Named]:
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
    lstm = load("torch.nn.LSTM")
    return {
        "torch.nn.LSTM": lambda c: dict(lstm.run(c).items()),
        "NumPy, rounded": lambda c: dict(RoundedLSTM(dtype)(c).items()),
        "NumPy, sums reversed": lambda c: dict(RoundedLSTM(dtype, backwards=True)(c).items()),
    }


def main() -> int:
    """Run and print; 0 if every correct value was within its bound."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gradients", action="store_true", help="of gradients, not of results")
    parser.add_argument("--elements", type=int, help="a million of results, 200,000 of gradients")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    elements = options.elements or (200_000 if options.gradients else 1_000_000)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    small = {"hidden_size": (1, 16), "input_size": (1, 16)} if options.gradients else {}
    sound = True
    for name, dtype in DTYPES.items():
        under_test = implementations(dtype, options.gradients)
        tallies = {what: Tally() for what in under_test}
        for case in cases(name, options.seed, **small):
            true, bound, nearest = (gradients if options.gradients else results)(case)
            for what, run in under_test.items():
                tallies[what].add(run(case), true, bound, nearest)
            if min(tally.elements for tally in tallies.values()) >= elements:
                break
        for what, tally in tallies.items():
            print(f"{name:9s} {what:21s} {tally.line()}", flush=True)
            sound = sound and tally.sound
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
