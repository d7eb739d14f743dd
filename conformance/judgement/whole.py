"""Judging results of several layers of which only those of the top one are known."""

from __future__ import annotations

from collections.abc import Collection

from conformance.judgement.elements import errors, first, laid_out
from conformance.judgement.verdict import Extent, Right, Unsaid, Verdict, Wrong
from reference import Arithmetic, Case, Result, forward_bound, trace

AFFORDABLE = 3e9
"""The product of rows, steps squared and state size cubed up to which all errors are carried."""

UNOBSERVED = (
    "only the output of the top layer is given, and this LSTM is too large to bound the errors of "
    "all layers together; give the outputs of the others too, as output_l0, output_l1 ..."
)


def judged_whole(
    subject: tuple[str, str, str],
    case: Case,
    got: Result,
    arithmetic: Arithmetic,
    there: Collection[str],
) -> Verdict:
    """Judge `got`, the results of `case`, by the bound that carries errors through all layers.

    Nothing is said of an LSTM that is too large for that. `subject` is the implementation, the
    device and the dtype, and `there` are the names of the results that there are.
    """
    c = case.configuration
    size = c.hidden_size + c.output_size
    if case.batch_size * case.seq_len**2 * size**3 > AFFORDABLE:
        return Unsaid(*subject, reason=UNOBSERVED, of_rows=case.batch_size)
    evaluated = trace(case)
    both = evaluated.result, forward_bound(evaluated, arithmetic)
    true, bound = (laid_out(case, each)[1] for each in both)
    place, worst, unbounded = None, 0.0, False
    for found in errors(*laid_out(case, got), true, bound, there):
        unbounded |= found.name in there and bool(found.unknown.any())
        worst = max(worst, float(found.share.max(initial=0)))
        if place is None and (found.share > 1).any():
            place = first(found, found.share > 1, c.num_directions, c.num_layers - 1)
    if place is not None:
        extent = Extent(1, case.seq_len, 1, case.batch_size, (place.unit,), c.output_size)
        told = ("The layers below were not observed, and can be wrong before that.",)
        return Wrong(*subject, worst, place=place, extent=extent, causes=told)
    if unbounded:
        reason = "a sum or a state of the true course can overflow, or is not finite"
        return Unsaid(*subject, worst, reason=reason, of_rows=case.batch_size)
    return Right(*subject, worst)
