"""Keras 3 on PyTorch and on JAX: its LSTM layer, and its LSTM cell in an RNN layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from conformance.implementations.frameworks.keras_backends import JaxBackend, TorchBackend
from conformance.implementations.frameworks.networks import (
    Layer,
    chain,
    chain_gradients,
    layers,
    mask_of,
)
from conformance.implementations.layouts import Layout, Stored
from reference import Array, Case, Result
from strategies import Support

LAYOUT = Layout(transposed=True, biases=1)
"""The layout of Keras, which names the gates i, f, c, o; its c is the candidate g."""

OPTIONS = {"return_sequences": True, "return_state": True, "zero_output_for_mask": True}
INITIALIZERS = {"kernel_initializer": "zeros", "recurrent_initializer": "zeros"}
"""Cheap initializers, as all parameters are set; the default one, orthogonal, fails in float16."""


class KerasLSTM:
    """``keras.layers.LSTM``, one for each layer, in ``Bidirectional`` for both directions.

    The input is batch first, and lengths are passed as a mask. An option of the layer makes the
    output zero where the mask is False; by default the output there repeats the last valid step.
    """

    name = "keras-torch"
    backend: type[TorchBackend] = TorchBackend
    supports = Support(
        batch_first=(True,), batched=(True,), projection=False, dropout=False, hands_on_arrays=True
    )

    def __init__(self) -> None:
        self.on = self.backend(self.name)

    def run(self, case: Case) -> Result:
        """Compute `case`, layer by layer."""
        return chain(case, LAYOUT, partial(self.call, case))

    def gradients(self, case: Case, cotangents: Result) -> Mapping[str, Array]:
        """Compute the gradients of the sum of every result times its cotangent, layer by layer."""
        call, pulled_back = partial(self.call, case), partial(self.pulled_back, case)
        return chain_gradients(case, LAYOUT, call, pulled_back, cotangents)

    def arguments(self, case: Case, layer: Layer, x: Array) -> tuple[Any, Any, Any, Any]:
        """Make a Keras layer with the parameters of `layer`, and its mask, input and states."""
        states = None
        if layer.h_0 is not None and layer.c_0 is not None:
            states = [*map(self.on.tensor, interleaved(layer.h_0, layer.c_0))]
        return built(self.on.keras, case, layer), mask_of(case), self.on.tensor(x), states

    def call(self, case: Case, layer: Layer, x: Array) -> tuple[Array, Array, Array]:
        """Compute output, h_n and c_n of one layer."""
        lstm, mask, x, states = self.arguments(case, layer, x)
        answer = self.on.compiled(lstm)(x, initial_state=states, mask=mask)
        output, *final = map(self.on.array, answer)
        return output, np.stack(final[::2]), np.stack(final[1::2])

    def pulled_back(
        self, case: Case, layer: Layer, x: Array, weights: Result
    ) -> tuple[Layer, Array]:
        """Compute the gradients by the parameters and states of one layer, and by its input."""
        weighted = [weights.output, *interleaved(weights.h_n, weights.c_n)]
        found = self.on.gradients(*self.arguments(case, layer, x), [*map(self.on.tensor, weighted)])
        variables, states = ([*map(self.on.array, each)] for each in (found[0], found[2]))
        size = len(variables) // len(layer.directions)
        each = (variables[first : first + size] for first in range(0, len(variables), size))
        directions = [Stored(w_ih, w_hh, tuple(bias)) for w_ih, w_hh, *bias in each]
        h_0, c_0 = (np.stack(states[part::2]) if states else None for part in (0, 1))
        return Layer(layer.number, directions, h_0, c_0), self.on.array(found[1])


class KerasCells(KerasLSTM):
    """``keras.layers.LSTMCell`` in ``keras.layers.RNN``, several of them in ``StackedRNNCells``.

    A single cell is not put into a stack, as a stack of one cell fails on JAX.
    """

    name = "keras-torch-cell"
    supports = replace(KerasLSTM.supports, bidirectional=(False,), gradients=False)

    def run(self, case: Case) -> Result:
        """Compute `case` with one layer that holds all cells."""
        keras, c, kind = self.on.keras, case.configuration, {"dtype": case.dtype.name}
        cells = [
            keras.layers.LSTMCell(c.hidden_size, use_bias=c.bias, **kind, **INITIALIZERS)
            for _ in range(c.num_layers)
        ]
        single = c.num_layers == 1
        cell = cells[0] if single else keras.layers.StackedRNNCells(cells, **kind)
        rnn = keras.layers.RNN(cell, **OPTIONS, **kind)
        rnn.build((None, None, c.input_size))
        stacked = layers(case, LAYOUT)
        rnn.set_weights([array for layer in stacked for array in weights(layer.directions[0])])
        states: Any = None
        if case.h_0 is not None and case.c_0 is not None:
            pairs = zip(case.h_0, case.c_0, strict=True)
            states = [[self.on.tensor(state) for state in pair] for pair in pairs]
            states = states[0] if single else states
        x = self.on.tensor(case.input)
        output, *final = self.on.compiled(rnn)(x, initial_state=states, mask=mask_of(case))
        final = [final] if single else final
        h_n, c_n = (np.stack([self.on.array(pair[part]) for pair in final]) for part in (0, 1))
        return Result(self.on.array(output), h_n, c_n)


class KerasJaxLSTM(KerasLSTM):
    """:class:`KerasLSTM` on JAX."""

    name, backend = "keras-jax", JaxBackend


class KerasJaxCells(KerasCells):
    """:class:`KerasCells` on JAX."""

    name, backend = "keras-jax-cell", JaxBackend


def built(keras: Any, case: Case, layer: Layer) -> Any:
    """Build a Keras layer with the parameters of `layer`."""
    options = {"use_bias": case.configuration.bias, "dtype": case.dtype.name}
    lstm = keras.layers.LSTM(case.configuration.hidden_size, **options, **OPTIONS, **INITIALIZERS)
    if case.configuration.bidirectional:
        lstm = keras.layers.Bidirectional(lstm, dtype=case.dtype.name)
    lstm.build((None, None, len(layer.directions[0].weight_ih)))
    lstm.set_weights([array for stored in layer.directions for array in weights(stored)])
    return lstm


def weights(stored: Stored) -> list[Array]:
    """List the kernel, the recurrent kernel and, if there is one, the bias of one direction."""
    return [stored.weight_ih, stored.weight_hh, *stored.biases]


def interleaved(h: Array, c: Array) -> list[Array]:
    """List h and c of each direction in turn, the order in which Keras has states."""
    return [state for pair in zip(h, c, strict=True) for state in pair]
