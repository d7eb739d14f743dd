"""The arithmetic that an implementation declares."""

from __future__ import annotations

from dataclasses import dataclass, fields

from reference.dtypes import DTYPES

PRODUCTS = {"tf32": 2.0**-10, "bfloat16": 2.0**-8, "float16": 2.0**-11}
"""The relative error of a factor of a float32 product in each narrower format.

TF32 has 10 bits of mantissa; hardware may round to these bits or truncate the others.
"""


MOST_UNITS = 2.0**53
"""The largest error of an activation, which is 1 in float64 and more in every other dtype."""
MOST_BIAS = 2.0**10
"""The largest bias that is added; sigmoid is 0 or 1 in float64 before that."""


@dataclass(frozen=True)
class Precision:
    """The arithmetic of an implementation; by default it is that of the dtype.

    Every bound is derived from this, and every report shows it.

    - `storage`: the dtype, by name, in which everything is stored inside, parameters and inputs
      included, where that is narrower than the case's;
    - `products`: the format, one of :data:`PRODUCTS`, to which the factors of float32 products
      are rounded; sums stay in float32;
    - `activation`: the absolute error of sigmoid and tanh, in unit roundoffs;
    - `sigmoid`, `tanh`: that of either, where it is not the same;
    - `sigmoid_slope`, `tanh_slope`: where gradients are those of an approximation's own formula,
      the absolute error of its derivative, in unit roundoffs;
    - `weight_bits`, `input_bits`: bits to which weights and the inputs of products, layer inputs
      and hidden states, are quantized, symmetrically and over the range of the batch;
    - `added_bias`: what is added to the forget gate's bias inside, and so had to be subtracted,
      rounded, from the bias that was loaded.

    Raises :class:`ValueError` for unknown names and numbers out of range: more than
    :data:`MOST_UNITS` is no precision, and more than :data:`MOST_BIAS` keeps any gate shut.

    >>> Precision(products="tf32").described()
    ['products tf32']
    """

    storage: str | None = None
    products: str | None = None
    activation: float = 4.0
    sigmoid: float | None = None
    tanh: float | None = None
    sigmoid_slope: float = 0.0
    tanh_slope: float = 0.0
    weight_bits: int | None = None
    input_bits: int | None = None
    added_bias: float = 0.0

    def __post_init__(self) -> None:
        for name, known in (("storage", DTYPES), ("products", PRODUCTS)):
            value = getattr(self, name)
            if value is not None and value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")
        for name in ("activation", "sigmoid", "tanh", "sigmoid_slope", "tanh_slope"):
            units = getattr(self, name)
            if units is not None and not 0 <= units <= MOST_UNITS:
                raise ValueError(f"{name} must be from 0 to {MOST_UNITS:.3g}, got {units}")
        if not abs(self.added_bias) <= MOST_BIAS:
            limits = f"from {-MOST_BIAS:g} to {MOST_BIAS:g}"
            raise ValueError(f"added_bias must be {limits}, got {self.added_bias}")
        for name in ("weight_bits", "input_bits"):
            bits = getattr(self, name)
            if bits is not None and not 1 <= bits <= 64:
                raise ValueError(f"{name} must be from 1 to 64, got {bits}")

    def units(self) -> tuple[float, float]:
        """The absolute errors of sigmoid and of tanh, in unit roundoffs."""
        either = self.sigmoid, self.tanh
        sigmoid, tanh = (self.activation if each is None else each for each in either)
        return sigmoid, tanh

    def described(self) -> list[str]:
        """What is not the dtype's own, in words."""
        return [
            f"{item.name} {getattr(self, item.name)}"
            for item in fields(self)
            if getattr(self, item.name) != item.default
        ]


DTYPES_OWN = Precision()
"""The dtype's own arithmetic."""
