"""A quick look at the steps of a large layer, which settles what is far below its bound.

:mod:`reference.local_bounds` needs the sums of absolute values ``|x| |W|``, which take as much as
the products themselves. Here each bound is replaced by a number that is not larger. So shares of
bounds come out larger, by less than three times where weights have no structure. What is below its
bound here is below its bound there; of anything else nothing is known.

A sum of n products of absolute values is ``n mean(|x|) mean(|w|)`` plus n times a covariance, which
is at least ``-std(|x|) std(|w|)``. Of the other terms of a bound only the largest are kept, and
each slope is taken where it is, not where it is steepest. All is computed in float64, as there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reference.arithmetic import Arithmetic
from reference.case import Array
from reference.cell import Weights
from reference.parts import split
from reference.products import gamma

CHUNK = 2**22
"""About how many pre-activations are computed by one product."""
MARGIN = 2.0**-40
"""More than all roundings of float64 in a lower bound, relative to the largest term."""
SETTLED = 1 - 2.0**-20
"""The share below which an error is below its bound, however float64 rounds."""


@dataclass(frozen=True, eq=False)
class Screened:
    """Some rows of a layer.

    - `shares` (T, H): at least the errors as shares of their bounds, the largest of all rows; NaN
      where nothing is known;
    - `h`, `c`, `dh`, `dc` (N, H): the last states, and at most their bounds.
    """

    shares: Array
    h: Array
    c: Array
    dh: Array
    dc: Array


@dataclass(frozen=True, eq=False)
class Screen:
    """A layer in one direction, without a projection, in an arithmetic with exact factors.

    - `weight` (features + H, 4 H), `bias`: the weights of x and h, and the sum of the biases;
    - `features`: how many of the rows are of x;
    - `columns` (5, 4 H): what errors of pre-activations are at least, in parts, each to be
      multiplied by a number of :meth:`_sizes`;
    - `norm`, `most`: the largest Euclidean norm of a column of weights, and the largest bias.
    """

    arithmetic: Arithmetic
    weight: Array
    bias: Array
    features: int
    columns: Array
    norm: float
    most: float

    @classmethod
    def of(cls, w: Weights, arithmetic: Arithmetic) -> Screen:
        """Prepare the weights, of any dtype."""
        weight = np.concatenate([w.weight_ih, w.weight_hh], axis=1, dtype=np.float64).T
        biases = np.stack([w.bias_ih, w.bias_hh]).astype(np.float64)
        absolute, features = np.abs(biases).sum(axis=0), w.weight_ih.shape[1]
        columns, squares = [], np.zeros(len(absolute))
        for part in (weight[:features].T, weight[features:].T):
            mean, deviation, square = _spread(part)
            columns += [part.shape[1] * mean, -part.shape[1] * deviation]
            squares += square
        relative = gamma(len(weight) + 4, arithmetic) * (1 - MARGIN)
        lowest = relative * np.stack([*columns, absolute])
        norm, most = np.sqrt(squares.max()), absolute.max()
        return cls(
            arithmetic, weight, biases.sum(axis=0), features, lowest, float(norm), float(most)
        )

    def compared(
        self,
        x: Array,
        h_prev: Array,
        observed: Array,
        c_0: Array,
        active: Array,
        *,
        reverse: bool = False,
    ) -> Screened:
        """Compare each step with the `observed` output (T, N, H).

        `x` (T, N, features) and `h_prev` (T, N, H), h before each step, can have any dtype;
        `active` (T, N) is False where a row has ended.
        """
        times, rows = active.shape
        size = c_0.shape[-1]
        shares = np.zeros((times, size))
        h, dh, c, dc = (np.zeros((rows, size)) for _ in range(4))
        c += np.asarray(c_0, np.float64)
        order, length = range(times)[:: -1 if reverse else 1], max(1, CHUNK // (4 * rows * size))
        with np.errstate(all="ignore"):
            for start in range(0, times, length):
                some = list(order[start : start + length])
                both = np.concatenate([x[some], h_prev[some]], axis=-1, dtype=np.float64)
                both = both.reshape(-1, both.shape[-1])
                a = (both @ self.weight).reshape(len(some), rows, -1)
                sizes = self._sizes(both).reshape(len(some), rows, -1)
                for at, t in enumerate(some):
                    new = self._step(a[at], sizes[at], c, dc)
                    share = np.abs(observed[t] - new[0]) / new[1]
                    if not active[t].all():
                        running = active[t][:, None]
                        share = np.where(running, share, 0)
                        new = [
                            np.where(running, *each)
                            for each in zip(new, (h, dh, c, dc), strict=True)
                        ]
                    h, dh, c, dc = new
                    shares[t] = share.max(axis=0)
        return Screened(shares, h, c, dh, dc)

    def _sizes(self, both: Array) -> Array:
        """Measure rows of x and h, (rows, 5); the last number is NaN where sums may be too large.

        They are where they can overflow, or where an error can exceed 1, by the inequality of
        Cauchy and Schwarz.
        """
        sizes, squares = [], np.zeros(len(both))
        for part in (both[:, : self.features], both[:, self.features :]):
            mean, deviation, square = _spread(part)
            sizes += [mean, deviation]
            squares += square
        most = np.sqrt(squares) * self.norm + self.most
        u = self.arithmetic.unit_roundoff
        tame = (gamma(both.shape[1] + 4, self.arithmetic) + 3 * u) * most < 1
        tame &= most < self.arithmetic.largest / 4
        return np.stack([*sizes, np.where(tame, 1, np.nan)], axis=1)

    def _step(self, a: Array, sizes: Array, c: Array, dc: Array) -> list[Array]:
        """Compute h and c with their lowest bounds, as h, dh, c, dc, from the products `a`."""
        u = self.arithmetic.unit_roundoff
        values, errors = self._gates(a, sizes)
        i, f, g, o = split(values, 4)
        di, df, dg, do = split(errors, 4)
        kept, added = f * c, i * g
        c_next = kept + added
        dc_next = np.abs(c) * df + f * dc + np.abs(g) * di + i * dg
        dc_next += 2 * u * (np.abs(kept) + np.abs(added))
        # a state that may overflow, or has been as large, is not known from there on
        dc_next[~(np.maximum(np.abs(c), np.abs(c_next)) < self.arithmetic.largest / 8)] = np.nan
        tanh_c = np.tanh(c_next)
        slope = np.maximum(1 - tanh_c * tanh_c - MARGIN, 0)
        h_next = o * tanh_c
        dh_next = o * (np.minimum(slope * dc_next, 1) + self.arithmetic.tanh)
        dh_next += np.abs(tanh_c) * do + u * np.abs(h_next)
        return [h_next, np.minimum(dh_next, 1), c_next, dc_next]

    def _gates(self, a: Array, sizes: Array) -> tuple[Array, Array]:
        """Compute i, f, g, o, side by side in the place of `a` (N, 4 H).

        The second array has numbers that are at most their bounds.
        """
        quarter = a.shape[-1] // 4
        g = slice(2 * quarter, 3 * quarter)
        error = sizes @ self.columns
        np.maximum(error, 0, out=error)
        a += self.bias
        z = np.abs(a)
        error += 3 * self.arithmetic.unit_roundoff * z
        for each in (a, z):
            each[:, g] *= 2  # tanh(a) = 2 sigmoid(2 a) - 1
        np.exp(np.negative(z, out=z), out=z)
        over = z + 1
        z /= over  # sigmoid(-|a|)
        error *= np.divide(z, over, out=over)  # the slope
        error[:, g] *= 4
        error += self.arithmetic.sigmoid
        error[:, g] += self.arithmetic.tanh - self.arithmetic.sigmoid
        below = a < 0
        np.subtract(1, z, out=a)
        np.copyto(a, z, where=below)  # a shut gate keeps its relative accuracy
        a[:, g] *= 2
        a[:, g] -= 1
        return a, error


def _spread(values: Array) -> tuple[Array, Array, Array]:
    """Give mean and deviation of the absolute values of each row, and the sum of their squares.

    The mean is rounded down, the deviation up.
    """
    n, squares = values.shape[1], np.einsum("ij,ij->i", values, values)
    mean = np.abs(values).sum(axis=1) / n
    variance = np.maximum(squares / n - mean * mean, 0) + MARGIN * squares / n
    return mean * (1 - MARGIN), np.sqrt(variance) * (1 + MARGIN), squares
