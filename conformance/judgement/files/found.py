"""An LSTM that was found in a file, with its parameters in PyTorch's layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from conformance.errors import UsageError
from conformance.implementations.layouts import Layout, Stored
from reference import DTYPES, Array, Configuration


@dataclass(frozen=True, eq=False)
class Found:
    """An LSTM in a file.

    - `name`: what the names of its parameters begin with, without the last dot;
    - `configuration`: its sizes and options;
    - `parameters`: by PyTorch's names and in PyTorch's layout.
    """

    name: str
    configuration: Configuration
    parameters: Mapping[str, Array]

    @property
    def dtype(self) -> str:
        """The name of the dtype of the parameters, or of one that has the numbers of all."""
        names = {array.dtype.name for array in self.parameters.values()}
        if len(names) == 1:
            return names.pop()
        return "float64" if "float64" in names else "float32"

    def within(self, other: Found) -> bool:
        """Whether this one is some of the layers of `other`, which shares its arrays."""
        mine, theirs = ({id(array) for array in each.parameters.values()} for each in (self, other))
        return mine < theirs

    def described(self) -> str:
        """The name, the sizes and the options in one line."""
        options = (f"{key}={value}" for key, value in self.configuration.arguments().items())
        return f"{self.name or '(no name)'}: {', '.join(options)}, {self.dtype}"


def refuse_unfit(
    what: str, array: Array, shape: tuple[int, ...] | None = None, hint: str = ""
) -> None:
    """Raise :class:`UsageError` for a dtype that is not judged, and for any shape but `shape`.

    `hint` follows the shape that it should have.
    """
    if array.dtype.name not in DTYPES:
        raise UsageError(f"{what} has dtype {array.dtype}, must be one of {', '.join(DTYPES)}")
    if shape is not None and array.shape != shape:
        raise UsageError(f"{what} has shape {array.shape}, should have {shape}{hint}")


def from_stored(stored: Stored, layout: Layout, suffix: str = "_l0") -> dict[str, Array]:
    """Convert the parameters of one layer and direction to PyTorch's, under PyTorch's names.

    One bias becomes ``bias_ih``, beside a ``bias_hh`` of zeros; a constant that the implementation
    adds to the forget gate by itself is added, and the sum rounded.
    """
    named = layout.restored(stored, suffix)
    if len(stored.biases) == 1:
        named[f"bias_hh{suffix}"] = np.zeros_like(named[f"bias_ih{suffix}"])
    if stored.biases and layout.forget_bias:
        bias = named[f"bias_ih{suffix}"].copy()
        size = len(bias) // 4
        bias[size : 2 * size] += layout.forget_bias
        named[f"bias_ih{suffix}"] = bias
    return {name: np.ascontiguousarray(array) for name, array in named.items()}


def stacked(name: str, layers: Sequence[Found]) -> Found | None:
    """Make an LSTM of `layers`, the lowest first; None for one alone, or if sizes do not fit."""
    first = layers[0].configuration
    upper = replace(first, input_size=first.num_directions * first.output_size)
    if len(layers) < 2 or any(each.configuration != upper for each in layers[1:]):
        return None
    parameters = {
        key.replace("_l0", f"_l{nth}"): array
        for nth, each in enumerate(layers)
        for key, array in each.parameters.items()
    }
    return Found(name, replace(first, num_layers=len(layers)), parameters)
