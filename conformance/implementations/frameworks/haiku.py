"""Haiku: ``haiku.LSTM`` in ``haiku.dynamic_unroll``, several of them in ``haiku.DeepRNN``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import haiku as hk
import jax
from jax import numpy as jnp

from conformance.implementations.frameworks.jax_functions import Answer, Given, JaxLSTM
from conformance.implementations.layouts import Layout
from reference import Configuration, Precision
from strategies import ONE_LAYER


class HaikuLSTM(JaxLSTM):
    """``haiku.LSTM``, a core that adds 1 to the forget gate's bias and has one linear layer.

    Its weights are those of the input above those of h, with the gates i, g, f, o. It has neither
    directions nor lengths, and no option to leave out the bias.
    """

    name = "haiku"
    layout = Layout(gates="igfo", transposed=True, biases=1, forget_bias=1.0)
    precision = Precision(added_bias=1.0)
    supports = replace(ONE_LAYER, max_layers=12, bias=(True,), hands_on_arrays=True)

    def call(self, configuration: Configuration, given: Given, lengths: Any) -> Answer:
        """Apply the network to separate parameters; a state is (hidden, cell)."""
        stored, x, h_0, c_0 = given
        swap = x.ndim == 3 and configuration.batch_first
        xs = x.swapaxes(0, 1) if swap else x

        def unrolled(xs: Any) -> Any:
            network = hk.DeepRNN([hk.LSTM(configuration.hidden_size) for _ in stored])
            states: Any = network.initial_state(xs.shape[1] if xs.ndim == 3 else None)
            # the initial state has JAX's default dtype, whatever that of the input
            states = jax.tree.map(lambda state: state.astype(xs.dtype), states)
            if h_0 is not None:
                states = tuple(map(hk.LSTMState, h_0, c_0))
            return hk.dynamic_unroll(network, xs, states)

        parameters = {}
        for number, (w_ih, w_hh, (bias,), _) in enumerate(stored):
            name = f"lstm_{number}/linear" if number else "lstm/linear"
            parameters[name] = {"w": jnp.concatenate([w_ih, w_hh]), "b": bias}
        output, states = hk.transform(unrolled).apply(parameters, None, xs)
        h_n, c_n = (jnp.stack(each) for each in zip(*states, strict=True))
        return output.swapaxes(0, 1) if swap else output, h_n, c_n
