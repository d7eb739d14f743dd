"""How far results are apart, beside how far right ones can be expected to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from conformance.judgement.judging import Answer
from conformance.judgement.sensitivity import RUNS, Sensitivity, sensitivity
from conformance.requirements.parts import rows as some_rows
from conformance.requirements.parts import steps as some_steps
from reference import Arithmetic, Array, Case, Precision

PERTURBED, LEAST = 2.5e10, 4
"""About how many multiplications perturbed runs may take, and the least number of runs.

If these are too many, the estimate is about the first steps only.
"""
ROWS = 4
"""The largest number of rows whose rounding is estimated."""


@dataclass(frozen=True, eq=False)
class Compared:
    """How sensitive a case is to rounding, and how far results of it are apart.

    - `dtype`: the dtype of the case;
    - `sensitivity`: the estimate, on the rows where results are furthest apart;
    - `seen`: how far two results, or one and the truth, are apart in the output, in these rows;
      None if it is not known;
    - `between`: whose results these are;
    - `first`: the number of first steps that `sensitivity` and `seen` are about, None for all.
    """

    dtype: str
    sensitivity: Sensitivity
    seen: float | None
    between: tuple[str, str]
    first: int | None = None


def compared(answers: Sequence[Answer], by: Precision | None = None) -> Compared | None:
    """Estimate what rounding does to the case of the `answers`, which all have the same.

    Numbers that are not finite are left out. Returns None if no answer has results.
    """
    known = [(each, each.result) for each in answers if each.result is not None]
    if not known:
        return None
    case, names = known[0][0].case, [answer.verdict.subject for answer, _ in known]
    runs, rows, window = _affordable(case)
    some = cut = _first_steps(case, window)
    outputs = [_output(cut, case.time_major(result.output)[:window]) for _, result in known]
    apart, between = _furthest(outputs, names)
    chosen = np.sort(np.argsort(-apart, kind="stable")[:rows])
    if case.batched:
        some = some_rows(cut, chosen)
    valid, first = some.valid_steps()[..., None], window if window < case.seq_len else None
    estimate = sensitivity(some, Arithmetic.of(case.dtype, by or Precision()), runs)
    seen: float | None = float(apart[chosen].max(initial=0))
    if len(outputs) == 1:
        between = (names[0], "the truth")
        with np.errstate(all="ignore"):
            off = (outputs[0][: some.seq_len, chosen] - estimate.output) * valid
        seen = float(_largest(off).max(initial=0))
        if first and case.configuration.bidirectional:
            seen = None  # the truth of the reverse direction comes from all steps
    return Compared(case.dtype.name, estimate, seen, between, first)


def _first_steps(case: Case, window: int) -> Case:
    """Cut a case to its first `window` steps, and its lengths too."""
    cut = some_steps(case, 0, window)
    return cut if case.lengths is None else replace(cut, lengths=np.minimum(case.lengths, window))


def _output(case: Case, ordered: Array) -> Array:
    """Convert (T, N, features) to float64, zero beyond the length of each row."""
    return np.where(case.valid_steps()[..., None], np.asarray(ordered, np.float64), 0)


def _largest(off: Array) -> Array:
    """Give the largest size of each row of (T, N, features); numbers that are not finite are 0."""
    finite = np.abs(np.nan_to_num(off, posinf=0, neginf=0))
    return np.asarray(finite.max(axis=(0, 2), initial=0))


def _furthest(outputs: Sequence[Array], names: Sequence[str]) -> tuple[Array, tuple[str, str]]:
    """Find the two results that are furthest apart, and how far they are in each row."""
    apart, between = np.zeros(outputs[0].shape[1]), (names[0], names[0])
    for (one, first), (other, second) in combinations(zip(outputs, names, strict=True), 2):
        with np.errstate(all="ignore"):
            off = _largest(one - other)
        if off.max(initial=0) >= apart.max(initial=0):
            apart, between = off, (first, second)
    return apart, between


def _affordable(case: Case) -> tuple[int, int, int]:
    """How many runs of how many rows and steps can be afforded."""
    shapes = case.configuration.parameter_shapes().values()
    step = sum(int(np.prod(shape)) for shape in shapes)
    each = case.seq_len * step
    rows = int(np.clip(PERTURBED // (each * (RUNS + 1)), 1, ROWS))
    runs = int(np.clip(PERTURBED // (each * rows), LEAST, RUNS))
    return runs, rows, int(np.clip(PERTURBED // (step * rows * runs), 1, case.seq_len))
