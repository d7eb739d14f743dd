"""Recipes that fill a whole tensor: one choice for the tensor instead of one for each element."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from hypothesis.errors import InvalidArgument
from hypothesis.strategies import SearchStrategy

from reference import Array
from strategies.options import one_of


@dataclass(frozen=True)
class Recipe:
    """A way to make the elements of a tensor of standard normal numbers.

    - `name`: the name by which the recipe is chosen;
    - `scale`: the standard deviation of the elements, before they are rounded to the grid;
    - `nonzeros`: the number of elements that are not zero; None for all. They are among twelve
      places, the first three of each quarter of the tensor, which are the gates i, f, g and o in
      a weight or bias. One element is the number 1 in `place`; several are in random places;
    - `grid`: the elements are multiples of this number, rounded away from zero; None for any;
    - `place`: the place, 0 to 11, of a single element that is not zero;
    - `relative`: whether `scale` is divided by the square root of ``hidden_size``.
    """

    name: str
    scale: float = 1.0
    nonzeros: int | None = None
    grid: float | None = None
    place: int = 0
    relative: bool = False

    def fill(self, numbers: Array, hidden_size: int) -> Array:
        """Make the elements, a flat float64 array, of as many standard normal `numbers`."""
        if self.nonzeros == 0 or not numbers.size:
            return np.zeros(numbers.shape)
        if self.nonzeros == 1:
            values = np.zeros(numbers.shape)
            values[_places(numbers.size)[self.place]] = 1
            return values
        values = numbers * (self.scale / (hidden_size**0.5 if self.relative else 1))
        if self.grid is not None:
            values = np.copysign(np.ceil(np.abs(values) / self.grid) * self.grid, values)
        if self.nonzeros is not None:
            places = np.unique(_places(numbers.size))
            kept = places[np.argsort(-np.abs(numbers[places]))[: self.nonzeros]]
            values, dense = np.zeros(numbers.shape), values
            values[kept] = dense[kept]
        return values


def _places(size: int) -> Array:
    """Find the first element of each quarter of a tensor, then the second, then the third.

    If a quarter has fewer elements, its last one takes their place.
    """
    starts = np.arange(5) * size // 4
    last = np.maximum(starts[1:] - 1, starts[:4])
    return np.concatenate([np.minimum(starts[:4] + offset, last) for offset in range(3)])


RECIPES: tuple[tuple[Recipe, int], ...] = (
    (Recipe("zeros", nonzeros=0), 1),
    *((Recipe("one", nonzeros=1, place=place), 1) for place in (2, 0, 1, *range(3, 12))),
    (Recipe("two", nonzeros=2, grid=1.0), 2),
    (Recipe("four", nonzeros=4, grid=0.5), 2),
    (Recipe("integers", grid=1.0), 6),
    (Recipe("halves", grid=0.5), 6),
    (Recipe("quarters", grid=0.25), 6),
    (Recipe("default", scale=3**-0.5, relative=True), 180),
    (Recipe("unit"), 180),
    (Recipe("small", scale=0.25), 48),
    (Recipe("wide", scale=3.0), 48),
    (Recipe("saturating", scale=24.0, relative=True), 18),
)
"""Every recipe, the simplest first, and how often it is drawn.

Among the tensors with a single 1, the one with the 1 in gate g comes first: in a bias, it alone
changes the result when all else is zero. ``default`` has the standard deviation of PyTorch's
default initialisation; ``saturating`` drives gates to where sigmoid and tanh are flat.
"""

NAMES = tuple(dict.fromkeys(recipe.name for recipe, _ in RECIPES))
"""The names of all recipes, the simplest first."""

DATA = tuple(name for name in NAMES if name not in ("default", "saturating"))
"""The names of the recipes for inputs and initial states."""


def recipes(tensor: str = "", *, names: Collection[str] = NAMES) -> SearchStrategy[Recipe]:
    """Draw recipes with one of the `names`, the dense and ordinary ones most often.

    `tensor` is the name of what is filled, by which recipes for different tensors are drawn
    independently, see :func:`~strategies.options.one_of`.

    Recipes shrink towards ``zeros``, then one, two and four non-zero elements, then simple numbers.
    Raises :class:`InvalidArgument` for a name that is not in :data:`NAMES`, or for no names.
    """
    unknown = [name for name in names if name not in NAMES]
    if unknown or not names:
        raise InvalidArgument(f"recipes {list(names)} must be one or more of {list(NAMES)}")
    return _recipes(tensor, tuple(names))


@lru_cache(maxsize=256)
def _recipes(tensor: str, names: tuple[str, ...]) -> SearchStrategy[Recipe]:
    table = [recipe for recipe, often in RECIPES if recipe.name in names for _ in range(often)]
    return one_of(f"recipe of {tensor}", table)
