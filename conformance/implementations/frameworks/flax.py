"""Flax: the LSTM cells of ``flax.linen`` and ``flax.nnx``, each in the ``RNN`` of that package."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
from flax import linen, nnx
from jax import numpy as jnp

from conformance.implementations.frameworks.jax_functions import Answer, Given, JaxLSTM
from conformance.implementations.layouts import GATES, Layout, Stored
from reference import Configuration
from strategies import Support


class FlaxLSTM(JaxLSTM):
    """A cell in ``RNN``, or two of them in ``Bidirectional``.

    Kernels are transposed. There is one bias, in the hidden part, and no option to leave it out.
    Lengths are passed as ``seq_lengths``; the state, called carry, is (c, h).
    """

    layout = Layout(transposed=True, biases=1)
    supports = Support(
        max_layers=1, bias=(True,), projection=False, dropout=False, hands_on_arrays=True
    )

    def call(self, configuration: Configuration, given: Given, lengths: Any) -> Answer:
        """Call what :meth:`network` makes, with a carry for each direction."""
        stored, x, h_0, c_0 = given
        carries = None if h_0 is None else list(zip(c_0, h_0, strict=True))
        carry, output = self.network(configuration, stored, x.dtype)(
            x,
            initial_carry=carries and (carries if len(carries) == 2 else carries[0]),
            seq_lengths=lengths,
            return_carry=True,
            time_major=x.ndim == 3 and not configuration.batch_first,
        )
        states = jax.tree.leaves(carry)
        return output, jnp.stack(states[1::2]), jnp.stack(states[::2])

    def network(
        self, configuration: Configuration, stored: list[Stored], dtype: Any
    ) -> Callable[..., Any]:
        """Make a callable that takes the arguments of ``RNN``."""
        raise NotImplementedError


class LinenLSTM(FlaxLSTM):
    """``flax.linen.LSTMCell``: a module that is applied to separate parameters."""

    name = "flax-linen"
    cell: type[linen.RNNCellBase] = linen.LSTMCell

    def network(
        self, configuration: Configuration, stored: list[Stored], dtype: Any
    ) -> Callable[..., Any]:
        """Bind ``RNN.apply`` to the parameters, by gate."""
        kind = {"dtype": dtype, "param_dtype": dtype}
        rnns = [linen.RNN(self.cell(configuration.hidden_size, **kind)) for _ in stored]
        params = [{"cell": by_gate(each)} for each in stored]
        if len(rnns) == 1:
            return partial(rnns[0].apply, {"params": params[0]})
        both = dict(zip(("forward_rnn", "backward_rnn"), params, strict=True))
        return partial(linen.Bidirectional(*rnns).apply, {"params": both})


class LinenOptimizedLSTM(LinenLSTM):
    """``flax.linen.OptimizedLSTMCell``, whose parameters are those of ``LSTMCell``."""

    name = "flax-linen-optimized"
    cell = linen.OptimizedLSTMCell


def by_gate(stored: Stored) -> dict[str, dict[str, Any]]:
    """Split parameters by gate: ``ii`` has a kernel, ``hi`` a kernel and the bias, and so on."""
    split = partial(jnp.split, indices_or_sections=4, axis=-1)
    arrays = split(stored.weight_ih), split(stored.weight_hh), split(stored.biases[0])
    parameters = {}
    for gate, kernel, recurrent, bias in zip(GATES, *arrays, strict=True):
        parameters[f"i{gate}"] = {"kernel": kernel}
        parameters[f"h{gate}"] = {"kernel": recurrent, "bias": bias}
    return parameters


class NnxLSTM(FlaxLSTM):
    """``flax.nnx.LSTMCell``: a module that holds its parameters, in ``Linear`` modules by gate."""

    name = "flax-nnx"
    cell: type[Any] = nnx.LSTMCell

    def network(
        self, configuration: Configuration, stored: list[Stored], dtype: Any
    ) -> Callable[..., Any]:
        """Make an ``RNN`` whose cell holds the parameters, or a ``Bidirectional`` of two."""
        zeros = nnx.initializers.zeros_init()
        options = {"kernel_init": zeros, "recurrent_kernel_init": zeros, "rngs": nnx.Rngs(0)}
        rnns: list[Any] = []
        for each in stored:
            sizes = configuration.input_size, configuration.hidden_size
            kind = {"dtype": dtype, "param_dtype": dtype}
            cell = self.cell(*sizes, **kind, **options)
            self.fill(cell, each)
            rnns.append(nnx.RNN(cell))
        both: Any = nnx.Bidirectional
        return both(*rnns) if len(rnns) == 2 else rnns[0]  # type: ignore[no-any-return]

    def fill(self, cell: Any, stored: Stored) -> None:
        """Set the parameters of the cell; ``if``, a Python keyword, is called ``if_`` there."""
        for name, parameters in by_gate(stored).items():
            linear = getattr(cell, "if_" if name == "if" else name)
            for parameter, value in parameters.items():
                getattr(linear, parameter).set_value(value)


class NnxOptimizedLSTM(NnxLSTM):
    """``flax.nnx.OptimizedLSTMCell``, whose gates share two ``Linear`` modules."""

    name = "flax-nnx-optimized"
    cell = nnx.OptimizedLSTMCell

    def fill(self, cell: Any, stored: Stored) -> None:
        """Set the parameters of the cell, with the gates stacked i, f, g, o."""
        cell.dense_i.kernel.set_value(stored.weight_ih)
        cell.dense_h.kernel.set_value(stored.weight_hh)
        cell.dense_h.bias.set_value(stored.biases[0])
