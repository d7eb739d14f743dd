"""Layouts in which LSTMs store their parameters, and conversion from PyTorch's layout and back.

PyTorch stacks the rows of the gates i, f, g, o in weights (4 * hidden_size, features) and has two
biases. Other LSTMs order the gates otherwise, store weights transposed, have one bias, or add a
constant to the forget gate's bias themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from reference import Array, Case

GATES = "ifgo"
"""PyTorch's order of the gates; g is the candidate, which other LSTMs call c, z or j."""


class Stored(NamedTuple):
    """Parameters of one layer and direction, or gradients by these, in a :class:`Layout`.

    - `weight_ih`: (4 * hidden_size, features), or transposed;
    - `weight_hh`: (4 * hidden_size, R), or transposed;
    - `biases`: two arrays, one or none, each (4 * hidden_size,);
    - `weight_hr`: (R, hidden_size), or transposed; None without a projection.
    """

    weight_ih: Array
    weight_hh: Array
    biases: tuple[Array, ...] = ()
    weight_hr: Array | None = None


@dataclass(frozen=True)
class Layout:
    """One way to store the parameters of a layer and direction.

    - `gates`: the order in which the gates are stacked, a permutation of ``"ifgo"``;
    - `transposed`: whether weights are (features, 4 * hidden_size), to be multiplied from the
      right, and the projection is (hidden_size, proj_size);
    - `biases`: 2, or 1 that holds the sum of both;
    - `forget_bias`: the number that the implementation adds to the forget gate's bias by itself,
      and that is subtracted from the bias here. As the difference is rounded to the dtype, declare
      the number as ``Precision(added_bias=)`` too.

    Raises :class:`ValueError` for other values.

    >>> keras = Layout(transposed=True, biases=1)
    >>> onnx = Layout(gates="iofg")
    """

    gates: str = GATES
    transposed: bool = False
    biases: int = 2
    forget_bias: float = 0.0

    def __post_init__(self) -> None:
        if sorted(self.gates) != sorted(GATES):
            raise ValueError(f"gates must be a permutation of {GATES!r}, got {self.gates!r}")
        if self.biases not in (1, 2):
            raise ValueError(f"biases must be 1 or 2, got {self.biases}")

    def stored(self, case: Case, suffix: str = "_l0") -> Stored:
        """Convert the parameters of one layer and direction of `case` to this layout.

        `suffix` ends their names, such as ``_l1_reverse``. Arrays have the case's dtype; a sum of
        biases is rounded once. A configuration without biases gives none, unless there is a
        `forget_bias` to subtract.
        """
        parameters = {
            name.removesuffix(suffix): array
            for name, array in case.parameters.items()
            if name.endswith(suffix)
        }
        w_ih, w_hh = (self.reordered(parameters[f"weight_{which}"]) for which in ("ih", "hh"))
        w_hr = parameters.get("weight_hr")
        turn = np.transpose if self.transposed else np.asarray
        return Stored(
            np.ascontiguousarray(turn(w_ih)),
            np.ascontiguousarray(turn(w_hh)),
            self._biases(case, parameters),
            None if w_hr is None else np.ascontiguousarray(turn(w_hr)),
        )

    def _biases(self, case: Case, parameters: Mapping[str, Array]) -> tuple[Array, ...]:
        wide, size = case.dtype.wide, case.configuration.hidden_size
        if not case.configuration.bias and not self.forget_bias:
            return ()
        zeros = np.zeros(4 * size, case.dtype.numpy)
        both = [parameters.get(name, zeros).astype(wide) for name in ("bias_ih", "bias_hh")]
        forget = slice(size, 2 * size)
        if self.biases == 1:
            both = [both[0] + both[1]]
        both[0][forget] -= self.forget_bias
        return tuple(self.reordered(bias).astype(case.dtype.numpy) for bias in both)

    def reordered(self, stacked: Array) -> Array:
        """Restack rows from PyTorch's order of gates in the order `gates`."""
        blocks = self.by_gate(stacked)
        return np.concatenate([blocks[gate] for gate in self.gates])

    @staticmethod
    def by_gate(stacked: Array) -> dict[str, Array]:
        """Split rows that are stacked in PyTorch's order into one block per gate, by letter."""
        return dict(zip(GATES, np.split(np.asarray(stacked), 4), strict=True))

    def restored(self, stored: Stored, suffix: str = "_l0") -> dict[str, Array]:
        """Convert gradients by stored parameters to gradients by PyTorch's, under PyTorch's names.

        This is the chain rule through :meth:`stored`: where that adds both biases up, the gradient
        by the sum is the gradient by each.
        """
        turn = np.transpose if self.transposed else np.asarray

        def back(array: Array) -> Array:
            blocks = dict(zip(self.gates, np.split(array, 4), strict=True))
            return np.concatenate([blocks[gate] for gate in GATES])

        named = {
            "weight_ih": back(turn(stored.weight_ih)),
            "weight_hh": back(turn(stored.weight_hh)),
        }
        if stored.biases:
            named["bias_ih"], named["bias_hh"] = back(stored.biases[0]), back(stored.biases[-1])
        if stored.weight_hr is not None:
            named["weight_hr"] = turn(stored.weight_hr)
        return {name + suffix: array for name, array in named.items()}
