"""The base of adapters of JAX libraries: an LSTM as a compiled pure function, and its gradients."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import numpy as jnp

from conformance.implementations.implementation import without_padding
from conformance.implementations.layouts import Layout, Stored
from reference import Array, Case, Configuration, Result

jax.config.update("jax_enable_x64", True)

CALLS = itertools.count(1)

Answer = tuple[Any, Any, Any]
"""Output, h_n and c_n, in the shapes and order of the case."""


def forget_often() -> None:
    """Clear JAX's caches every 50 calls, as JAX would keep every function that it has compiled."""
    if next(CALLS) % 50 == 0:
        jax.clear_caches()


class Given(NamedTuple):
    """The arguments of a call by which gradients are taken, as JAX arrays.

    - `stored`: the parameters of each layer and direction, as the adapter's `layout` has them;
    - `x`: the input, in the shape of the case;
    - `h_0`, `c_0`: the initial states, in the shape of the case, or None.
    """

    stored: list[Stored]
    x: Any
    h_0: Any
    c_0: Any


class JaxLSTM:
    """An LSTM as a pure function :meth:`call`, compiled once for arrays of the same shapes."""

    layout = Layout()

    def __init__(self) -> None:
        self.compiled = jax.jit(self.call, static_argnums=0)

    def call(self, configuration: Configuration, given: Given, lengths: Any) -> Answer:
        """Compute output, h_n and c_n; `lengths` (N,) can be None."""
        raise NotImplementedError

    def run(self, case: Case) -> Result:
        """Compute `case`."""
        forget_often()
        answer = self.compiled(case.configuration, self.given(case), case.lengths)
        return Result.of(map(np.asarray, answer))

    def given(self, case: Case) -> Given:
        """Convert the parameters and arrays of `case`."""
        stored = [self.layout.stored(case, suffix) for suffix in case.configuration.suffixes()]
        given: Given = jax.tree.map(jnp.asarray, Given(stored, case.input, case.h_0, case.c_0))
        return given

    def gradients(self, case: Case, cotangents: Result) -> Mapping[str, Array]:
        """Compute, by ``jax.vjp``, the gradients of the sum of every result times its cotangent."""
        weights = tuple(
            jnp.asarray(array) for _, array in without_padding(cotangents, case).items()
        )

        def call(given: Given) -> Any:
            return self.compiled(case.configuration, given, case.lengths)

        _, backward = jax.vjp(call, self.given(case))
        ((stored, *others),) = jax.tree.map(np.asarray, backward(weights))
        found = zip(("input", "h_0", "c_0"), others, strict=True)
        gradients = {name: array for name, array in found if array is not None}
        for suffix, each in zip(case.configuration.suffixes(), stored, strict=True):
            gradients.update(self.layout.restored(each, suffix))
        return gradients
