"""What adapters of JAX libraries share: an LSTM as a pure function, compiled, and its gradients."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jax import numpy as jnp

from conformance.implementations.implementation import without_padding
from conformance.implementations.layouts import Layout, Stored
from reference import Array, Case, Configuration, Result

jax.config.update("jax_enable_x64", True)

CALLS = itertools.count(1)


def forget_often() -> None:
    """Every 50 calls, drop the functions that JAX has compiled, which it would keep for good."""
    if next(CALLS) % 50 == 0:
        jax.clear_caches()


class JaxLSTM:
    """An LSTM as a pure function :meth:`call`, compiled once for arrays of the same shapes."""

    layout = Layout()

    def __init__(self) -> None:
        self.compiled = jax.jit(self.call, static_argnums=0)

    def call(
        self,
        configuration: Configuration,
        stored: list[Stored],
        x: Any,
        h_0: Any,
        c_0: Any,
        lengths: Any,
    ) -> tuple[Any, Any, Any]:
        """Output, h_n and c_n for parameters as :attr:`layout` stores them, by direction.

        Input, states and lengths are the case's own as JAX arrays; all but the input can be None.
        """
        raise NotImplementedError

    def run(self, case: Case) -> Result:
        """The function's results as NumPy arrays."""
        forget_often()
        arguments = (*self.arguments(case), case.lengths)
        return Result.of(map(np.asarray, self.compiled(case.configuration, *arguments)))

    def arguments(self, case: Case) -> Any:
        """What gradients are by: stored parameters, input, h_0 and c_0, as JAX arrays."""
        stored = [self.layout.stored(case, suffix) for suffix in case.configuration.suffixes()]
        return jax.tree.map(jnp.asarray, (stored, case.input, case.h_0, case.c_0))

    def gradients(self, case: Case, cotangents: Result) -> Mapping[str, Array]:
        """Gradients of the sum of all results times their cotangents, by ``jax.vjp``."""
        weights = tuple(
            jnp.asarray(array) for _, array in without_padding(cotangents, case).items()
        )

        def call(*arguments: Any) -> Any:
            return self.compiled(case.configuration, *arguments, case.lengths)

        _, backward = jax.vjp(call, *self.arguments(case))
        stored, *others = jax.tree.map(np.asarray, backward(weights))
        found = zip(("input", "h_0", "c_0"), others, strict=True)
        gradients = {name: array for name, array in found if array is not None}
        for suffix, each in zip(case.configuration.suffixes(), stored, strict=True):
            gradients.update(self.layout.restored(each, suffix))
        return gradients
