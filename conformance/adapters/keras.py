"""Keras 3 on PyTorch: its LSTM layer, and its LSTM cell in an RNN layer."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from conformance.adapters.networks import Layer, chain, chain_gradients, layers, valid_steps
from conformance.errors import UsageError
from conformance.layouts import Layout, Stored
from reference import DTYPES, Array, Case, Result
from strategies import Support

LAYOUT = Layout(transposed=True, biases=1)
"""Keras names the gates i, f, c, o; its c is the candidate g."""


class KerasLSTM:
    """``keras.layers.LSTM``, one for each layer, in ``Bidirectional`` for both directions.

    Batch first; lengths are a mask. The output is zero where the mask is False because the layer
    is told so: by default it repeats there the output of the step before.
    """

    name = "keras-torch"
    backend = "torch"
    hands_on_arrays = True
    supports = Support(batch_first=(True,), batched=(True,), projection=False, dropout=False)

    def __init__(self) -> None:
        self.keras = keras_on(self.backend, self.name)

    def run(self, case: Case) -> Result:
        """Call the layers one after another."""
        return chain(case, LAYOUT, partial(self.call, case))

    def gradients(self, case: Case, cotangents: Result) -> Mapping[str, Array]:
        """Gradients of the sum of all results times their cotangents, layer by layer."""
        pulled_back = partial(self.pulled_back, case)
        return chain_gradients(case, LAYOUT, partial(self.call, case), pulled_back, cotangents)

    def call(self, case: Case, layer: Layer, x: Array) -> tuple[Array, Array, Array]:
        """Output and final states of one layer with its parameters."""
        lstm, x, states = self.built(case, layer), self.tensor(x), self.states(layer)
        answer = self.compiled(lstm)(x, initial_state=states, mask=valid_steps(case))
        output, *final = map(self.array, answer)
        return output, np.stack(final[::2]), np.stack(final[1::2])

    def pulled_back(
        self, case: Case, layer: Layer, x: Array, weights: Result
    ) -> tuple[Layer, Array]:
        """Gradients by parameters and states of one layer, and by its input."""
        pairs = zip(weights.h_n, weights.c_n, strict=True)
        weighted = [weights.output, *(array for pair in pairs for array in pair)]
        lstm, x, states = self.built(case, layer), self.tensor(x), self.states(layer)
        found = self.vjp(lstm, valid_steps(case), x, states, list(map(self.tensor, weighted)))
        variables, by_input, by_states = found
        arrays = list(map(self.array, variables))
        size = len(arrays) // len(layer.directions)
        directions = [
            Stored(w_ih, w_hh, tuple(bias))
            for w_ih, w_hh, *bias in (arrays[:size], arrays[size:])[: len(layer.directions)]
        ]
        h_0 = c_0 = None
        if by_states:
            arrays = [self.array(each) for each in by_states]
            h_0, c_0 = np.stack(arrays[::2]), np.stack(arrays[1::2])
        return Layer(layer.number, directions, h_0, c_0), self.array(by_input)

    def vjp(
        self, layer: Any, mask: Array | None, x: Any, states: list[Any] | None, weights: list[Any]
    ) -> tuple[list[Any], Any, list[Any]]:
        """Gradients by variables, input and states of the results times `weights`: autograd's."""
        import torch

        leaves = [x.requires_grad_(), *(state.requires_grad_() for state in states or [])]
        variables = [variable.value for variable in layer.trainable_variables]
        results = layer(x, initial_state=states, mask=mask)
        found = torch.autograd.grad(results, [*variables, *leaves], weights)
        by_variables, (by_x, *by_states) = found[: len(variables)], found[len(variables) :]
        return list(by_variables), by_x, by_states

    def built(self, case: Case, layer: Layer) -> Any:
        """A layer with the case's parameters."""
        options = {"use_bias": case.configuration.bias, "dtype": case.dtype.name}
        size = case.configuration.hidden_size
        lstm = self.keras.layers.LSTM(size, **options, **OPTIONS, **INITIALIZERS)
        if case.configuration.bidirectional:
            lstm = self.keras.layers.Bidirectional(lstm, dtype=case.dtype.name)
        lstm.build((None, None, len(layer.directions[0].weight_ih)))
        lstm.set_weights([array for stored in layer.directions for array in weights(stored)])
        return lstm

    def states(self, layer: Layer) -> list[Any] | None:
        """The initial states h, c of each direction, None if there are none."""
        if layer.h_0 is None or layer.c_0 is None:
            return None
        pairs = zip(layer.h_0, layer.c_0, strict=True)
        return [self.tensor(state) for pair in pairs for state in pair]

    def compiled(self, layer: Any) -> Any:
        """The layer as it is usually called: here, as it is."""
        return layer

    def tensor(self, array: Array) -> Any:
        """A NumPy array as a tensor of the backend, of the same type."""
        wide = array.astype(np.float32) if array.dtype.name == "bfloat16" else array
        return self.keras.ops.convert_to_tensor(wide.copy(), dtype=array.dtype.name)

    def array(self, tensor: Any) -> Array:
        """A tensor of the backend as a NumPy array, of the same type."""
        dtype = self.keras.backend.standardize_dtype(tensor.dtype)
        array: Array = self.keras.ops.convert_to_numpy(tensor).astype(DTYPES[dtype].numpy)
        return array


OPTIONS = {"return_sequences": True, "return_state": True, "zero_output_for_mask": True}
INITIALIZERS = {"kernel_initializer": "zeros", "recurrent_initializer": "zeros"}
"""Parameters are set; the default for recurrent kernels, orthogonal, does not know half types."""


class KerasCells(KerasLSTM):
    """``keras.layers.LSTMCell`` in ``keras.layers.RNN``, several of them in ``StackedRNNCells``.

    A stack of one cell fails on JAX, so that a single cell is given as it is.
    """

    name = "keras-torch-cell"
    supports = Support(
        batch_first=(True,),
        bidirectional=(False,),
        batched=(True,),
        projection=False,
        dropout=False,
        gradients=False,
    )

    def run(self, case: Case) -> Result:
        """Call the layer with the states of all cells."""
        keras, c, kind = self.keras, case.configuration, {"dtype": case.dtype.name}
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
            states = [[self.tensor(state) for state in pair] for pair in pairs]
            states = states[0] if single else states
        x = self.tensor(case.input)
        output, *final = self.compiled(rnn)(x, initial_state=states, mask=valid_steps(case))
        final = [final] if single else final
        h_n, c_n = (np.stack([self.array(pair[part]) for pair in final]) for part in (0, 1))
        return Result(self.array(output), h_n, c_n)


def weights(stored: Stored) -> list[Array]:
    """Kernel, recurrent kernel and, if any, the bias of one direction."""
    return [stored.weight_ih, stored.weight_hh, *stored.biases]


def keras_on(backend: str, name: str) -> Any:
    """Keras on this backend; a process has one, chosen by a variable when Keras is imported."""
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = backend
    import keras

    if keras.backend.backend() != backend:
        raise UsageError(
            f"{name} needs Keras on {backend}, but it runs on {keras.backend.backend()} in this "
            "process: verify one backend at a time"
        )
    return keras
