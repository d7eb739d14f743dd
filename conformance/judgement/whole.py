"""Judging results of several layers of which only those of the top one are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from conformance.checking.comparison import shares
from conformance.judgement.verdict import Extent, Place, Right, Unsaid, Verdict, Wrong
from reference import Arithmetic, Array, Case, Result, forward_bound, trace

AFFORDABLE = 3e9
"""The product of rows, steps squared and state size cubed up to which all errors are carried."""

UNOBSERVED = (
    "only the output of the top layer is given, and this LSTM is too large to bound the errors of "
    "all layers together; give the outputs of the others too, as output_l0, output_l1 ..."
)


def judged_whole(
    subject: tuple[str, str, str], case: Case, got: Result, arithmetic: Arithmetic
) -> Verdict:
    """Judge `got`, the results of `case`, by the bound that carries errors through all layers.

    Nothing is said of an LSTM that is too large for that. `subject` is the implementation, the
    device and the dtype.
    """
    c = case.configuration
    size = c.hidden_size + c.output_size
    if case.batch_size * case.seq_len**2 * size**3 > AFFORDABLE:
        return Unsaid(*subject, reason=UNOBSERVED, of_rows=case.batch_size)
    evaluated = trace(case)
    bound = forward_bound(evaluated, arithmetic)
    worst, first = 0.0, None
    unbounded = False
    for name, array in got.items():
        true = np.asarray(getattr(evaluated.result, name), np.float64)
        allowed = np.asarray(getattr(bound, name), np.float64)
        if name != "output" and np.isnan(array.astype(np.float64)).all():
            continue  # not returned
        unknown = ~(np.isfinite(true) & np.isfinite(allowed))
        unbounded |= bool(unknown.any())
        share = np.where(unknown, 0, shares(array, true, np.where(unknown, 1, allowed)))
        worst = max(worst, float(share.max(initial=0)))
        if first is None and (share > 1).any():
            first = _place(case, name, share > 1, (array, true, allowed))
    if first is not None:
        extent = Extent(1, case.seq_len, 1, case.batch_size, (first.unit,), c.output_size)
        told = ("The layers below were not observed, and can be wrong before that.",)
        return Wrong(*subject, worst, place=first, extent=extent, causes=told)
    if unbounded:
        reason = "a sum or a state of the true course can overflow, or is not finite"
        return Unsaid(*subject, worst, reason=reason, of_rows=case.batch_size)
    return Right(*subject, worst)


def _place(case: Case, name: str, off: Array, arrays: Sequence[Array]) -> Place:
    """Find the first marked element: of the output, by time, or of a final state."""
    c = case.configuration

    def ordered(array: Array) -> Array:
        if name == "output":
            return case.time_major(array)
        return array if case.batched else array[:, None]

    first, row, unit = map(int, np.argwhere(ordered(off))[0])
    got, expected, allowed = (float(ordered(array)[first, row, unit]) for array in arrays)
    layer, direction, step = c.num_layers - 1, unit // c.output_size, first
    if name != "output":
        layer, direction, step = first // c.num_directions, first % c.num_directions, -1
    size = c.output_size if name == "output" else off.shape[-1]
    return Place(name, layer, direction, step, row, unit % size, got, expected, allowed)
