"""The parameters of a hand-written LSTM, and which parts of PyTorch's parameters they hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from conformance.errors import UsageError
from conformance.implementations.layouts import GATES, Layout, Stored
from reference import Array, Case


def names(pattern: str) -> tuple[str, ...]:
    """Expand the name of one array for all gates, or of four in PyTorch's order i, f, g, o.

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
    """Contract names to a pattern, the inverse of :func:`names`.

    >>> pattern(("x2i.weight", "x2f.weight", "x2c.weight", "x2o.weight"))
    'x2{i,f,c,o}.weight'
    """
    if len(four) == 1:
        return four[0]
    start = _alike(four)
    rest = [name[start:] for name in four]
    end = _alike([name[::-1] for name in rest])
    inner = ",".join(name[: len(name) - end] for name in rest)
    return f"{four[0][:start]}{{{inner}}}{rest[0][len(rest[0]) - end :]}"


def _alike(texts: Iterable[str]) -> int:
    """Count the characters that all `texts` begin with."""
    columns = zip(*texts, strict=False)
    return len(list(takewhile(lambda letters: len(set(letters)) == 1, columns)))


FEATURES = {"weight_ih": "x", "weight_hh": "h", "weight_xh": "xh", "weight_hx": "hx"}
"""For each kind of weight what is multiplied by it: the input x, the hidden state h, or both."""


def interleaved(stacked: Array, back: bool = False) -> Array:
    """Put the four rows of each unit side by side in an array (4 * H, ...), or `back` in gates.

    >>> interleaved(np.array([1, 2, 10, 20, 3, 4, 30, 40])).tolist()
    [1, 10, 3, 30, 2, 20, 4, 40]
    """
    rows, rest = (-1, 4) if back else (4, -1), stacked.shape[1:]
    return stacked.reshape(*rows, *rest).swapaxes(0, 1).reshape(stacked.shape)


@dataclass(frozen=True)
class Parameters:
    """The names of the parameters of a class, and their layout.

    - `layout`: the layout of the arrays, apart from `transposed`;
    - `weights`: a name, or a pattern for :func:`names`, for each kind of weight in :data:`FEATURES`
      that the class has. Together, these must multiply x once and h once;
    - `biases`: names or patterns, of which all but two are zero: which two depends on the hidden
      size. ``W[0]`` is a bias that the weight ``W`` has before everything else, ``W[-1]`` one that
      it has at the end;
    - `transposed`: the kinds of weights that are stored transposed;
    - `layers`: what ``*`` in the names stands for, in each layer and direction;
    - `interleaved`: whether an array for all gates has the four rows of each unit side by side.

    Raises :class:`UsageError` for other combinations.
    """

    layout: Layout
    weights: Mapping[str, str]
    biases: tuple[str, ...] = ()
    transposed: frozenset[str] = frozenset()
    layers: tuple[str, ...] = ("",)
    interleaved: bool = False

    def __post_init__(self) -> None:
        if "".join(sorted("".join(map(FEATURES.__getitem__, self.weights)))) != "hx":
            raise UsageError("name weight_ih and weight_hh, or weight_xh, or weight_hx")
        for each in (*self.weights.values(), *self.biases):
            names(each)
            if len(self.layers) > 1 and "*" not in each:
                raise UsageError(f"{each!r} needs a * in place of each of layers={self.layers}")
        within = [self._within(each) for each in self.weights]
        for each in self.biases:
            if each.endswith("]") and each not in within:
                raise UsageError(f"{each!r} is not a bias within one of the weights")

    def _within(self, which: str) -> str:
        """Return the bias that a kind of weight has within itself, "" if none."""
        ends = (f"{self.weights[which]}{end}" for end in ("[0]", "[-1]"))
        return next((each for each in ends if each in self.biases), "")

    def _features(self, which: str) -> str:
        """Return what is multiplied by a kind of weight, with 1 where it has a bias."""
        within = self._within(which)
        before, after = "1" * within.endswith("[0]"), "1" * within.endswith("[-1]")
        return before + FEATURES[which] + after

    def of(self, case: Case) -> dict[str, Array]:
        """Convert the parameters of `case` to those of the class, by their names there."""
        found: dict[str, Array] = {}
        for layer, suffix in zip(self.layers, case.configuration.suffixes(), strict=True):
            arrays = self._of_layer(self.layout.stored(case, suffix), self._placed(case))
            found |= {name.replace("*", layer): array for name, array in arrays.items()}
        return found

    def _placed(self, case: Case) -> tuple[str, ...]:
        """Order the biases: the first two are those that get the biases of `case`."""
        several = len(self.biases) > 2
        first = case.configuration.hidden_size % len(self.biases) if several else 0
        return (*self.biases[first:], *self.biases[:first])

    def _of_layer(self, stored: Stored, placed: Sequence[str]) -> dict[str, Array]:
        """Convert the parameters of one layer and direction; names have their ``*``."""
        given = (*stored.biases, *map(np.zeros_like, stored.biases[:1]))
        biases = {each: given[min(n, len(given) - 1)] for n, each in enumerate(placed)}
        arrays: dict[str, Array] = {}
        for which, each in self.weights.items():
            by = {"x": stored.weight_ih, "h": stored.weight_hh}
            if self._within(which):
                by["1"] = biases.pop(self._within(which))[:, None]
            blocks = self._split(each, np.hstack([by[part] for part in self._features(which)]))
            turn = np.transpose if which in self.transposed else np.asarray
            arrays |= {name: np.ascontiguousarray(turn(block)) for name, block in blocks.items()}
        for each, bias in biases.items():
            arrays |= self._split(each, bias)
        return arrays

    def _split(self, each: str, stacked: Array) -> dict[str, Array]:
        own = names(each)
        if len(own) == 1:
            return {each: interleaved(stacked) if self.interleaved else stacked}
        blocks = dict(zip(self.layout.gates, np.split(stacked, 4), strict=True))
        return {name: blocks[gate] for gate, name in zip(GATES, own, strict=True)}

    def restored(self, own: Mapping[str, Array], case: Case) -> dict[str, Array]:
        """Convert gradients by the class's parameters to gradients by PyTorch's, by their names.

        `own` are gradients by the names and in the shapes of :meth:`of`.
        """
        found: dict[str, Array] = {}
        for layer, suffix in zip(self.layers, case.configuration.suffixes(), strict=True):
            stored = self.stored(own, layer, self._placed(case))
            found |= self.layout.restored(stored, suffix)
        return found

    def stored(
        self, own: Mapping[str, Array], layer: str = "", placed: Sequence[str] = ()
    ) -> Stored:
        """Stack the arrays `own` of one layer, by the names and shapes of :meth:`of`.

        Of the biases the first two are taken, in the order in which they are `placed`.
        """
        by: dict[str, Array] = {}
        for which, each in self.weights.items():
            turned = which in self.transposed
            array = self._stacked(each.replace("*", layer), own, turned=turned)
            sizes = {"1": 1, "h": len(array) // 4}
            features = self._features(which)
            sizes["x"] = array.shape[1] - sum(sizes[part] for part in features if part != "x")
            cuts = np.cumsum([sizes[part] for part in features])[:-1]
            found = dict(zip(features, np.split(array, cuts, 1), strict=True))
            if self._within(which):
                by[self._within(which)] = found.pop("1")[:, 0]
            by |= found
        biases = [
            by[each] if each in by else self._stacked(each.replace("*", layer), own)
            for each in (placed or self.biases)[:2]
        ]
        return Stored(by["x"], by["h"], tuple(biases))

    def _stacked(self, each: str, own: Mapping[str, Array], turned: bool = False) -> Array:
        blocks = [own[name].T if turned else own[name] for name in names(each)]
        if len(blocks) == 1:
            return interleaved(blocks[0], back=True) if self.interleaved else blocks[0]
        by_gate = dict(zip(GATES, blocks, strict=True))
        return np.concatenate([by_gate[gate] for gate in self.layout.gates])


def described(
    weights: Sequence[str],
    bias: str | tuple[str, ...],
    gates: str,
    transposed: bool | str,
    forget_bias: float,
    layers: tuple[str, ...],
    interleaved: bool,
) -> Parameters:
    """Make the parameters that the arguments of :class:`conformance.HandWritten` describe.

    `weights` are the names for all of :data:`FEATURES`, "" where there is none. Raises
    :class:`UsageError` for what does not fit together.
    """
    biases = (bias,) if isinstance(bias, str) and bias else tuple(bias)
    if forget_bias and not biases:
        raise UsageError("forget_bias needs a bias from which it can be subtracted")
    named = {which: each for which, each in zip(FEATURES, weights, strict=True) if each}
    turned = FEATURES if transposed is True else {transposed} if transposed else {}
    if not set(turned) <= set(FEATURES):
        raise UsageError(f"transposed must be a bool or a weight, got {transposed!r}")
    try:
        layout = Layout(gates, biases=min(len(biases) or 2, 2), forget_bias=forget_bias)
    except ValueError as error:
        raise UsageError(str(error)) from error
    return Parameters(layout, named, biases, frozenset(turned), layers, interleaved)
