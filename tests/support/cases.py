"""Cases, and implementations of one line, that the tests of the suite itself use."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from reference import DTYPES, Array, Case, Configuration, Result, lstm, rounded
from strategies import Support


def random_case(
    configuration: Configuration,
    *,
    dtype: str = "float32",
    seq_len: int = 4,
    batch_size: int = 3,
    lengths: Array | None = None,
    device: str = "cpu",
) -> Case:
    """Everything uniform in (-1, 1), always the same numbers."""
    rng = np.random.default_rng(7)
    count = configuration.num_layers * configuration.num_directions
    leading = (seq_len, batch_size)

    def uniform(*shape: int) -> Array:
        return rng.uniform(-1, 1, shape).astype(DTYPES[dtype].numpy)

    return Case(
        configuration,
        {name: uniform(*shape) for name, shape in configuration.parameter_shapes().items()},
        uniform(*leading[:: -1 if configuration.batch_first else 1], configuration.input_size),
        uniform(count, batch_size, configuration.output_size),
        uniform(count, batch_size, configuration.hidden_size),
        lengths,
        device,
    )


def bits_of(array: Array) -> Array:
    """Each element as the unsigned integer of its bits."""
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}")


class RoundedReference:
    """The reference itself, rounded, as an implementation; `change` may spoil its result."""

    def __init__(
        self,
        change: Callable[[Case, Result], Result] | None = None,
        support: Support | None = None,
    ) -> None:
        self.name = "rounded reference"
        self.supports = replace(support or Support(), gradients=False)
        self.change = change
        self.seen: list[Case] = []

    def run(self, case: Case) -> Result:
        self.seen.append(case)
        result = rounded(lstm(case), case.dtype)
        return self.change(case, result) if self.change else result
