"""How correct results lie within their bounds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from conformance.implementations.pytorch.tensors import to_tensor
from reference import RESULTS, Array

Named = Mapping[str, Array]


class Tally:
    """Shares of the bound and rejections of one implementation in one dtype."""

    def __init__(self) -> None:
        self.shares: list[Array] = []
        self.elements = self.unclaimed = self.silent = self.results = self.rejected = 0
        self.informed = self.above = 0
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
            self.above += int((~(share[claimed] <= 1)).sum())
            self.shares.append(share[claimed].astype(np.float32))
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
            f"{self.above}{rejected if self.compared else ''}"
        )

    @property
    def sound(self) -> bool:
        """Whether nothing was above its bound."""
        return not self.above


def _close(got: Array, expected: Array) -> bool:
    try:
        torch.testing.assert_close(to_tensor(np.ascontiguousarray(got)), to_tensor(expected))
    except AssertionError:
        return False
    return True
