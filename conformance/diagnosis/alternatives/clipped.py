"""LSTMs that limit what they compute: that shows only where numbers are large."""

from __future__ import annotations

from itertools import product

import numpy as np

from conformance.diagnosis.alternatives.altered import AlteredLSTM
from conformance.diagnosis.alternatives.cells import altered
from conformance.diagnosis.alternatives.equations import Equations
from reference import Array, Step
from reference.cell import sigmoid


def clipped_gates(margin: float) -> Equations:
    """Make equations whose gates stay so far from 0 and 1."""
    return Equations(
        f"with sigmoid clipped to [{margin:g}, 1 - {margin:g}]",
        gate=lambda a: np.clip(sigmoid(a), margin, 1 - margin),
    )


def clipped_cell_state(limit: float) -> Equations:
    """Make equations whose c stays within so much of 0."""
    return Equations(
        f"that clips c to [-{limit:g}, {limit:g}]",
        next_c=lambda s: np.clip(s.f * s.c_prev + s.i * s.g, -limit, limit),
    )


def scaled_cell_state(limit: float, epsilon: float, axis: int | None) -> Equations:
    """Make equations that scale c down where its norm exceeds `limit`.

    The norm is that of each row with ``axis=-1``, and that of the whole batch with None.
    """

    def next_c(s: Step) -> Array:
        c = s.f * s.c_prev + s.i * s.g
        norm = np.sqrt((c * c).sum(axis, keepdims=True))
        scaled: Array = c * np.minimum(1, limit / (norm + epsilon))
        return scaled

    of = "in each row" if axis else "over the whole batch"
    added = f", with {epsilon:g} added to the norm" * bool(epsilon)
    return Equations(f"that scales c to a norm of at most {limit:g} {of}{added}", next_c=next_c)


MARGINS = (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.1)
LIMITS = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 25, 30, 40, 50, 64, 100, 200, 256, 500, 1000)

CLIPPED: tuple[AlteredLSTM, ...] = (
    *(altered(clipped_gates(margin)) for margin in MARGINS),
    *(altered(clipped_cell_state(limit)) for limit in LIMITS),
    *(
        altered(scaled_cell_state(*each))
        for each in product(LIMITS, (0, 1e-12, 1e-8, 1e-7, 1e-6), (-1, None))
    ),
)
"""Every hypothesis on clipping, by the usual limits."""
