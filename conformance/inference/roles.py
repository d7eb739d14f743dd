"""The roles of the arguments of a constructor, by their names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from conformance.inference.numbers import EXTRA

SIZES, ROWS = ("input_size", "hidden_size"), "batch_size"

LAYERS = (
    r"(?<!hidden_)layer|hidden_layers?(?!_?(size|dim|unit))"
    r"|(?<!in_)(?<!input_)depth|direction|stacks?$"
)
"""Arguments that are a number of layers or of directions."""

CONFIG = r"^(config|cfg|conf|settings|args|opts?|options|hparams|params)$"
"""Arguments of a constructor that hold all others as attributes."""

RANDOM = {"jax.random.PRNGKey(0)": "jax", "flax.nnx.Rngs(0)": "flax.nnx"}
"""Sources of random numbers that a constructor may ask for, and the modules that make them."""

CONSTRUCTED = (
    ("jax.random.PRNGKey(0)", r"^(prng_?)?key$"),
    ("flax.nnx.Rngs(0)", r"^rngs$"),
    ("'cpu'", r"^device$"),
    ("0.0", r"drop|(^|_)prob"),
    ("0", r"(^|_)(pad|unk)"),
    ("True", r"^(batch_first|bias)$"),
    ("False", r"^bidir"),
    ("1", LAYERS),
    ("hidden_size", r"hid|unit|state|cell|memory|rnn|lstm|n_h|n_a|^h"),
    ("7", r"class|out|label|target|categor|n_y|^y"),
    ("input_size", r"(^|_)in($|_|put|s$)|input|emb|feat|n_x|^x"),
    (str(EXTRA), ""),
)
"""The value for an argument of a constructor, by its name; the first pattern that fits counts."""

BATCH = r"^(batch(_?(size|sz))?|bs|bsz|n_?batch(es)?)$"
"""Arguments that are the number of rows, for which states are made once."""

UNKNOWN = (
    r"path|file|folder|config|cfg|settings|^args$|^opts?$|options|tokeni|activation"
    r"|(^|_)params?$|^(lstm_)?state$|^(encoder|decoder|model)$"
)
"""Arguments of a constructor that no number can stand for."""


def role_of(name: str, words: Sequence[tuple[str, str]]) -> str:
    """Return the role of an argument: that of the first of the patterns that its name fits."""
    return next(role for role, pattern in words if re.search(pattern, name.lower()))


COLLECTION = r"^(tokens|chars|characters|vocab|vocabulary|alphabet|words|labels|classes|tags)$"
"""Arguments that may be all the tokens, or names of classes, and not their number."""
