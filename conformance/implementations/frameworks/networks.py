"""A network as a chain of layers, its gradients, and lengths as a mask, for several adapters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from conformance.implementations.implementation import without_padding
from conformance.implementations.layouts import Layout, Stored
from reference import Array, Case, Result


class Layer(NamedTuple):
    """One layer of a case.

    - `number`: the number of the layer, from 0 for the lowest;
    - `directions`: the parameters of each direction;
    - `h_0`, `c_0`: the initial states (D, N, R) and (D, N, hidden_size), without N if the case is
      unbatched, and None if the case has none.
    """

    number: int
    directions: list[Stored]
    h_0: Array | None
    c_0: Array | None


def layers(case: Case, layout: Layout) -> list[Layer]:
    """List the layers of `case` from the lowest, with the parameters in `layout`."""
    stored = [layout.stored(case, suffix) for suffix in case.configuration.suffixes()]
    count = case.configuration.num_directions
    found = []
    for number in range(case.configuration.num_layers):
        here = slice(number * count, (number + 1) * count)
        h_0, c_0 = (None if state is None else state[here] for state in (case.h_0, case.c_0))
        found.append(Layer(number, stored[here], h_0, c_0))
    return found


def chain(
    case: Case, layout: Layout, layer: Callable[[Layer, Any], tuple[Any, Any, Any]]
) -> Result:
    """Run the layers of `case` one after another, each on the output of the layer below.

    `layer` is called with a layer and its input, and returns the output and the final states
    (D, N, R) and (D, N, hidden_size), each as anything that NumPy can convert to an array.
    """
    x: Any = case.input
    h_n, c_n = [], []
    for each in layers(case, layout):
        x, h, c = layer(each, x)
        h_n.append(np.asarray(h))
        c_n.append(np.asarray(c))
    return Result(np.asarray(x), np.concatenate(h_n), np.concatenate(c_n))


def chain_gradients(
    case: Case,
    layout: Layout,
    layer: Callable[[Layer, Any], tuple[Any, Any, Any]],
    pulled_back: Callable[[Layer, Any, Result], tuple[Layer, Array]],
    cotangents: Result,
) -> dict[str, Array]:
    """Compute the gradients of the sum of every result times its cotangent, by PyTorch's names.

    - `layer`: the function that :func:`chain` takes;
    - `pulled_back`: a function of a layer, its input and the cotangents of its results. It returns
      a :class:`Layer` of the gradients by parameters and states, and the gradient by the input.
    """
    stack = layers(case, layout)
    inputs: list[Any] = [case.input]
    for each in stack[:-1]:
        inputs.append(layer(each, inputs[-1])[0])
    weights = without_padding(cotangents, case)
    by_input = weights.output
    found: list[Layer] = []
    count = case.configuration.num_directions
    for each, x in zip(reversed(stack), reversed(inputs), strict=True):
        here = slice(each.number * count, (each.number + 1) * count)
        by_layer, by_input = pulled_back(
            each, x, Result(by_input, weights.h_n[here], weights.c_n[here])
        )
        found.insert(0, by_layer)
    gradients = {"input": by_input}
    by_suffix = [stored for by_layer in found for stored in by_layer.directions]
    for suffix, stored in zip(case.configuration.suffixes(), by_suffix, strict=True):
        gradients.update(layout.restored(stored, suffix))
    if case.h_0 is not None:
        gradients["h_0"] = np.concatenate([by_layer.h_0 for by_layer in found])
        gradients["c_0"] = np.concatenate([by_layer.c_0 for by_layer in found])
    return gradients


def mask_of(case: Case) -> Array | None:
    """Make a mask (N, T), True within each row's length; None if the case has no lengths."""
    return None if case.lengths is None else case.valid_steps().T
