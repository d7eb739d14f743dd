"""Equinox: ``equinox.nn.LSTMCell``, mapped over the batch and scanned over time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
from jax import numpy as jnp

from conformance.implementations.frameworks.jax_functions import Answer, Given, JaxLSTM
from conformance.implementations.layouts import Layout
from reference import Configuration
from strategies import ONE_LAYER


class EquinoxLSTM(JaxLSTM):
    """``equinox.nn.LSTMCell`` in a scan over time, as the documentation of the cell shows it.

    The cell takes the vector of one row, and ``jax.vmap`` maps the cell over the batch. The cell
    has neither directions nor lengths.
    """

    name = "equinox"
    layout = Layout(biases=1)
    supports = replace(ONE_LAYER, hands_on_arrays=True)

    def call(self, configuration: Configuration, given: Given, lengths: Any) -> Answer:
        """Scan over time; the state is (h, c)."""
        stored, x, h_0, c_0 = given
        size, key = configuration.hidden_size, jax.random.key(0)
        cell = eqx.nn.LSTMCell(configuration.input_size, size, configuration.bias, x.dtype, key=key)
        weights = lambda cell: (cell.weight_ih, cell.weight_hh, cell.bias)  # noqa: E731
        cell = eqx.tree_at(weights, cell, (*stored[0][:2], *(stored[0].biases or (None,))))
        step = jax.vmap(cell) if x.ndim == 3 else cell
        swap = x.ndim == 3 and configuration.batch_first
        xs = x.swapaxes(0, 1) if swap else x
        zeros = jnp.zeros((*xs.shape[1:-1], size), x.dtype)
        state = (zeros, zeros) if h_0 is None else (h_0[0], c_0[0])

        def scanned(state: Any, x: Any) -> Any:
            state = step(x, state)
            return state, state[0]

        (h_n, c_n), output = jax.lax.scan(scanned, state, xs)
        return output.swapaxes(0, 1) if swap else output, h_n[None], c_n[None]
