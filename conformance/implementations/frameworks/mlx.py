"""MLX: ``mlx.nn.LSTM``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import ml_dtypes
import mlx.core as mx
import numpy as np
from mlx import nn

from conformance.implementations.layouts import Layout, Stored
from reference import Array, Case, Result
from strategies import ONE_LAYER

LAYOUT = Layout(biases=1)


class MlxLSTM:
    """``mlx.nn.LSTM`` on the CPU: one layer in one direction, batch first.

    The layer returns h and c of every step; those of the last step are the final states.
    """

    name = "mlx"
    supports = replace(ONE_LAYER, batch_first=(True,), hands_on_arrays=True)

    def run(self, case: Case) -> Result:
        """Compute `case`."""
        with mx.stream(mx.cpu):
            return Result.of(map(to_array, self.call(case, *arguments(case))))

    def call(self, case: Case, *leaves: Any) -> list[Any]:
        """Compute output, h_n and c_n from `leaves`, the arrays of :func:`arguments`."""
        c = case.configuration
        lstm = nn.LSTM(c.input_size, c.hidden_size, c.bias)
        lstm.Wx, lstm.Wh, *rest = leaves
        lstm.bias = rest.pop(0) if c.bias else None
        x, *states = rest
        output, cells = lstm(x, *(state[0] for state in states))
        return [output, output[None, ..., -1, :], cells[None, ..., -1, :]]

    def gradients(self, case: Case, cotangents: Result) -> Mapping[str, Array]:
        """Compute the gradients of the sum of every result times its cotangent."""
        weights = [to_mlx(array) for _, array in cotangents.items()]
        with mx.stream(mx.cpu):
            _, found = mx.vjp(lambda *leaves: self.call(case, *leaves), arguments(case), weights)
            w_ih, w_hh, *rest = map(to_array, found)
        biases = (rest.pop(0),) if case.configuration.bias else ()
        restored = LAYOUT.restored(Stored(w_ih, w_hh, biases))
        return restored | dict(zip(("input", "h_0", "c_0"), rest, strict=False))


def arguments(case: Case) -> list[Any]:
    """List Wx, Wh, bias if there is one, input, and h_0 and c_0 if there are any."""
    stored = LAYOUT.stored(case)
    arrays = stored.weight_ih, stored.weight_hh, *stored.biases, *case.arguments().values()
    return [to_mlx(array) for array in arrays]


def to_mlx(array: Array) -> Any:
    """Convert a NumPy array to MLX; bfloat16 goes through float32, which MLX reads."""
    if array.dtype == ml_dtypes.bfloat16:
        return mx.array(array.astype(np.float32)).astype(mx.bfloat16)
    return mx.array(np.ascontiguousarray(array), dtype=getattr(mx, array.dtype.name))


def to_array(array: Any) -> Array:
    """Convert an MLX array to a NumPy array of the same dtype."""
    if array.dtype == mx.bfloat16:
        return np.array(array.astype(mx.float32)).astype(ml_dtypes.bfloat16)
    return np.array(array)
