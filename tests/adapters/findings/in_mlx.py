"""Findings in MLX."""

from tests.adapters.findings.finding import Finding

LAYER = "https://ml-explore.github.io/mlx/build/html/python/nn/_autosummary/mlx.nn.LSTM.html"

FINDINGS = (
    Finding(
        "MLX computes sigmoid and exp of float64 at the accuracy of float32",
        "fault",
        ("mlx",),
        "The results have the dtype float64, and eight correct digits.",
        """
import math

import mlx.core as mx

with mx.stream(mx.cpu):
    off = mx.sigmoid(mx.array(0.3, dtype=mx.float64)).item() - 1 / (1 + math.exp(-0.3))
print("sigmoid is off by more than 1e-9:", abs(off) > 1e-9)
""",
        "sigmoid is off by more than 1e-9: True",
        "https://ml-explore.github.io/mlx/build/html/python/data_types.html, float64: a 64-bit "
        "double, on the CPU.",
        saying=(" float64 ",),
    ),
    Finding(
        "MLX broadcasts an initial cell state",
        "fault",
        ("mlx",),
        "A cell state of one row is taken for all rows, and one of one unit for all units.",
        """
import mlx.core as mx
from mlx import nn

hidden, cell = nn.LSTM(1, 1)(mx.ones((3, 2, 1)), hidden=mx.ones((3, 1)), cell=mx.ones((1, 1)))
print("three rows from the cell state of one:", hidden.shape)
""",
        "three rows from the cell state of one: (3, 2, 1)",
        f"{LAYER}: the hidden state and the cell state have shape NH or H, depending on whether "
        "the input is batched.",
        requirements=("wrong_state_batch_is_refused", "wrong_state_features_are_refused"),
    ),
)
