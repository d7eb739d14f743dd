"""LSTMs in NumPy, without gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance import Support
from reference import Array, Case, Result
from tests.reference.rounded import OperationByOperation, RoundedLSTM


class LoopsInNumpy:
    """Computes each operation in the dtype of the case, and adds up products one by one."""

    name = "LoopsInNumpy"
    supports = Support(gradients=False, dropout=False)

    def run(self, case: Case) -> Result:
        return RoundedLSTM(case.dtype)(case)


class LoopsInNumpyFloat64(OperationByOperation):
    """Computes everything in float64, and rounds the results."""

    name = "LoopsInNumpyFloat64"
    supports = Support(gradients=False, dropout=False, dtypes=("float32", "float16", "bfloat16"))

    def run(self, case: Case) -> Result:
        results: Any = self(case)
        return Result.of(array.astype(case.dtype.numpy) for _, array in results.items())

    def loaded(self, values: Array) -> Array:
        return values.astype(np.float64)

    def stored(self, values: Array) -> Array:
        return values

    def product(self, x: Array, weight: Array) -> Array:
        product: Array = x @ weight.T
        return product

    def sigmoid(self, a: Array) -> Array:
        sigmoid: Array = np.exp(-np.logaddexp(0, -a))
        return sigmoid

    def tanh(self, a: Array) -> Array:
        return np.tanh(a)
