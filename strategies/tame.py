"""Limits within which bounds on rounding errors say something in dtypes of 16 bits.

A bound grows with steps, layers and weights. In 16 bits it soon exceeds what it bounds, so that
zeros would pass. Results of one layer need no limit: each of its steps is judged by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reference import Configuration
from strategies.options import Bounds

TAME = ("zeros", "one", "two", "four", "default", "small")
"""The names of the recipes for weights within the limits."""


@dataclass(frozen=True)
class Limits:
    """The largest sizes of a case, but nothing goes below the least that was asked for.

    - `steps`: of all layers together, one after the other;
    - `layers`, `rows`: the numbers of both;
    - `one_layer`: whether the limits hold for one layer too.
    """

    steps: int
    layers: int = 12
    rows: int = 2**16
    one_layer: bool = False

    def concern(self, configuration: Configuration) -> bool:
        """Whether cases of `configuration` are limited."""
        return self.one_layer or configuration.num_layers > 1

    def shallow(self, configuration: Configuration, least: int) -> Configuration:
        """Leave out layers of `configuration` down to the limit, and at `least` so many."""
        layers = max(least, min(configuration.num_layers, self.layers))
        dropout = configuration.dropout if layers > 1 else 0.0
        return replace(configuration, num_layers=layers, dropout=dropout)

    def few(self, seq_len: int, layers: int, bounds: Bounds) -> int:
        """Reduce `seq_len` to the limit in so many `layers`, but not below `bounds`."""
        return max(bounds[0], min(seq_len, self.steps // layers))


RESULTS: Mapping[str, Limits] = {"float16": Limits(24), "bfloat16": Limits(8)}
"""By dtype, the limits where results are compared."""

GRADIENTS: Mapping[str, Limits] = {
    "float16": Limits(4, 4, 4, one_layer=True),
    "bfloat16": Limits(1, 1, 1, one_layer=True),
}
"""By dtype, the limits where gradients are compared."""
