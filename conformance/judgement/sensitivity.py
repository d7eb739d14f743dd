"""How far right implementations can be expected to differ: an estimate, not a bound.

The reference is run a dozen times. Each time, random errors as large as those of rounding in the
given arithmetic are added to every quantity that is stored. How far such runs are from each other,
layer by layer and over time, shows what this LSTM does with rounding on this input. A contracting
one forgets it; a chaotic one lets it grow until it is as large as the numbers themselves.

The error of a sum of n products is that of rounding every partial sum. For products of random
signs and size p, the k-th partial sum is about sqrt(k) p large. So the variance of the error is
about (u_acc p)^2 n^2 / 2, and that of a sum in LANES parts is (u_acc p)^2 n^2 / (2 LANES).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reference import Arithmetic, Array, Case
from reference.cell import sigmoid
from reference.network import cell_weights
from reference.products import multiplied

RUNS = 12
"""The number of perturbed runs."""
CHUNK = 2**20
"""About how many pre-activations are computed by one product."""
LANES = 8
"""In about how many partial sums kernels keep a sum: vector units have four to sixteen lanes."""
ROUNDING = 0.42
"""The root mean square of a relative rounding error in unit roundoffs.

The error is uniform for a given mantissa m, and m has the density 1 / (m ln 2) in [1, 2), as that
of numbers of random size has: sqrt(1/3) sqrt(3 / (8 ln 2)).
"""


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """What rounding can be expected to do to a case.

    - `layers`: for each layer, how far two runs are apart at each step, (T,), in the row and unit
      where they are furthest apart, in the mean of all pairs;
    - `typical`, `largest`: the same of the step of the output in which they are furthest apart: in
      the mean of all pairs, and at most;
    - `first`: the same after the first step of the lowest layer: one step's rounding;
    - `output`: the output without perturbation, (T, N, D * R);
    - `steps`: after how many steps that is so in the mean.
    """

    layers: tuple[Array, ...]
    typical: float
    largest: float
    first: float
    output: Array
    steps: int

    @property
    def growth(self) -> float:
        """By which factor the rounding of the first step has grown where it is largest."""
        return self.typical / self.first if self.first else 1.0


def sensitivity(case: Case, arithmetic: Arithmetic, runs: int = RUNS) -> Sensitivity:
    """Estimate how far right runs of `case` in `arithmetic` differ.

    It takes as much as the case with `runs` + 1 times its rows. The rounding of the results of the
    last step is part of the estimate.
    """
    generator = np.random.default_rng(0)
    rows = case.batch_size
    x = np.asarray(case.time_major(case.input), np.float64)
    x = np.concatenate([x] * (runs + 1), axis=1)
    h_0, c_0 = (
        np.concatenate([state.astype(np.float64)] * (runs + 1), axis=1)
        for state in case.initial_states()
    )
    active = np.concatenate([case.valid_steps()] * (runs + 1), axis=1)
    noise = Noise(arithmetic, generator, rows)
    directions = case.configuration.num_directions
    spreads = []
    with np.errstate(all="ignore"):
        for layer in range(case.configuration.num_layers):
            halves = []
            for direction in range(directions):
                at = layer * directions + direction
                suffix = case.configuration.suffixes()[at]
                halves.append(_layer(case, suffix, x, h_0[at], c_0[at], active, noise))
            x = np.concatenate(halves, axis=-1)
            spreads.append(_apart(x, rows))
    means = tuple(each.mean(axis=0) for each in spreads)
    largest = np.nan_to_num(spreads[-1]).max(axis=1, initial=0)
    steps = int(np.argmax(np.nan_to_num(means[-1]))) + 1
    first = float(np.nan_to_num(means[0][0]))
    typical, most = float(largest.mean()), float(largest.max())
    return Sensitivity(means, typical, most, first, x[:, :rows], steps)


@dataclass(frozen=True)
class Noise:
    """Random errors of the size of rounding; the first `rows` of the batch stay as they are."""

    arithmetic: Arithmetic
    generator: np.random.Generator
    rows: int

    def added(self, values: Array, squares: Array) -> Array:
        """Add errors whose variances are `squares`, in squared roots of the mean rounding error."""
        drawn = self.generator.random(values.shape, np.float32) - np.float32(0.5)
        size = np.sqrt(squares) * (ROUNDING * np.sqrt(12))
        size[: self.rows] = 0
        erring: Array = values + drawn * size
        return erring

    def stored(self, values: Array) -> Array:
        """Add the error of storing `values`."""
        return self.added(values, (self.arithmetic.unit_roundoff * values) ** 2)

    def activated(self, values: Array) -> Array:
        """Add the error of a sigmoid or tanh that is off by about two roundings."""
        return self.added(values, (2 * self.arithmetic.unit_roundoff * values) ** 2)

    def of_product(self, x: Array, norms: Array, terms: int) -> Array:
        """Give the variances of the errors in ``x @ weight.T``: of its factors and of its sum.

        `norms` are the mean squares of the rows of `weight`, which have so many `terms`.
        """
        relative = self.arithmetic.accumulation**2 * (1 + terms / (2 * LANES))
        relative += 2 * self.arithmetic.factors.relative**2
        squares: Array = relative * (x * x).sum(axis=-1)[..., None] * norms
        return squares


def _layer(
    case: Case, suffix: str, x: Array, h: Array, c: Array, active: Array, noise: Noise
) -> Array:
    """Run one layer in one direction with errors; returns its output (T, N, R)."""
    w = cell_weights(case, suffix)
    w_ih, w_hh = w.weight_ih.astype(np.float64), w.weight_hh.astype(np.float64)
    bias = (w.bias_ih + w.bias_hh).astype(np.float64)
    w_hr = None if w.weight_hr is None else w.weight_hr.astype(np.float64)
    norm_ih, norm_hh = ((each * each).mean(axis=1) for each in (w_ih, w_hh))
    u = noise.arithmetic.unit_roundoff
    output = np.zeros((*x.shape[:2], h.shape[-1]))
    reverse = suffix.endswith("_reverse")
    length = max(1, CHUNK // (x.shape[1] * len(w_ih)))
    for nth, t in enumerate(range(len(x))[:: -1 if reverse else 1]):
        if nth % length == 0:  # one product for some steps
            at = slice(max(t + 1 - length, 0), t + 1) if reverse else slice(t, t + length)
            products = iter(multiplied(x[at], w_ih.T)[:: -1 if reverse else 1])
        by_x, by_h = next(products), h @ w_hh.T
        a = by_x + by_h + bias
        squares = noise.of_product(x[t], norm_ih, w_ih.shape[1])
        squares += noise.of_product(h, norm_hh, w_hh.shape[1])
        squares += u**2 * (by_x**2 + by_h**2 + a**2)
        a_i, a_f, a_g, a_o = np.split(noise.added(a, squares), 4, axis=-1)
        gates = np.concatenate([sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)], axis=-1)
        i, f, g, o = np.split(noise.activated(gates), 4, axis=-1)
        c_next = noise.stored(f * c + i * g)
        h_next = noise.stored(o * noise.activated(np.tanh(c_next)))
        if w_hr is not None:
            squares = noise.of_product(h_next, (w_hr * w_hr).mean(axis=1), w_hr.shape[1])
            h_next = noise.stored(noise.added(h_next @ w_hr.T, squares))
        running = active[t][:, None]
        h, c = np.where(running, h_next, h), np.where(running, c_next, c)
        output[t] = np.where(running, h_next, 0)
    return output


def _apart(output: Array, rows: int) -> Array:
    """Measure how far two runs are apart at each step, (pairs, T), in their worst row and unit.

    The first run, which has no errors, is left out. Each other one is paired with the next.
    """
    runs = np.stack(np.split(output, output.shape[1] // rows, axis=1)[1:])  # run, T, N, features
    apart: Array = np.abs(runs - np.roll(runs, 1, axis=0)).max(axis=(2, 3), initial=0)
    return apart
