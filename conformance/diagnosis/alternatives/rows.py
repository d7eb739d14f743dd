"""LSTMs that confuse the rows of a batch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from conformance.diagnosis.alternatives.altered import AlteredLSTM
from conformance.requirements.parts import rows, rows_of
from conformance.requirements.variations import with_input
from reference import Array, Case, Result


def _several(case: Case) -> int:
    """Return the number of rows; raises :class:`ValueError` if there are not several."""
    if not case.batched or case.batch_size < 2:
        raise ValueError("not several rows")
    return case.batch_size


def first_for_all(case: Case, result: Result) -> Result:
    """Return the results of the first row for every row."""
    if not case.batched or case.batch_size < 2:
        return result
    return rows_of(case, result, np.zeros(case.batch_size, int))


def zeros_past_the_first(case: Case, result: Result) -> Result:
    """Return zeros for every row but the first."""
    if not case.batched:
        return result
    kept = np.arange(case.batch_size) == 0
    batch = int(not case.configuration.batch_first)
    by_row = kept[:, None] if batch else kept[:, None, None]
    return Result(result.output * by_row, result.h_n * kept[:, None], result.c_n * kept[:, None])


def shifted(by: int) -> Callable[[Case], Case]:
    """Make a change that reads the input of each row from another one, `by` rows further on."""

    def changed(case: Case) -> Case:
        _several(case)
        return with_input(case, np.roll(case.time_major(case.input), -by, 1))

    return changed


def all_shifted(by: int) -> Callable[[Case], Case]:
    """Make a change that reads rows, with their states, `by` rows further on."""
    return lambda case: rows(case, np.roll(np.arange(_several(case)), -by))


def packed_rows_first(case: Case) -> Case:
    """Read packed data, which have steps first, as if rows came first.

    Raises :class:`ValueError` if the case has no lengths.
    """
    if case.lengths is None:
        raise ValueError("no lengths")
    order = np.argsort(-case.lengths, kind="stable")
    valid = case.valid_steps()[:, order]
    x = case.time_major(case.input)[:, order]
    packed: Array = x[valid]
    by_row = np.zeros_like(x.swapaxes(0, 1))
    by_row[valid.T] = packed
    read = by_row.swapaxes(0, 1)[:, np.argsort(order, kind="stable")]
    return with_input(case, read)


ROWS = (
    AlteredLSTM("that returns the results of the first row for every row", result=first_for_all),
    AlteredLSTM("that returns zeros past the first row", result=zeros_past_the_first),
    *(
        AlteredLSTM(f"that reads the {what} of each row from the {which} row", case=of(by))
        for what, of in (("input", shifted), ("input and states", all_shifted))
        for which, by in (("next", 1), ("previous", -1))
    ),
    AlteredLSTM("that reads packed input as if rows came first", case=packed_rows_first),
)
"""Every hypothesis on rows."""
