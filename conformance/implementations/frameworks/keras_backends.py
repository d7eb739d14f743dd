"""The backends of Keras: tensors, compiled layers and gradients in PyTorch and in JAX."""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np

from conformance.errors import UsageError
from reference import DTYPES, Array


class TorchBackend:
    """Keras on PyTorch; `adapter` is the name of the adapter, for a message.

    A process has one backend, which an environment variable selects when Keras is imported. Raises
    :class:`UsageError` if that is another backend.
    """

    name = "torch"

    def __init__(self, adapter: str) -> None:
        if "keras" not in sys.modules:
            os.environ["KERAS_BACKEND"] = self.name
        import keras

        if keras.backend.backend() != self.name:
            raise UsageError(
                f"{adapter} needs Keras on {self.name}, but it runs on {keras.backend.backend()} "
                "in this process: verify one backend at a time"
            )
        self.keras: Any = keras

    def tensor(self, array: Array) -> Any:
        """Convert a NumPy array to a tensor of the same dtype."""
        wide = array.astype(np.float32) if array.dtype.name == "bfloat16" else array
        return self.keras.ops.convert_to_tensor(wide.copy(), dtype=array.dtype.name)

    def array(self, tensor: Any) -> Array:
        """Convert a tensor to a NumPy array of the same dtype."""
        dtype = self.keras.backend.standardize_dtype(tensor.dtype)
        array: Array = self.keras.ops.convert_to_numpy(tensor).astype(DTYPES[dtype].numpy)
        return array

    def compiled(self, layer: Any) -> Any:
        """Return the layer in the form in which it is usually called, on PyTorch itself."""
        return layer

    def gradients(
        self, layer: Any, mask: Array | None, x: Any, states: list[Any] | None, weights: list[Any]
    ) -> tuple[list[Any], Any, list[Any]]:
        """Compute the gradients of the sum of the layer's results times `weights`.

        Returns them by the layer's variables, by `x` and by `states`.
        """
        import torch

        leaves = [x.requires_grad_(), *(state.requires_grad_() for state in states or [])]
        variables = [variable.value for variable in layer.trainable_variables]
        results = layer(x, initial_state=states, mask=mask)
        found = list(torch.autograd.grad(results, [*variables, *leaves], weights))
        by_variables, (by_x, *by_states) = found[: len(variables)], found[len(variables) :]
        return by_variables, by_x, by_states


class JaxBackend(TorchBackend):
    """Keras on JAX, where a layer is usually called within ``jax.jit``."""

    name = "jax"

    def __init__(self, adapter: str) -> None:
        super().__init__(adapter)
        from conformance.implementations.frameworks.jax_functions import forget_often

        self.forget_often = forget_often

    def compiled(self, layer: Any) -> Any:
        """Compile the layer, with its variables as constants."""
        import jax

        self.forget_often()
        return jax.jit(layer)

    def gradients(
        self, layer: Any, mask: Array | None, x: Any, states: list[Any] | None, weights: list[Any]
    ) -> tuple[list[Any], Any, list[Any]]:
        """Compute the gradients by ``jax.vjp`` through Keras' ``stateless_call``, compiled."""
        import jax

        def call(variables: list[Any], x: Any, states: list[Any] | None) -> Any:
            others = layer.non_trainable_variables
            results, _ = layer.stateless_call(variables, others, x, initial_state=states, mask=mask)
            return list(results)

        self.forget_often()
        variables = [variable.value for variable in layer.trainable_variables]
        _, backward = jax.vjp(jax.jit(call), variables, x, states)
        by_variables, by_x, by_states = backward(weights)
        return by_variables, by_x, by_states or []
