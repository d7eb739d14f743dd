"""How far results are apart, beside how far right ones can be expected to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from conformance.judgement.judging import Answer
from conformance.judgement.sensitivity import RUNS, Sensitivity, sensitivity
from conformance.requirements.parts import rows as some_rows
from reference import Arithmetic, Array, Case, Precision

PERTURBED, LEAST = 5e10, 4
"""About how many multiplications perturbed runs may take, and the least number of runs."""
ROWS = 4
"""The largest number of rows whose rounding is estimated."""


@dataclass(frozen=True, eq=False)
class Compared:
    """How sensitive a case is to rounding, and how far results of it are apart.

    - `dtype`: the dtype of the case;
    - `sensitivity`: the estimate, on the rows where results are furthest apart;
    - `seen`: how far two results, or one and the truth, are apart in the output, in these rows;
    - `between`: whose results these are.
    """

    dtype: str
    sensitivity: Sensitivity
    seen: float
    between: tuple[str, str]


def compared(answers: Sequence[Answer], by: Precision | None = None) -> Compared | None:
    """Estimate what rounding does to the case of the `answers`, which all have the same.

    Numbers that are not finite are left out. Returns None if no answer has results.
    """
    known = [(each, each.result) for each in answers if each.result is not None]
    if not known:
        return None
    case = known[0][0].case
    outputs = [_output(case, result.output) for _, result in known]
    names = [answer.verdict.subject for answer, _ in known]
    apart, between = _furthest(outputs, names)
    runs, rows = _affordable(case)
    chosen = np.sort(np.argsort(-apart, kind="stable")[:rows])
    some = some_rows(case, chosen) if case.batched else case
    estimate = sensitivity(some, Arithmetic.of(case.dtype, by or Precision()), runs)
    if len(outputs) > 1:
        return Compared(case.dtype.name, estimate, float(apart[chosen].max(initial=0)), between)
    with np.errstate(all="ignore"):
        off = np.abs(outputs[0][: some.seq_len, chosen] - estimate.output)
        seen = float(np.nan_to_num(off * some.valid_steps()[..., None], posinf=0).max(initial=0))
    return Compared(case.dtype.name, estimate, seen, (names[0], "the truth"))


def _output(case: Case, output: Array) -> Array:
    """Convert to (T, N, features) in float64, zero beyond the length of each row."""
    ordered = np.asarray(case.time_major(output), np.float64)
    return np.where(case.valid_steps()[..., None], ordered, 0)


def _furthest(outputs: Sequence[Array], names: Sequence[str]) -> tuple[Array, tuple[str, str]]:
    """Find the two results that are furthest apart, and how far they are in each row."""
    apart, between = np.zeros(outputs[0].shape[1]), (names[0], names[0])
    for first in range(len(outputs)):
        for second in range(first + 1, len(outputs)):
            with np.errstate(all="ignore"):
                off = np.abs(outputs[first] - outputs[second])
            off = np.nan_to_num(off, posinf=0).max(axis=(0, 2), initial=0)
            if off.max(initial=0) >= apart.max(initial=0):
                apart, between = off, (names[first], names[second])
    return apart, between


def _affordable(case: Case) -> tuple[int, int]:
    """How many runs of how many rows can be afforded."""
    shapes = case.configuration.parameter_shapes().values()
    each = case.seq_len * sum(int(np.prod(shape)) for shape in shapes)
    rows = int(np.clip(PERTURBED // (each * (RUNS + 1)), 1, ROWS))
    return int(np.clip(PERTURBED // (each * rows), LEAST, RUNS)), rows
