"""Keras 3 on JAX: the layers of Keras on PyTorch, compiled."""

from __future__ import annotations

from typing import Any

import jax

from conformance.adapters.jax_functions import forget_often
from conformance.adapters.keras import KerasCells, KerasLSTM
from reference import Array


class KerasJaxLSTM(KerasLSTM):
    """:class:`KerasLSTM` on JAX, where layers are usually called within ``jax.jit``."""

    name, backend = "keras-jax", "jax"

    def compiled(self, layer: Any) -> Any:
        """The layer compiled, with its variables as constants."""
        forget_often()
        return jax.jit(layer)

    def vjp(
        self, layer: Any, mask: Array | None, x: Any, states: list[Any] | None, weights: list[Any]
    ) -> tuple[list[Any], Any, list[Any]]:
        """By ``jax.vjp`` through Keras' ``stateless_call``, compiled."""

        def call(variables: list[Any], x: Any, states: list[Any] | None) -> Any:
            others = layer.non_trainable_variables
            results, _ = layer.stateless_call(variables, others, x, initial_state=states, mask=mask)
            return list(results)

        forget_often()
        variables = [variable.value for variable in layer.trainable_variables]
        _, backward = jax.vjp(jax.jit(call), variables, x, states)
        by_variables, by_x, by_states = backward(weights)
        return by_variables, by_x, by_states or []


class KerasJaxCells(KerasJaxLSTM, KerasCells):
    """:class:`KerasCells` on JAX."""

    name = "keras-jax-cell"
    supports = KerasCells.supports
