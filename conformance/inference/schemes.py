"""Schemes: which parameters can hold the weights and biases, by their shapes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from conformance.implementations.by_hand.parameters import interleaved, pattern
from conformance.inference.numbers import HIDDEN, INPUT, STACKED, Shapes
from reference import Array


@dataclass(frozen=True)
class Scheme:
    """The names of the parameters that may be weights and biases.

    - `ih`, `hh`: the weights by x and by h, one array for all gates or four
    - `joined`: ``xh`` or ``hx`` if `ih` holds both weights, in this order of features, and `hh` is
      empty; with 1 before or after them if `ih` holds a bias too
    - `transposed`: whether `ih` is transposed, as its shape shows
    - `biases`: all parameters that can be a bias
    - `layers`: what ``*`` in the names stands for, for each layer and direction
    - `directions`: the number of directions
    - `interleaved`: whether an array for all gates has the four rows of a unit side by side
    """

    ih: tuple[str, ...]
    hh: tuple[str, ...]
    joined: str
    transposed: bool
    biases: tuple[str, ...]
    layers: tuple[str, ...] = ("",)
    directions: int = 1
    interleaved: bool = False

    @property
    def within(self) -> tuple[str, ...]:
        """The names of the biases that `ih` holds."""
        end = "[0]" if self.joined.startswith("1") else "[-1]"
        return tuple(f"{name}{end}" for name in self.ih) if "1" in self.joined else ()

    @property
    def names(self) -> set[str]:
        """The names of all these parameters, in every layer and direction."""
        named = (*self.ih, *self.hh, *self.biases)
        return {name.replace("*", layer) for name in named for layer in self.layers}

    def spoken(self) -> tuple[int, ...]:
        """Return the block of each gate i, f, g, o by the names of four arrays.

        Names that do not show the gates stand for PyTorch's order.

        >>> Scheme(("x2f.w", "x2i.w", "x2o.w", "x2c.w"), (), "", False, ()).spoken()
        (1, 0, 3, 2)
        """
        return spoken_gates(self.ih)

    def begins_with(self, lowest: Scheme) -> bool:
        """Return whether the weights of the first layer and direction are the same in `lowest`."""
        mine, other = (
            [name.replace("*", each.layers[0]) for name in (*each.ih, *each.hh)]
            for each in (self, lowest)
        )
        kinds = ("joined", "interleaved")
        alike = all(getattr(self, kind) == getattr(lowest, kind) for kind in kinds)
        return alike and mine == other

    def hh_transposed(self, shapes: Shapes, turned: bool | None) -> bool:
        """Return whether weights by h are transposed.

        Four arrays are square, so that `turned` decides, and without it the weights by x do.
        """
        if len(self.hh) == 1:
            return shapes[self.hh[0]][0] == HIDDEN
        return self.transposed if turned is None else turned

    def weights(
        self,
        shapes: Shapes,
        by_x: Array,
        by_h: Array,
        turned: bool | None = None,
        bias: Sequence[Array] = (),
    ) -> dict[str, Array]:
        """Return the arrays to store, by name, for blocks (4, H, I) and (4, H, H).

        `turned` is whether `hh` is transposed where its shape does not show that; `bias` are the
        numbers of :attr:`within`.
        """
        if self.joined:
            by = {"x": by_x, "h": by_h}
            if bias:
                by["1"] = np.concatenate(bias).reshape(4, -1, 1)
            joined = np.concatenate([by[part] for part in self.joined], axis=2)
            return self._stored(self.ih, joined, self.transposed)
        hh = self._stored(self.hh, by_h, self.hh_transposed(shapes, turned))
        return self._stored(self.ih, by_x, self.transposed) | hh

    def laid_out(self, bias: Array) -> Array:
        """Return a bias, of any shape, as it is stored."""
        whole = self.interleaved and bias.size == STACKED
        return interleaved(bias.reshape(-1)).reshape(bias.shape) if whole else bias

    def _stored(self, names: Sequence[str], blocks: Array, transposed: bool) -> dict[str, Array]:
        whole = blocks.reshape(-1, blocks.shape[-1])
        whole = interleaved(whole) if self.interleaved else whole
        arrays = [whole] if len(names) == 1 else list(blocks)
        turn = np.transpose if transposed else np.asarray
        return {name: turn(array) for name, array in zip(names, arrays, strict=True)}


def spoken_gates(four: tuple[str, ...]) -> tuple[int, ...]:
    """Return which of four names is that of each gate i, f, g, o, in order if they do not show it.

    >>> spoken_gates(("x2f.w", "x2i.w", "x2o.w", "x2c.w"))
    (1, 0, 3, 2)
    """
    inner = pattern(four).partition("{")[2].partition("}")[0].lower().split(",")
    found = [
        next((n for n, part in enumerate(inner) if re.match(words, part)), -1)
        for words in ("i", "f", r"c|g|z|j|n|u", "o")
    ]
    return tuple(found) if sorted(found) == [0, 1, 2, 3] else (0, 1, 2, 3)


def schemes(
    shapes: Shapes, layers: tuple[str, ...] = ("",), directions: int = 1
) -> Iterator[Scheme]:
    """Yield every scheme that fits the shapes; of more than four arrays any four may be gates.

    The shapes are those of the first of `layers`. Those whose gates are interleaved come last.
    """
    found = list(_schemes(shapes, layers, directions))
    yield from found
    yield from (replace(each, interleaved=True) for each in found if len(each.ih) == 1)


def _schemes(shapes: Shapes, layers: tuple[str, ...], directions: int) -> Iterator[Scheme]:
    biases = tuple(
        name
        for name, shape in shapes.items()
        if max(shape, default=0) in (HIDDEN, STACKED) and np.prod(shape) in (HIDDEN, STACKED)
    )
    for count, rows in ((1, STACKED), (4, HIDDEN)):
        for transposed in (False, True):
            ih, joint = (
                _of(shapes, rows, columns, transposed) for columns in (INPUT, INPUT + HIDDEN)
            )
            hh = _of(shapes, rows, HIDDEN, False)
            hh += [name for name in _of(shapes, rows, HIDDEN, True) if name not in hh]
            for first in _fours(ih, count):
                for second in _fours(hh, count):
                    yield Scheme(first, second, "", transposed, biases, layers, directions)
            for first in _fours(joint, count):
                for joined in ("xh", "hx"):
                    yield Scheme(first, (), joined, transposed, biases, layers, directions)
            rows_too = _of(shapes, rows, 1 + INPUT + HIDDEN, transposed)
            for first in _fours(rows_too, count):
                for joined in ("1xh", "xh1", "1hx", "hx1"):
                    scheme = Scheme(first, (), joined, transposed, biases, layers, directions)
                    yield replace(scheme, biases=(*scheme.within, *biases))


def with_biases_within(shapes: Shapes) -> Shapes:
    """Add the shapes of the biases that weights may have, before or after everything else."""
    columns = 1 + INPUT + HIDDEN
    return dict(shapes) | {
        f"{name}{end}": (sum(shape) - columns,)
        for name, shape in shapes.items()
        if len(shape) == 2 and columns in shape
        for end in ("[0]", "[-1]")
    }


def _of(shapes: Shapes, rows: int, columns: int, transposed: bool) -> list[str]:
    wanted = (columns, rows) if transposed else (rows, columns)
    return [name for name, shape in shapes.items() if shape == wanted]


def _fours(names: Sequence[str], count: int) -> Iterator[tuple[str, ...]]:
    return itertools.combinations(names[:6], count)
