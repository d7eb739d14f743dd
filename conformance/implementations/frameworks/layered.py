"""An implementation made of functions that compute one layer, for frameworks without an adapter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from conformance.implementations.frameworks.networks import Layer, chain, chain_gradients
from conformance.implementations.layouts import Layout, Stored
from reference import Array, Case, Precision, Result
from strategies import ONE_LAYER, Support


class Layered:
    """A network whose layers, in one direction, are computed by functions of arrays.

    The arrays are the input (T, N, features), h_0 and c_0 (1, N, hidden_size), and the parameters
    in `layout`: weight_ih, weight_hh and the biases.

    - `layer` takes these arrays and returns output, h_n and c_n, each as anything that NumPy can
      convert to an array;
    - `pulled_back` takes a list of these arrays and the cotangents of output, h_n and c_n, and
      returns the gradient by each of the arrays. Without it there are no gradients;
    - `precision` is the arithmetic, if it is not the dtype's own;
    - `supports` are further fields of :class:`conformance.Support`, by name. By default one layer
      is taken, with both states, time-major and with a batch axis.
    """

    def __init__(
        self,
        name: str,
        layout: Layout,
        layer: Callable[..., Sequence[Any]],
        pulled_back: Callable[[list[Array], list[Array]], Sequence[Any]] | None = None,
        *,
        precision: Precision = Precision(),  # noqa: B008
        **supports: Any,
    ) -> None:
        self.name, self.layout, self.precision = name, layout, precision
        self._layer, self._pulled_back = layer, pulled_back
        taken: dict[str, Any] = {"states": (True,), "batch_first": (False,), "batched": (True,)}
        taken |= {"bias": (layout.biases > 0,), "gradients": pulled_back is not None}
        self.supports: Support = replace(ONE_LAYER, **{**taken, **supports})

    def run(self, case: Case) -> Result:
        """Compute `case`, layer by layer."""
        return chain(case, self.layout, self._computed)

    def gradients(self, case: Case, cotangents: Result) -> dict[str, Array]:
        """Compute the gradients of the sum of every result times its cotangent."""
        return chain_gradients(case, self.layout, self._computed, self._gradients, cotangents)

    def _computed(self, layer: Layer, x: Any) -> tuple[Any, Any, Any]:
        output, h_n, c_n = self._layer(*_arrays(layer, x))
        return output, h_n, c_n

    def _gradients(self, layer: Layer, x: Any, cotangents: Result) -> tuple[Layer, Array]:
        assert self._pulled_back is not None
        weights = [array for _, array in cotangents.items()]
        found = [np.asarray(each) for each in self._pulled_back(_arrays(layer, x), weights)]
        dx, dh_0, dc_0, *stored = found
        return Layer(layer.number, [Stored(*stored[:2], tuple(stored[2:]))], dh_0, dc_0), dx


def _arrays(layer: Layer, x: Any) -> list[Array]:
    """List what a function of one layer takes."""
    (stored,) = layer.directions
    assert layer.h_0 is not None
    assert layer.c_0 is not None
    found = [x, layer.h_0, layer.c_0, stored.weight_ih, stored.weight_hh, *stored.biases]
    return [np.asarray(each) for each in found]
