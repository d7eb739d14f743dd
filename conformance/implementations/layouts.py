"""How LSTMs store the parameters of one layer and direction, from PyTorch's layout and back.

PyTorch stacks the rows of the gates i, f, g, o in weights (4 * hidden_size, features) and has two
biases. Others order the gates otherwise, store kernels transposed, have one bias, or add a
constant to the forget gate's bias themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from reference import Array, Case

GATES = "ifgo"
"""PyTorch's order of the gates; g is the candidate, which others call c, z or j."""


class Stored(NamedTuple):
    """Parameters of one layer and direction, or gradients by them, as a :class:`Layout` has them.

    `biases` has two arrays, one or none; `weight_hr` is None without a projection.
    """

    weight_ih: Array
    weight_hh: Array
    biases: tuple[Array, ...] = ()
    weight_hr: Array | None = None


@dataclass(frozen=True)
class Layout:
    """One way to store the parameters of a layer and direction.

    - `gates`: the order in which the gates are stacked, a permutation of ``"ifgo"``;
    - `transposed`: whether weights are (features, 4 * hidden_size), as of a kernel that is
      multiplied from the right, and the projection (hidden_size, proj_size);
    - `biases`: 2, or 1 that takes the sum of both;
    - `forget_bias`: what the implementation adds to the forget gate's bias by itself, and what is
      subtracted from it here. It is rounded to the dtype: declare it as ``Precision(added_bias=)``.

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
        """The parameters of one layer and direction of `case`, such as ``_l1_reverse``.

        Arrays have the case's dtype; a sum of biases is rounded to it once. Without biases in the
        configuration there are none, unless a `forget_bias` has to be taken back.
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
        """Rows stacked in PyTorch's order, stacked in the order of `gates`."""
        blocks = self.by_gate(stacked)
        return np.concatenate([blocks[gate] for gate in self.gates])

    @staticmethod
    def by_gate(stacked: Array) -> dict[str, Array]:
        """Rows stacked in PyTorch's order as one block for each gate, by its letter."""
        return dict(zip(GATES, np.split(np.asarray(stacked), 4), strict=True))

    def restored(self, stored: Stored, suffix: str = "_l0") -> dict[str, Array]:
        """Gradients by stored parameters as gradients by PyTorch's, by PyTorch's names.

        The inverse of :meth:`stored` for all that is linear in it: a single bias hands its
        gradient to both of PyTorch's.
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
