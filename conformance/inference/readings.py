"""What the axes of an input can mean, and what a returned array can be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from conformance.inference.probing import Leaf
from conformance.inference.simulation import Simulated
from conformance.inference.sizes import FIRST, HIDDEN, INPUT, SECOND
from reference import Array

SHAPES = {3: (FIRST, SECOND, INPUT), 2: (SECOND, INPUT), 1: (INPUT,)}
"""The shape of an input by its number of axes."""


@dataclass(frozen=True)
class Reading:
    """What a class takes an input with `axes` for.

    With `columns` the last two axes of everything are exchanged: a row is a column. `reshaped` and
    `reversed` are wrong.
    """

    axes: int
    batch_first: bool = False
    batched: bool = True
    cell: bool = False
    columns: bool = False
    reshaped: bool = False
    reversed: bool = False

    @property
    def fault(self) -> str:
        """What is wrong, if something is."""
        if self.reshaped:
            return "rows and steps of the input are mixed: it is reshaped, not transposed"
        return "steps are taken from the last to the first" if self.reversed else ""

    @property
    def rows(self) -> int:
        """How many rows an input of :data:`SHAPES` has."""
        if not self.batched:
            return 1
        return FIRST if self.batch_first else SECOND

    def time_major(self, x: Array) -> Array:
        """The input `x` as (T, N, input_size)."""
        if self.reshaped:
            return x.reshape(x.shape[1], x.shape[0], -1)
        if self.reversed:
            return replace(self, reversed=False).time_major(x)[::-1]
        if self.axes == 3:
            return x.swapaxes(0, 1) if self.batch_first else x
        return x.reshape(1 if self.cell else -1, self.rows, x.shape[-1])

    def turned(self, array: Array) -> Array:
        """An array of rows as it is given, or one that came back as rows."""
        return array.swapaxes(-1, -2) if self.columns else array

    def state_shape(self) -> tuple[int, ...]:
        """The shape of an initial state as it is given: PyTorch's, or a cell's."""
        layers = () if self.cell else (1,)
        return (*layers, *((self.rows,) if self.batched else ()), HIDDEN)

    def options(self) -> dict[str, bool]:
        """Arguments of :class:`conformance.HandWritten` that say the same."""
        options = {"batch_first": self.batch_first, "cell": self.cell, "columns": self.columns}
        chosen: dict[str, bool] = {name: value for name, value in options.items() if value}
        if not self.batched:
            chosen["batched"] = False
        return chosen


READINGS = (
    Reading(3, batch_first=True),
    Reading(3),
    Reading(2, cell=True),
    Reading(2, batched=False),
    Reading(1, batched=False, cell=True),
    Reading(3, columns=True),
    Reading(2, cell=True, columns=True),
)
"""Every right way to take an input."""

WRONG = (
    Reading(3, batch_first=True, reshaped=True),
    Reading(3, batch_first=True, reversed=True),
    Reading(3, reversed=True),
)
"""Wrong ways to take an input of three axes."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """An array that a leaf may be: its name, (M, ...) values, and what is wrong if it is that."""

    name: str
    values: Array
    fault: str = ""


def candidates(reading: Reading, simulated: Simulated, leaf: Leaf) -> Iterator[Candidate]:
    """Everything of the shape of `leaf`."""
    for each in _all(reading, simulated, leaf.listed):
        each = Candidate(each.name, reading.turned(each.values), each.fault)
        if each.values.shape[1:] == leaf.array.shape:
            yield each
        elif each.values.shape[1:] == leaf.array.shape[1:] and leaf.array.shape[0] == 1:
            yield Candidate(each.name, each.values[:, None], each.fault)


def _all(reading: Reading, simulated: Simulated, listed: bool) -> Iterator[Candidate]:
    states = {"h_n": simulated.h[:, -1], "c_n": simulated.c[:, -1]}
    if not reading.batched:
        states = {name: state[:, 0] for name, state in states.items()}
    yield from (Candidate(*item) for item in states.items())
    if reading.cell:
        return
    backwards = "" if reading.reversed else "the output has its steps from the last to the first"
    for name, steps, fault in (
        ("output", simulated.h, ""),
        ("output", simulated.h[:, ::-1], backwards),
        ("c_all", simulated.c, ""),
    ):
        if not reading.batched:
            yield Candidate(name, steps[:, :, 0], fault)
            continue
        rows_first = steps.swapaxes(1, 2)
        plain = name == "output" and not fault and not listed
        if not reading.batch_first or listed:
            yield Candidate(name, steps, fault)
            if plain:
                yield Candidate(name, rows_first, "the output has rows first, but the input steps")
            continue
        yield Candidate(name, rows_first, fault)
        if plain:
            yield Candidate(name, steps, "the output has steps first, but the input rows")
        if name == "output" and not fault:
            mixed = steps.reshape(rows_first.shape)
            yield Candidate(name, mixed, "rows and steps of the output are mixed by a reshape")
            last = "the last row of the output is returned instead of the last step"
            yield Candidate("h_n", rows_first[:, -1], last)
            yield Candidate("h_n", steps[:, 0], "the first step is returned instead of the last")


def distances(leaf: Leaf, candidate: Candidate) -> Array:
    """The largest difference between `leaf` and each of the candidate's values, (M,)."""
    with np.errstate(all="ignore"):
        apart = np.abs(candidate.values - leaf.array)
    flat = apart.reshape(len(apart), -1).max(axis=1)
    found: Array = np.where(np.isnan(flat), np.inf, flat)
    return found
