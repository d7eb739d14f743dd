"""Findings in Flax and Equinox, and in JAX, on which they compute."""

from tests.adapters.findings.finding import Finding

RNN = (
    "https://flax-linen.readthedocs.io/en/latest/api_reference/flax.linen/_autosummary/"
    "flax.linen.RNN.html"
)

FLAX = ("flax-linen", "flax-linen-optimized", "flax-nnx", "flax-nnx-optimized")
ON_JAX = (*FLAX, "equinox", "haiku")

FINDINGS = (
    Finding(
        "Flax goes on beyond the length of a row",
        "declared",
        FLAX,
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
        ON_JAX,
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
    Finding(
        "JAX flushes subnormal numbers to zero",
        "declared",
        (*ON_JAX, "keras-jax", "keras-jax-cell"),
        "On the CPU, whatever the dtype: a tiny cell state is lost, even where the forget gate is "
        "open.",
        """
import jax

print("a subnormal number times one:", jax.numpy.float32(1e-40) * jax.numpy.float32(1))
""",
        "a subnormal number times one: 0.0",
        "https://github.com/jax-ml/jax/pull/26668, which says so among JAX' sharp bits, and "
        "https://github.com/jax-ml/jax/issues/16200: as intended.",
        requirements=("tiny_numbers_are_kept",),
    ),
    Finding(
        "JAX sums the gradient of a bias over rows in bfloat16",
        "undocumented",
        (*ON_JAX, "keras-jax"),
        "What is broadcast over rows has a gradient that is summed in the dtype itself; jax.numpy."
        "sum adds the same numbers in float32.",
        """
import jax
from jax import numpy as jnp

half = jax.random.uniform(jax.random.key(0), (256, 1), jnp.bfloat16, 0.5, 1)
rows = jnp.concatenate([half, -half])
_, backward = jax.vjp(lambda bias: rows + bias, jnp.zeros(1, jnp.bfloat16))
print("rows that cancel give 0:", bool(backward(rows)[0] == 0), bool(rows.sum() == 0))
""",
        "rows that cancel give 0: False True",
        "https://openxla.org/xla/operation_semantics#reduce: the order of a sum is not determined; "
        "of a wider type nothing is said.",
        requirements=("gradients_are_summed_over_rows_in_float32",),
        saying=("gradient of bias",),
    ),
    Finding(
        "JAX' tanh of float64 is off by seven units near one",
        "undocumented",
        ON_JAX,
        "Where tanh has come within a few units of 2^-53 of one, from 15 on, it is up to seven of "
        "these below, and its derivative, 1 - tanh^2, several times too large. NumPy's and "
        "PyTorch's are right within one.",
        """
import jax
import numpy as np

jax.config.update("jax_enable_x64", True)
x = np.linspace(15, 20, 10001)
off = np.abs(np.asarray(jax.numpy.tanh(x)) - np.tanh(x)) * 2.0**53
print("units between tanh and tanh:", off.max())
""",
        "units between tanh and tanh: 7.0",
        "https://docs.jax.dev/en/latest/_autosummary/jax.numpy.tanh.html: tanh, for real inputs "
        "too; of its accuracy nothing is said.",
        saying=("gradient of",),
        rare=True,
    ),
)
