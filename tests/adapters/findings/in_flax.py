"""Findings in Flax and Equinox."""

from tests.adapters.findings.finding import Finding

RNN = (
    "https://flax-linen.readthedocs.io/en/latest/api_reference/flax.linen/_autosummary/"
    "flax.linen.RNN.html"
)

FINDINGS = (
    Finding(
        "Flax goes on beyond the length of a row",
        "declared",
        ("flax-linen", "flax-linen-optimized", "flax-nnx", "flax-nnx-optimized"),
        "The output beyond a row's length is what the cell makes of the padding, not zero; the "
        "carry returned is that of the row's last step.",
        """
import flax.linen as nn
import jax
from jax import numpy as jnp

rnn = nn.RNN(nn.LSTMCell(1))
x = jnp.ones((1, 2, 1))
output = rnn.apply(rnn.init(jax.random.key(0), x), x, seq_lengths=jnp.array([1]))
print("output beyond the length is zero:", bool(output[0, 1, 0] == 0))
""",
        "output beyond the length is zero: False",
        f"{RNN}, seq_lengths: elements beyond are padding and ignored; what the output is there is "
        "not said.",
        requirements=("output_beyond_length_is_zero",),
    ),
    Finding(
        "A scan over no steps gives the initial states",
        "declared",
        ("flax-linen", "flax-linen-optimized", "flax-nnx", "flax-nnx-optimized", "equinox"),
        "What PyTorch refuses, JAX defines: a scan over nothing returns the carry it was given.",
        """
import jax
from jax import numpy as jnp

carry, output = jax.lax.scan(lambda carry, x: (carry, x), jnp.ones(1), jnp.ones((0, 1)))
print("the carry after no step:", carry)
""",
        "the carry after no step: [1.]",
        "https://docs.jax.dev/en/latest/_autosummary/jax.lax.scan.html: a loop over xs that starts "
        "from init.",
        requirements=("empty_sequence_is_refused",),
    ),
)
