"""LSTMs that err as floating-point arithmetic does, evaluated operation by operation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reference import Arithmetic, Array, Case, DType, Result


class OperationByOperation:
    """The network with each operation left to a method, so that it can be made to err.

    Called with a case, and with dropout masks where there are any.
    """

    def loaded(self, values: Array) -> Array:
        """`values` as the case gives them, in the type to compute in."""
        raise NotImplementedError

    def stored(self, values: Array) -> Array:
        """`values` as they are after an operation has written them to memory."""
        raise NotImplementedError

    def product(self, x: Array, weight: Array) -> Array:
        """``x @ weight.T``, (..., features) by (outputs, features), stored."""
        raise NotImplementedError

    def sigmoid(self, a: Array) -> Array:
        """The logistic function, stored."""
        raise NotImplementedError

    def tanh(self, a: Array) -> Array:
        """The hyperbolic tangent, stored."""
        raise NotImplementedError

    def cell(self, a: Array, c: Array) -> tuple[Array, Array]:
        """``o * tanh(c')`` and ``c'`` from the pre-activations (N, 4 * hidden_size)."""
        a_i, a_f, a_g, a_o = np.split(a, 4, axis=-1)
        forgotten = self.stored(self.sigmoid(a_f) * c)
        added = self.stored(self.sigmoid(a_i) * self.tanh(a_g))
        c = self.stored(forgotten + added)
        return self.stored(self.sigmoid(a_o) * self.tanh(c)), c

    def layer(
        self, case: Case, suffix: str, x: Array, h: Array, c: Array
    ) -> tuple[Array, Array, Array]:
        """Output (T, N, R), h_n (N, R) and c_n (N, hidden_size) of one layer and direction."""
        p = {name: self.loaded(array) for name, array in case.parameters.items()}
        lengths = len(x) if case.lengths is None else case.lengths
        output = [np.zeros_like(h)] * len(x)
        for t in range(len(x))[:: -1 if suffix.endswith("_reverse") else 1]:
            a = self.product(x[t], p[f"weight_ih{suffix}"])
            if case.configuration.bias:
                a = self.stored(a + p[f"bias_ih{suffix}"])
            a = self.stored(a + self.product(h, p[f"weight_hh{suffix}"]))
            if case.configuration.bias:
                a = self.stored(a + p[f"bias_hh{suffix}"])
            next_h, next_c = self.cell(a, c)
            if case.configuration.proj_size:
                next_h = self.product(next_h, p[f"weight_hr{suffix}"])
            running = np.broadcast_to(t < lengths, len(h))[:, None]
            h, c = np.where(running, next_h, h), np.where(running, next_c, c)
            output[t] = np.where(running, next_h, np.zeros_like(h))
        return np.stack(output), h, c

    def __call__(self, case: Case, dropout_masks: Sequence[Array] | None = None) -> Result:
        """Output, h_n and c_n of `case`, in the type of :meth:`loaded`."""
        directions = case.configuration.num_directions
        suffixes = case.configuration.suffixes()
        x = self.loaded(case.time_major(case.input))
        h_0, c_0 = (self.loaded(state) for state in case.initial_states())
        h_n, c_n = [], []
        with np.errstate(all="ignore"):
            for first in range(0, len(suffixes), directions):
                if first and dropout_masks is not None:
                    x = self.stored(x * self.loaded(dropout_masks[first // directions - 1]))
                outputs = []
                for at in range(first, first + directions):
                    output, h, c = self.layer(case, suffixes[at], x, h_0[at], c_0[at])
                    outputs.append(output)
                    h_n.append(h)
                    c_n.append(c)
                x = np.concatenate(outputs, axis=-1)
        hidden, cell = np.stack(h_n), np.stack(c_n)
        if not case.batched:
            hidden, cell = hidden[:, 0], cell[:, 0]
        return Result(case.user_order(x), hidden, cell)


@dataclass(frozen=True)
class RoundedLSTM(OperationByOperation):
    """Each product, sum, gate, c, tanh(c) and h is rounded to `dtype`.

    Sums of products are accumulated one term after the other in float32 for the 16-bit types and
    in `dtype` itself otherwise, from the last term to the first if `backwards`. A case in another
    type is rounded to `dtype` first.
    """

    dtype: DType
    backwards: bool = False

    def loaded(self, values: Array) -> Array:
        return values.astype(self.dtype.numpy)

    def stored(self, values: Array) -> Array:
        return values.astype(self.dtype.numpy)

    def product(self, x: Array, weight: Array) -> Array:
        accumulator: Any = np.float32 if self.dtype.numpy.itemsize == 2 else self.dtype.numpy
        x, weight = x.astype(accumulator), weight.astype(accumulator)
        total = np.zeros((*x.shape[:-1], len(weight)), accumulator)
        for term in range(weight.shape[1])[:: -1 if self.backwards else 1]:
            total = total + x[..., term, None] * weight[:, term]
        return self.stored(total)

    def sigmoid(self, a: Array) -> Array:
        return self.stored(1 / (1 + np.exp(-a.astype(np.float64))))

    def tanh(self, a: Array) -> Array:
        return self.stored(np.tanh(a.astype(np.float64)))


@dataclass(frozen=True)
class AdverseLSTM(OperationByOperation):
    """Each operation errs by as much as `arithmetic` allows, upwards or downwards by chance."""

    arithmetic: Arithmetic
    seed: int
    _rng: np.random.Generator = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rng", np.random.default_rng(self.seed))

    def _signs(self, values: Array) -> Array:
        return self._rng.choice([-1.0, 1.0], size=values.shape)

    def loaded(self, values: Array) -> Array:
        return values.astype(np.float64)

    def stored(self, values: Array) -> Array:
        return values * (1 + self.arithmetic.unit_roundoff * self._signs(values))

    def product(self, x: Array, weight: Array) -> Array:
        n = weight.shape[1] * self.arithmetic.accumulation
        total = x @ weight.T
        error = n / (1 - n) * (np.abs(x) @ np.abs(weight).T)
        return self.stored(total + error * self._signs(total))

    def sigmoid(self, a: Array) -> Array:
        return 1 / (1 + np.exp(-a)) + self.arithmetic.sigmoid * self._signs(a)

    def tanh(self, a: Array) -> Array:
        return np.tanh(a) + self.arithmetic.tanh * self._signs(a)


def share(result: Result, truth: Result, bound: Result) -> float:
    """The largest error of `result` as a share of its bound; infinite for an unexpected NaN."""
    shares = [0.0]
    for (_, got), (_, true), (_, allowed) in zip(
        result.items(), truth.items(), bound.items(), strict=True
    ):
        error = np.abs(got.astype(true.dtype) - true)
        with np.errstate(all="ignore"):
            part = np.where((error == 0) | np.isinf(allowed), 0, error / allowed)
        shares.append(float(np.where(np.isnan(part), np.inf, part).max(initial=0)))
    return max(shares)
