"""Arrays as small matrices, with what is wrong in them marked."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.checking.comparison import shares
from conformance.checking.counterexample import Compared, Counterexample
from reference import Array

MOST = 64
"""The number of elements up to which an array is drawn as a whole."""
EDGE = 8
"""Rows and columns drawn of a larger one, near the wrong element."""


@dataclass(frozen=True)
class Cell:
    """One number; `mark` is wrong, worst (the furthest off as a share of its bound) or empty."""

    text: str
    mark: str = ""


@dataclass(frozen=True)
class Matrix:
    """The last two axes of an array, or a part of them.

    - `label`: the name with the other indices, such as ``input[0]``
    - `rows`: the index of each row, or empty if the array has only one axis, and its cells
    - `columns`: the index of each column
    - `parted`: the index of the row in which results part, if that is here
    """

    label: str
    rows: Sequence[tuple[str, Sequence[Cell]]]
    columns: Sequence[int]
    parted: str | None = None


@dataclass(frozen=True)
class Wrong:
    """Matrices of the same part of an array: what came, what should have come, and the distance."""

    got: Matrix
    expected: Matrix
    share: Matrix


def _number(value: float) -> str:
    return f"{value:.5g}"


def array(values: Any) -> Array | None:
    """Return nested lists as an array of float64; None if they are ragged or too deep."""
    try:
        return np.asarray(values, np.float64)
    except (ValueError, TypeError):
        return None


def inputs(found: Counterexample) -> tuple[list[Matrix], list[str]]:
    """Return the parameters, input and states of a case that are drawn, and lines on the others."""
    place = found.diagnosis.place
    drawn: list[Matrix] = []
    lines, zero = [], []
    for name, values in found.tensors.items():
        tensor = array(values)
        if tensor is None or tensor.size > MOST:
            size = "of unequal rows" if tensor is None else f"{tensor.size} numbers"
            lines.append(f"{name}: {size}")
        elif not tensor.any():
            zero.append(name)
        else:
            parts = place and not found.diagnosis.derived and place.name == "output"
            parted = place.index[:-1] if place and parts and name == "input" else None
            drawn += _matrices(name, tensor, parted=parted)
    return drawn, lines + ([f"all zero: {', '.join(zero)}"] if zero else [])


def wrong(found: Counterexample) -> list[Wrong]:
    """Return the arrays of which an element is wrong; nothing where there are none to draw."""
    if found.compared is None:
        return []
    triple = _arrays(found.compared)
    if triple is None:
        return []
    got, expected, allowed = triple
    off = shares(got, expected, allowed)
    worst = tuple(map(int, np.unravel_index(np.argmax(off), off.shape)))
    marks = np.where(off > 1, "wrong", "").astype(object)
    marks[worst] = "worst"
    place = found.diagnosis.place
    same = place and not found.diagnosis.derived and place.name == found.what
    parted = place.index[:-1] if place and same else None
    cut = [slice(None)] * got.ndim
    if got.size > MOST:
        cut = [slice(each, each + 1) for each in worst[:-2]]
        cut += [
            slice(max(each - EDGE // 2, 0), max(each - EDGE // 2, 0) + EDGE) for each in worst[-2:]
        ]
    drawn = [
        list(_matrices(found.what, values, marks, tuple(cut), parted, text))
        for values, text in ((got, _number), (expected, _number), (off, _times))
    ]
    return [Wrong(*each) for each in zip(*drawn, strict=True)]


def _arrays(compared: Compared) -> tuple[Array, Array, Array] | None:
    found = [array(each) for each in (compared.got, compared.expected, compared.allowed)]
    got, expected, allowed = found
    if got is None or expected is None or allowed is None or not got.size:
        return None
    return (got, expected, allowed) if got.shape == expected.shape == allowed.shape else None


def share(compared: Compared | None) -> float | None:
    """Return the largest distance as a share of its bound, None where it is not known."""
    triple = None if compared is None else _arrays(compared)
    return None if triple is None else float(shares(*triple).max())


def _matrices(
    name: str,
    values: Array,
    marks: Array | None = None,
    cut: tuple[slice, ...] | None = None,
    parted: tuple[int, ...] | None = None,
    text: Callable[[float], str] = _number,
) -> Iterator[Matrix]:
    """Yield the matrices of an array of any number of axes, of those the part that `cut` selects.

    The row `parted`, an index of all axes but the last, is where results part.
    """
    axes = [range(size)[part] for size, part in zip(values.shape, cut or (), strict=False)]
    axes = axes or [range(size) for size in values.shape]
    *others, rows, columns = [range(1)] * max(0, 2 - len(axes)) + axes
    for before in itertools.product(*others):
        shown = []
        for row in rows:
            index = (*before, row)[-max(values.ndim - 1, 0) :] if values.ndim > 1 else ()
            places = [(*index, column) if values.ndim else () for column in columns]
            cells = [
                Cell(text(float(values[at])), "" if marks is None else str(marks[at]))
                for at in places
            ]
            shown.append((str(row) if values.ndim > 1 else "", cells))
        label = name + (f"[{', '.join(map(str, before))}]" if values.ndim > 2 else "")
        here = parted is not None and parted[:-1] == before[: len(parted) - 1]
        yield Matrix(label, shown, columns, str(parted[-1]) if here and parted else None)


def _times(value: float) -> str:
    return f"{value:.2g}" if value < 1e3 else f"{value:.0e}"
