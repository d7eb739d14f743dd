"""Stacks: which parameters belong to the same part of several layers or directions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from conformance.inference.numbers import HIDDEN, INPUT, Shapes

FORWARD = ("forward", "fwd", "fw", "f", "l2r", "left", "ltr")
BACKWARD = ("backward", "bwd", "bw", "b", "r2l", "right", "rtl")
REVERSED = ("reverse", "reversed", "rev")
ORDER = ("first", "second", "third", "fourth")
BOTTOM_UP = (("lower", "upper"), ("bottom", "top"), ("low", "high"))

PIECES = re.compile(r"\d+|[A-Za-z][a-z]*")
"""A part of a name that may count layers or name a direction: ``cell``, ``1``, ``fw``."""


class Stack(NamedTuple):
    """Parameters of several layers or directions.

    - `layers`: what ``*`` in the names stands for, for each layer and direction
    - `directions`: 1 or 2
    - `shapes`: the shapes in the first of `layers`, by names with ``*``
    """

    layers: tuple[str, ...]
    directions: int
    shapes: Shapes


def stacks(shapes: Shapes) -> Iterator[Stack]:
    """Yield the stacks in parameters of these shapes, and then all parameters as one layer.

    A stack has the same parameters in each layer and direction, and their shapes are such that
    each layer takes the output of the one below.
    """
    found: list[Stack] = []
    places = {place for name in shapes for place in _places(name)}
    for marked in sorted(places):
        by_layer: dict[str, dict[str, tuple[int, ...]]] = {}
        ranks: dict[str, tuple[int, int]] = {}
        for name, shape in shapes.items():
            for pattern, layer, rank, mark in _marked(name):
                if mark == marked:
                    by_layer.setdefault(layer, {})[pattern] = shape
                    ranks[layer] = rank
        found += _stacked(by_layer, ranks)
    # the order of the pieces of a name makes no difference, but several of them say more
    found.sort(key=lambda stack: -len(stack.layers))
    yield from {each.layers: each for each in found}.values()
    yield Stack(("",), 1, shapes)


def layers_above(found: Iterable[Stack], shapes: Shapes) -> tuple[str, ...]:
    """List the submodules whose parameters all belong to a layer above the lowest of a stack."""
    modules: dict[str, set[str]] = {}
    for name in shapes:
        modules.setdefault(name.rpartition(".")[0], set()).add(name)
    above = [
        {name.replace("*", layer) for name in stack.shapes}
        for stack in found
        for layer in stack.layers[stack.directions :]
    ]
    return tuple(
        module
        for module, names in modules.items()
        if module and any(names <= layer for layer in above)
    )


def _places(name: str) -> list[str]:
    return [mark for _, _, _, mark in _marked(name)]


def _marked(name: str) -> Iterator[tuple[str, str, tuple[int, int], str]]:
    """Yield a name with ``*`` for what shows the layer and direction, the text in its place, its
    rank among layers and directions, and the kind of the place.
    """
    pieces = [*PIECES.finditer(name)]
    numbers = [(piece, int(piece[0]), 0) for piece in pieces if piece[0].isdigit()]
    words = [(piece, *rank, kind) for piece in pieces for rank, kind in _ranks(piece[0])]
    for nth, (piece, layer, _) in enumerate(numbers[:2]):
        yield *_cut(name, piece.start(), piece.end()), (layer, 0), f"number {nth}"
        for word, _, direction, kind in words:
            if kind.startswith("direction") or kind == "reverse":
                start, end = min(piece.start(), word.start()), max(piece.end(), word.end())
                yield *_cut(name, start, end), (layer, direction), f"number {nth} {kind}"
        yield *_cut(name, piece.start(), piece.end()), (layer, 0), f"number {nth} reverse"
    for word, layer, direction, kind in words:
        yield *_cut(name, word.start(), word.end()), (layer, direction), kind
    # any other names of submodules count layers from the one that takes the input
    for nth, piece in enumerate(re.finditer(r"[^.]+(?=\.)", name)):
        yield *_cut(name, piece.start(), piece.end()), (0, 0), f"submodule {nth}"


def _ranks(word: str) -> Iterator[tuple[tuple[int, int], str]]:
    """Yield the layer and direction that a word may stand for, and what kind of word it is."""
    lower = word.lower()
    for kind, words in enumerate(zip(FORWARD, BACKWARD, strict=True)):
        if lower in words:
            yield (0, words.index(lower)), f"direction {kind}"
    if lower in REVERSED:
        yield (0, 1), "reverse"
    if lower in ORDER:
        yield (ORDER.index(lower), 0), "order"
    for kind, words in enumerate(BOTTOM_UP):
        if lower in words:
            yield (words.index(lower), 0), f"height {kind}"


def _cut(name: str, start: int, end: int) -> tuple[str, str]:
    return f"{name[:start]}*{name[end:]}", name[start:end]


def _stacked(
    by_layer: dict[str, dict[str, tuple[int, ...]]], ranks: dict[str, tuple[int, int]]
) -> Iterator[Stack]:
    """Yield the stack of these layers, if it is one."""
    inputs = {INPUT, INPUT + HIDDEN}

    def order(layer: str) -> tuple[tuple[int, int], bool]:
        return ranks[layer], not any(inputs & {*shape} for shape in by_layer[layer].values())

    layers = sorted(by_layer, key=order)
    if len({*ranks.values()}) == 1:  # names that do not count: other submodules are not layers
        layers = [each for each in layers if by_layer[each].keys() == by_layer[layers[0]].keys()]
    directions = 1 + max(direction for _, direction in ranks.values())
    if len(layers) < 2 or len(layers) % directions:
        return
    common = [
        name for name in by_layer[layers[0]] if all(name in by_layer[layer] for layer in layers)
    ]
    first = {name: by_layer[layers[0]][name] for name in common}
    above = {INPUT: directions * HIDDEN, INPUT + HIDDEN: (1 + directions) * HIDDEN}
    for nth, layer in enumerate(layers):
        for name in common:
            wanted = first[name]
            if nth >= directions:
                wanted = tuple(above.get(size, size) for size in wanted)
            if by_layer[layer][name] != wanted:
                return
    if any(inputs & {*shape} for shape in first.values()):
        yield Stack(tuple(layers), directions, first)
