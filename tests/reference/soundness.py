"""Correct results against their bounds: ``python tests/reference/soundness.py [ELEMENTS [SEED]]``.

For each dtype draws cases until so many elements (a million unless given) have been compared of
each of three correct implementations: torch, and NumPy rounding every stored quantity, with sums
in order and in reverse order. Prints the largest and median share of the bound, and how many of
the same correct results ``torch.testing.assert_close`` rejects with its defaults. Exits with 1 if
a correct result is above its bound.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import hypothesis
import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given, settings

sys.path.insert(0, str(Path(__file__).parents[2]))

from conformance.loading import load
from conformance.tensors import to_tensor
from reference import DTYPES, Case, Result, forward_bound, rounded, trace
from strategies import lstm_cases
from tests.reference.rounded import RoundedLSTM

BATCH = 200


class Tally:
    """Shares of the bound and rejections of one implementation in one dtype."""

    def __init__(self) -> None:
        self.shares: list[np.ndarray] = []
        self.elements = self.unclaimed = self.results = self.rejected = 0

    def add(self, got: Result, truth: Result, bound: Result, case: Case) -> None:
        """Compare one result."""
        rejected = False
        nearest = rounded(truth, case.dtype)
        for (_, g), (_, t), (_, b), (_, r) in zip(
            got.items(), truth.items(), bound.items(), nearest.items(), strict=True
        ):
            with np.errstate(all="ignore"):
                error = np.abs(g.astype(t.dtype) - t).astype(np.float64)
                share = np.where(error == 0, 0, error / b)
            claimed = np.isfinite(b)
            self.elements += int(claimed.sum())
            self.unclaimed += int((~claimed).sum())
            self.shares.append(share[claimed])
            try:
                torch.testing.assert_close(to_tensor(np.asarray(g)), to_tensor(r))
            except AssertionError:
                rejected = True
        self.results += 1
        self.rejected += rejected

    def line(self) -> str:
        """The figures, for print."""
        shares = np.concatenate(self.shares)
        unclaimed = self.unclaimed / (self.elements + self.unclaimed)
        return (
            f"{self.elements:9d} elements, {unclaimed:5.1%} "
            f"more without a claim; share of bound: largest {shares.max():.3f}, "
            f"median {np.median(shares):.1e}; above it {int((shares > 1).sum())}; assert_close "
            f"rejects {self.rejected} of {self.results} results"
        )

    @property
    def sound(self) -> bool:
        """Whether nothing was above its bound."""
        return all(bool((share <= 1).all()) for share in self.shares)


def main(elements: int = 1_000_000, seed: int = 0) -> int:
    """Run and print; 0 if every correct result was within its bound."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    sound = True
    for name, dtype in DTYPES.items():
        under_test = {
            "torch.nn.LSTM": load("torch.nn.LSTM").run,
            "NumPy, rounded": RoundedLSTM(dtype),
            "NumPy, rounded, sums reversed": RoundedLSTM(dtype, backwards=True),
        }
        tallies = {what: Tally() for what in under_test}
        batch = 0
        while min(tally.elements for tally in tallies.values()) < elements:
            for case in _cases(name, seed + batch):
                evaluated = trace(case)
                bound = forward_bound(evaluated)
                for what, run in under_test.items():
                    tallies[what].add(run(case), evaluated.result, bound, case)
            batch += 1
        for what, tally in tallies.items():
            print(f"{name:9s} {what:30s} {tally.line()}", flush=True)
            sound = sound and tally.sound
    return 0 if sound else 1


def _cases(dtype: str, seed: int) -> list[Case]:
    drawn: list[Case] = []

    @hypothesis.seed(seed)
    @settings(
        max_examples=BATCH,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(lstm_cases(dtypes=dtype))
    def keep(case: Case) -> None:
        drawn.append(case)

    keep()
    return drawn


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
