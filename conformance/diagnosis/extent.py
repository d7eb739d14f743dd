"""How far a fault reaches: which units, rows and steps are wrong, and whether all from one on."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.checking.truth import Truth
from conformance.diagnosis.parting import Parting, wrong
from reference import Case, Result

REAL = 33
"""The size up to which nobody asks which tile or block of a kernel an element is in."""


def extent(case: Case, got: Result, known: Truth, part: Parting) -> list[str]:
    """Describe which units, rows and steps are wrong, where there are more than :data:`REAL`.

    Units and rows are those of the step in which results first differ, in its direction.
    """
    c = case.configuration
    if part.step < 0 or max(c.output_size, case.batch_size, case.seq_len) <= REAL:
        return []
    off = case.time_major(wrong(got, known)["output"])
    half = off[..., part.direction * c.output_size : (part.direction + 1) * c.output_size]
    units = pattern(half[part.step, part.row], "unit")
    rows = pattern(np.any(half[part.step], axis=-1), "row")
    steps = pattern(np.any(half, axis=(1, 2)), "step")
    return [f"In that step and row {units}; in that step, {rows}; in the whole sequence, {steps}."]


def pattern(off: Any, noun: str) -> str:
    """Describe which elements of `off` are True, of which there is one at least.

    >>> pattern(np.arange(200) >= 128, "unit")
    'all units from 128 on are wrong'
    >>> pattern(np.arange(200) % 16 == 15, "row")
    'every 16th row from 15 on is wrong'
    """
    places = np.flatnonzero(off)
    first, last, count = int(places[0]), int(places[-1]), len(places)
    gaps = set(np.diff(places).tolist())
    if count == len(off):
        return f"all {count} {noun}s are wrong" if count > 1 else f"the only {noun} is wrong"
    if count == 1:
        return f"{noun} {first} alone is wrong"
    if gaps == {1}:
        if last == len(off) - 1:
            return f"all {noun}s from {first} on are wrong"
        return f"{noun}s {first} to {last} are wrong"
    if len(gaps) == 1 and count > 2 and last + min(gaps) >= len(off):
        return f"every {min(gaps)}th {noun} from {first} on is wrong"
    return f"{count} of {len(off)} {noun}s are wrong, the first is {first} and the last {last}"
