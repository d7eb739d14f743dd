"""Right LSTMs in JAX, Equinox and Flax, as people write them."""

import equinox as eqx
import jax
import jax.numpy as jnp
from flax import nnx


def gated(a, c):
    i, f, g, o = jnp.split(a, 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


@jax.jit
def compiled(x, h, c, W, U, b):  # noqa: N803
    outputs = []
    for step in x:
        h, c = gated(step @ W + h @ U + b, c)
        outputs.append(h)
    return jnp.stack(outputs), h, c


def scanned(params, xs, h0, c0):
    def step(carry, x):
        h, c = carry
        carry = gated(x @ params["Wx"] + h @ params["Wh"] + params["b"], c)
        return carry, carry[0]

    states, outputs = jax.lax.scan(step, (h0, c0), xs)
    return outputs, states


class OfEquinox(eqx.Module):
    weight_x: jax.Array
    weight_h: jax.Array
    bias: jax.Array

    def __init__(self, input_size, hidden_size, key):
        first, second = jax.random.split(key)
        self.weight_x = jax.random.normal(first, (4 * hidden_size, input_size))
        self.weight_h = jax.random.normal(second, (4 * hidden_size, hidden_size))
        self.bias = jnp.zeros(4 * hidden_size)

    def __call__(self, x, h, c):
        return gated(self.weight_x @ x + self.weight_h @ h + self.bias, c)


class OfFlax(nnx.Module):
    def __init__(self, input_size, hidden_size, rngs):
        self.hidden_size = hidden_size
        self.x2h = nnx.Linear(input_size, 4 * hidden_size, rngs=rngs)
        self.h2h = nnx.Linear(hidden_size, 4 * hidden_size, use_bias=False, rngs=rngs)

    def __call__(self, xs):
        h = c = jnp.zeros((xs.shape[0], self.hidden_size))
        outputs = []
        for t in range(xs.shape[1]):
            h, c = gated(self.x2h(xs[:, t]) + self.h2h(h), c)
            outputs.append(h)
        return jnp.stack(outputs, 1), (h, c)
