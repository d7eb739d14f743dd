"""Judging results of several layers of which only those of the top one are known."""

from __future__ import annotations

from collections.abc import Collection

from conformance.judgement.causes import causes_of_all
from conformance.judgement.elements import errors, extent_of, first, laid_out
from conformance.judgement.verdict import Right, Unsaid, Verdict, Wrong
from reference import Arithmetic, Case, Result, forward_bound, trace

AFFORDABLE = 3e9
"""The product of rows, steps squared and state size cubed up to which all errors are carried."""

UNOBSERVED = (
    "only the output of the top layer is given, and this LSTM is too large to bound the errors of "
    "all layers together; give the outputs of the others too, as output_l0, output_l1 ..."
)

UNSEEN = "The layers below were not observed, and can be wrong before that."


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
    plain, seen = laid_out(case, got)
    marks = {}
    for found in errors(plain, seen, true, bound, there):
        marks[found.name] = found.share > 1
        unbounded |= found.name in there and bool(found.unknown.any())
        worst = max(worst, float(found.share.max(initial=0)))
        if place is None and (found.share > 1).any():
            place = first(found, found.share > 1, c.num_directions, c.num_layers - 1)
    if place is not None:
        extent = extent_of(marks, place.direction, c.num_directions)
        told = [*causes_of_all(plain, seen.output, place, arithmetic), UNSEEN]
        if place.step < 0:
            exchanged = errors(plain, Result(seen.output, seen.c_n, seen.h_n), true, bound, there)
            alike = all((each.share <= 1).all() for each in exchanged)
            told = ["The output is right." + " h_n and c_n are exchanged." * alike]
        return Wrong(*subject, worst, place=place, extent=extent, causes=tuple(told))
    if unbounded:
        reason = "a sum or a state of the true course can overflow, or is not finite"
        return Unsaid(*subject, worst, reason=reason, of_rows=case.batch_size)
    return Right(*subject, worst)
