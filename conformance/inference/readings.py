"""The possible meanings of the axes of an input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from conformance.diagnosis.alternatives.wiring import (
    BACKWARDS,
    INPUT_RESHAPED,
)
from conformance.inference.numbers import FIRST, HIDDEN, SECOND
from reference import Array


@dataclass(frozen=True)
class Reading:
    """One way in which a class can read its input.

    - `axes`: the number of axes of the input
    - `batch_first`: whether rows come before steps
    - `batched`: whether there are rows at all
    - `cell`: whether the class computes one step
    - `columns`: whether the last two axes of everything are exchanged, so that rows are columns
    - `steps_last`: whether steps come after everything else
    - `one_row`: whether there is one row only
    - `stepwise`: whether an instance takes one step in each call, and keeps the states itself
    - `reshaped`, `reversed`: faults: axes are exchanged by a reshape, or steps are reversed
    """

    axes: int
    batch_first: bool = False
    batched: bool = True
    cell: bool = False
    columns: bool = False
    steps_last: bool = False
    one_row: bool = False
    stepwise: bool = False
    reshaped: bool = False
    reversed: bool = False

    @property
    def says(self) -> str:
        """The fault, to follow "an LSTM"; empty if there is none."""
        if self.reshaped:
            return INPUT_RESHAPED.says
        return BACKWARDS.says if self.reversed else ""

    @property
    def rows(self) -> int:
        """The number of rows of an input from :data:`conformance.inference.numbers.INPUTS`."""
        if self.one_row or not self.batched:
            return 1
        return FIRST if self.batch_first else SECOND

    @property
    def steps(self) -> int:
        """The number of steps of such an input."""
        if self.axes == 3:
            return SECOND if self.batch_first else FIRST
        return 1 if self.cell else SECOND

    def of(self, inputs: Mapping[int, Array]) -> Array:
        """Return the input of :class:`conformance.inference.numbers.Numbers` that is read so."""
        x = inputs[self.axes]
        if not self.one_row:
            return x
        return x[:1] if self.batch_first or self.cell else x[:, :1]

    def time_major(self, x: Array) -> Array:
        """Return the input `x` as (T, N, input_size)."""
        if self.reshaped:
            return x.reshape(x.shape[1], x.shape[0], -1)
        if self.reversed:
            return replace(self, reversed=False).time_major(x)[::-1]
        if self.axes == 3:
            return x.swapaxes(0, 1) if self.batch_first else x
        return x.reshape(1 if self.cell else -1, self.rows, x.shape[-1])

    def turned(self, array: Array, steps: int | None = None) -> Array:
        """Convert an array of rows to the layout of the class; `steps` is the axis of steps."""
        turned = array.swapaxes(-1, -2) if self.columns else array
        return turned if steps is None or not self.steps_last else np.moveaxis(turned, steps, -1)

    def state_shape(self, count: int = 1) -> tuple[int, ...]:
        """Return the shape of an initial state: with an axis of layers but for a cell alone."""
        layers = () if self.cell and count == 1 else (count,)
        return (*layers, *((self.rows,) if self.batched else ()), HIDDEN)

    def options(self) -> dict[str, bool]:
        """Return the arguments of :class:`conformance.HandWritten` for this reading."""
        chosen = {option: True for option in OPTIONS if getattr(self, option)}
        chosen |= {"cell": True} if self.stepwise else {}
        return chosen if self.batched else {**chosen, "batched": False}


OPTIONS = ("batch_first", "cell", "columns", "steps_last", "one_row")

READINGS = (
    Reading(3, batch_first=True),
    Reading(3),
    Reading(2, cell=True),
    Reading(3, stepwise=True),
    Reading(2, batched=False),
    Reading(1, batched=False, cell=True),
    Reading(3, columns=True),
    Reading(2, cell=True, columns=True),
    Reading(3, columns=True, steps_last=True),
    Reading(3, steps_last=True),
    Reading(3, one_row=True),
    Reading(3, one_row=True, batch_first=True),
    Reading(2, one_row=True, cell=True),
    Reading(3, one_row=True, columns=True),
)
"""Every right way to read an input."""

WRONG = (
    Reading(3, batch_first=True, reshaped=True),
    Reading(3, batch_first=True, reversed=True),
    Reading(3, reversed=True),
)
"""Wrong ways to read an input of three axes."""
