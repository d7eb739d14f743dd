"""LSTMs in NumPy that stand for kernels: right ones that sum in other orders, and faulty ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from conformance import Case, Result, Support
from reference import DTYPES, Array, Configuration
from tests.reference.rounded import OperationByOperation

ORDERS = ("forwards", "backwards", "lanes")


@dataclass
class Kernel(OperationByOperation):
    """Every operation is rounded to the case's dtype; sums are in float32 for 16-bit types.

    - `order`: how a sum of products is ordered: ``forwards`` or ``backwards``, one term after the
      other, or in eight ``lanes`` that are added up at the end;
    - `bits`: to how many bits of mantissa the factors of products are rounded, or 0;
    - `tanh_units`: by how many unit roundoffs every tanh is too large.
    """

    order: str = "forwards"
    bits: int = 0
    tanh_units: float = 0.0
    name: str = ""
    supports = Support(gradients=False)
    _of: Any = None

    def __post_init__(self) -> None:
        self.name = self.name or f"kernel-{self.order}"

    def run(self, case: Case) -> Result:
        return replace(self, _of=case.dtype.numpy)(case)

    def loaded(self, values: Array) -> Array:
        return values.astype(self._of)

    def stored(self, values: Array) -> Array:
        return values.astype(self._of)

    def product(self, x: Array, weight: Array) -> Array:
        wide: Any = np.float32 if self._of.itemsize == 2 else self._of
        x, weight = (self._rounded(each.astype(wide)) for each in (x, weight))
        terms = weight.shape[1]
        lanes = 8 if self.order == "lanes" else 1
        sums = np.zeros((lanes, *x.shape[:-1], len(weight)), wide)
        for term in range(terms)[:: -1 if self.order == "backwards" else 1]:
            sums[term % lanes] += x[..., term, None] * weight[:, term]
        total = sums[0]
        for each in sums[1:]:
            total = total + each
        return self.stored(total)

    def _rounded(self, values: Array) -> Array:
        """Round factors to the nearest number of `bits` bits."""
        if not self.bits:
            return values
        mantissa, exponent = np.frexp(values.astype(np.float64))
        scale = 2.0 ** (self.bits + 1)
        return np.ldexp(np.round(mantissa * scale) / scale, exponent).astype(values.dtype)

    def sigmoid(self, a: Array) -> Array:
        return self.stored(1 / (1 + np.exp(-a.astype(np.float64))))

    def tanh(self, a: Array) -> Array:
        off = self.tanh_units * DTYPES[self._of.name].unit_roundoff
        return self.stored(np.tanh(a.astype(np.float64)) * (1 + off))


@dataclass
class Altered:
    """A kernel that computes another case than the one that is asked for."""

    change: Callable[[Case], Case]
    name: str
    kernel: Any
    supports = Support(gradients=False)

    def run(self, case: Case) -> Result:
        return self.kernel.run(self.change(case))


def with_parameters(case: Case, **changed: Callable[[Array], Array]) -> Case:
    """`case` with some parameters changed, each by a function."""
    named = {n: changed[n](a.copy()) if n in changed else a for n, a in case.parameters.items()}
    return replace(case, parameters=named)


def made(
    sizes: Sequence[int],
    *,
    scale: float = 1.0,
    dtype: str = "float32",
    seed: int = 0,
    amplitude: float = 1.0,
    **options: Any,
) -> Case:
    """A case of input_size, hidden_size, steps and rows; parameters are uniform in scale / sqrt(H).

    That is PyTorch's initialisation for a `scale` of 1. Inputs are normal, times `amplitude`.
    """
    generator = np.random.default_rng(seed)
    input_size, hidden_size, steps, rows = sizes
    configuration = Configuration(input_size, hidden_size, **options)
    limit, of = scale / np.sqrt(hidden_size), DTYPES[dtype].numpy
    return Case(
        configuration,
        {
            name: generator.uniform(-limit, limit, shape).astype(of)
            for name, shape in configuration.parameter_shapes().items()
        },
        (amplitude * generator.standard_normal((steps, rows, input_size))).astype(of),
    )
