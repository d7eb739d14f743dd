"""An implementation that computes one layer from arrays, for frameworks without an adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from conformance.implementations.frameworks.networks import Layer, chain, chain_gradients
from conformance.implementations.layouts import Layout, Stored
from reference import Array, Case, Precision, Result
from strategies import ONE_LAYER, Support


class Layered:
    """The base of an implementation that computes one layer in one direction from arrays.

    The arrays are the input (T, N, features), h_0 and c_0 (1, N, hidden_size), and the parameters
    in `layout`: weight_ih, weight_hh and the biases. Layers are computed one after another.

    - `name`, `precision`: as for every implementation;
    - `takes`: fields of :class:`conformance.Support` other than those of one layer with both
      states, time-major and with a batch axis.
    """

    name: ClassVar[str] = ""
    precision: ClassVar[Precision] = Precision()
    layout: ClassVar[Layout] = Layout()
    takes: ClassVar[Mapping[str, Any]] = {}

    def layer(self, *arrays: Array) -> Sequence[Any]:
        """Compute output, h_n and c_n, each as anything that NumPy can convert to an array."""
        raise NotImplementedError

    def pulled_back(self, arrays: Sequence[Array], cotangents: Sequence[Array]) -> Sequence[Any]:
        """Compute the gradient by each of the arrays from the cotangents of output, h_n and c_n.

        Without this method the implementation has no gradients.
        """
        raise NotImplementedError

    @property
    def supports(self) -> Support:
        """What is taken."""
        fields: dict[str, Any] = {
            "states": (True,),
            "batch_first": (False,),
            "batched": (True,),
            "bias": (True,),
            "gradients": type(self).pulled_back is not Layered.pulled_back,
        }
        return replace(ONE_LAYER, **{**fields, **self.takes})

    def run(self, case: Case) -> Result:
        """Compute `case`, layer by layer."""
        return chain(case, self.layout, self._computed)

    def gradients(self, case: Case, cotangents: Result) -> dict[str, Array]:
        """Compute the gradients of the sum of every result times its cotangent."""
        return chain_gradients(case, self.layout, self._computed, self._gradients, cotangents)

    def _computed(self, layer: Layer, x: Any) -> tuple[Any, Any, Any]:
        output, h_n, c_n = self.layer(*_arrays(layer, x))
        return output, h_n, c_n

    def _gradients(self, layer: Layer, x: Any, cotangents: Result) -> tuple[Layer, Array]:
        weights = [array for _, array in cotangents.items()]
        found = [np.asarray(each) for each in self.pulled_back(_arrays(layer, x), weights)]
        dx, dh_0, dc_0, weight_ih, weight_hh, *biases = found
        return Layer(layer.number, [Stored(weight_ih, weight_hh, tuple(biases))], dh_0, dc_0), dx


def _arrays(layer: Layer, x: Any) -> list[Array]:
    """List the arrays of one layer."""
    (stored,) = layer.directions
    found = [x, layer.h_0, layer.c_0, stored.weight_ih, stored.weight_hh, *stored.biases]
    return [np.asarray(each) for each in found]
