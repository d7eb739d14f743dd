"""Which parameter of a hand-written LSTM holds which part of PyTorch's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from conformance.errors import UsageError
from conformance.implementations.layouts import GATES, Layout, Stored
from reference import Array, Case


def names(pattern: str) -> tuple[str, ...]:
    """The names of one array for all gates, or of four in PyTorch's order i, f, g, o.

    >>> names("W")
    ('W',)
    >>> names("x2{i,f,c,o}.weight")
    ('x2i.weight', 'x2f.weight', 'x2c.weight', 'x2o.weight')
    """
    found = re.fullmatch(r"([^{}]*)\{([^{}]*)\}([^{}]*)", pattern)
    if found is None:
        if set("{}") & set(pattern):
            raise UsageError(f"{pattern!r} must have one pair of braces")
        return (pattern,)
    before, inner, after = found.groups()
    parts = [part.strip() for part in inner.split(",")]
    if len(parts) != 4:
        raise UsageError(f"{pattern!r} must name the four gates i, f, g, o, got {len(parts)}")
    return tuple(f"{before}{part}{after}" for part in parts)


def pattern(four: tuple[str, ...]) -> str:
    """The inverse of :func:`names`.

    >>> pattern(("x2i.weight", "x2f.weight", "x2c.weight", "x2o.weight"))
    'x2{i,f,c,o}.weight'
    """
    if len(four) == 1:
        return four[0]
    shortest = min(map(len, four))
    start = next((n for n in range(shortest) if len({name[n] for name in four}) > 1), shortest)
    rest = [name[start:] for name in four]
    shortest = min(map(len, rest))
    end = next(
        (n for n in range(shortest) if len({name[len(name) - 1 - n] for name in rest}) > 1),
        shortest,
    )
    inner = ",".join(name[: len(name) - end] for name in rest)
    return f"{four[0][:start]}{{{inner}}}{rest[0][len(rest[0]) - end :]}"


@dataclass(frozen=True)
class Parameters:
    """The names of a class's own parameters, and how they are laid out.

    `weight_ih` and `weight_hh`, or `weight_xh` for one array whose features are those of x and
    then h, or `weight_hx` for h and then x; `biases`, two, one or none. Each is a name or a
    pattern of :func:`names`. `layout` is that of arrays before they are transposed; `transposed`
    lists the patterns of those that are. Raises :class:`UsageError` for other combinations.
    """

    layout: Layout
    transposed: frozenset[str] = frozenset()
    weight_ih: str = ""
    weight_hh: str = ""
    weight_xh: str = ""
    weight_hx: str = ""
    biases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        given = (self.weight_ih, self.weight_hh), (self.weight_xh,), (self.weight_hx,)
        if sum(all(group) for group in given) != 1 or sum(any(group) for group in given) != 1:
            raise UsageError("name weight_ih and weight_hh, or weight_xh, or weight_hx")
        weights = [each for group in given for each in group if each]
        for each in (*weights, *self.biases):
            names(each)

    def of(self, case: Case) -> dict[str, Array]:
        """The case's parameters by the class's own names, as it stores them."""
        stored = self.layout.stored(case)
        whole = dict(zip(self.biases, stored.biases, strict=True))
        if self.weight_ih:
            whole |= {self.weight_ih: stored.weight_ih, self.weight_hh: stored.weight_hh}
        elif self.weight_xh:
            whole[self.weight_xh] = np.hstack([stored.weight_ih, stored.weight_hh])
        else:
            whole[self.weight_hx] = np.hstack([stored.weight_hh, stored.weight_ih])
        arrays = {}
        for each, array in whole.items():
            for name, block in self._split(each, array).items():
                turned = block.T if each in self.transposed else block
                arrays[name] = np.ascontiguousarray(turned)
        return arrays

    def _split(self, each: str, stacked: Array) -> Mapping[str, Array]:
        own = names(each)
        if len(own) == 1:
            return {each: stacked}
        blocks = dict(zip(self.layout.gates, np.split(stacked, 4), strict=True))
        return {name: blocks[gate] for gate, name in zip(GATES, own, strict=True)}

    def restored(self, own: Mapping[str, Array], input_size: int) -> dict[str, Array]:
        """Gradients by the class's parameters as gradients by PyTorch's, by PyTorch's names."""
        if self.weight_ih:
            by_x, by_h = self._stacked(self.weight_ih, own), self._stacked(self.weight_hh, own)
        elif self.weight_xh:
            by_x, by_h = np.split(self._stacked(self.weight_xh, own), [input_size], 1)
        else:
            by_h, by_x = np.split(self._stacked(self.weight_hx, own), [-input_size], 1)
        biases = tuple(self._stacked(each, own) for each in self.biases)
        return self.layout.restored(Stored(by_x, by_h, biases))

    def _stacked(self, each: str, own: Mapping[str, Array]) -> Array:
        blocks = {
            name: own[name].T if each in self.transposed else own[name] for name in names(each)
        }
        if len(blocks) == 1:
            return blocks[each]
        by_gate = dict(zip(GATES, blocks.values(), strict=True))
        return np.concatenate([by_gate[gate] for gate in self.layout.gates])
