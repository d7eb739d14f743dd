"""What wrong results of a layer are consistent with, from the results alone.

A part of the layer is looked at: the row and the step in which results are wrong first, and the few
steps after it. The state before it is known: h is what was observed, and c follows from it, as all
was right until then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from conformance.checking.comparison import shares
from conformance.diagnosis.alternatives import AlteredLSTM, hypotheses
from conformance.diagnosis.alternatives.cells import CELLS
from conformance.diagnosis.alternatives.weights import WEIGHTS
from conformance.judgement.elements import laid_out
from conformance.judgement.layers import Layer, judged
from conformance.judgement.verdict import Extent, Place
from conformance.requirements.parts import rows as some_rows
from reference import Arithmetic, Array, Case, Precision, Result, forward_bound, trace
from reference.local_bounds import local_layers

FURTHER = 3
"""How many steps after the first wrong one an explanation must give as well."""
MOST = 3
"""The largest number of explanations that are given."""
CLOSER = 4
"""How many times closer to the results than the truth a change must come to be named."""
COSTLY = 4e9
"""The product of steps squared and state size cubed above which no changed LSTM is tried."""

NEAR = 0.02
"""The share of its bound that errors must reach for a coarser arithmetic to be named."""

NARROWER = (
    ("products are rounded to TF32", Precision(products="tf32")),
    ("products are rounded to float16", Precision(products="float16")),
    ("products are rounded to bfloat16", Precision(products="bfloat16")),
    ("numbers are stored in float32", Precision(storage="float32")),
    ("numbers are stored in float16", Precision(storage="float16")),
    ("numbers are stored in bfloat16", Precision(storage="bfloat16")),
)
"""Coarser arithmetics, the finest first, in the words that follow "an LSTM whose"."""


def start_of(layer: Layer, place: Place, arithmetic: Arithmetic) -> Case:
    """Make a case of one row and direction of `layer`, from the step of `place` on.

    It has one step more than :data:`FURTHER`, if the row has so many; time runs forwards, also in
    the reverse direction, and is the first axis.
    """
    case, observed = one_row(layer, place.row)
    way, last = place.direction, case.seq_len - 1
    steps = local_layers(case, observed, arithmetic, keep=True)[way].steps
    assert steps is not None
    at = place.step if place.step >= 0 else last * (1 - way)
    nth = last - at if way else at
    suffix = "_l0_reverse" if way else "_l0"
    configuration = replace(case.configuration, bidirectional=False)
    parameters = {
        name: case.parameters[name.removesuffix("_l0") + suffix]
        for name in configuration.parameter_shapes()
    }
    x = case.input[:: -1 if way else 1][nth : nth + 1 + FURTHER]
    h_0, c_0 = (state[at].astype(case.dtype.numpy)[None] for state in (steps.h_prev, steps.c_prev))
    x = np.ascontiguousarray(x)
    return Case(configuration, parameters, x, h_0, c_0, device=case.device)


def one_row(layer: Layer, row: int) -> tuple[Case, Array]:
    """Give the case of one row of `layer`, laid out and without lengths, and its output."""
    case, got = laid_out(layer.case, layer.got)
    alone = some_rows(case, np.array([row]))
    return replace(alone, lengths=None), got.output[: alone.seq_len, row : row + 1]


def causes(layer: Layer, place: Place, extent: Extent, arithmetic: Arithmetic) -> list[str]:
    """List what the wrong results of `layer` are consistent with, in sentences."""
    told = list(_about_units(extent))
    if place.step < 0:
        which = place.result[0]
        told += [f"h is right in every step, so that only the {which} that is returned is wrong."]
        return told
    told += _started(layer.case, place)
    case = start_of(layer, place, arithmetic)
    _, seen = one_row(layer, place.row)
    size = layer.case.configuration.output_size
    ordered = seen[:: -1 if place.direction else 1]
    nth = len(seen) - 1 - place.step if place.direction else place.step
    half = slice(place.direction * size, (place.direction + 1) * size)
    observed = ordered[nth : nth + case.seq_len, :, half]
    explained = list(_changes(case, observed, arithmetic, nth == 0))[:MOST]
    where = "" if nth == 0 else ", with the state before it as h_0 and c_0"
    told += [
        f"From there on{where}, results equal those of an LSTM {each.says}." for each in explained
    ]
    if not explained:
        told += _narrower(layer, place, extent)
    return told


def causes_of_all(case: Case, observed: Array, place: Place, arithmetic: Arithmetic) -> list[str]:
    """List what the output (T, N, D * R) of a whole network is consistent with, in sentences.

    The case is laid out, and `place` is the first wrong element.
    """
    explained = list(_changes(case, observed, arithmetic, from_start=True))[:MOST]
    equal = [f"The output equals that of an LSTM {each.says}." for each in explained]
    return [*_started(case, place), *equal]


def _started(case: Case, place: Place) -> Iterator[str]:
    """Say that the LSTM is taken to start from zeros, where that may be what is wrong."""
    if case.h_0 is None and place.step == (case.seq_len - 1) * place.direction:
        yield "No initial states are given, so that it is judged as one that starts from zeros."


def _about_units(extent: Extent) -> Iterator[str]:
    units, last = extent.units, extent.units[-1] if extent.units else 0
    if len(units) == 1 < extent.of_units:
        yield (
            f"All other units are right in every step: look at the weights and biases of unit "
            f"{units[0]}, and at what is computed for it alone."
        )
    elif 1 < len(units) < extent.of_units and last - units[0] + 1 == len(units):
        yield f"The wrong units are {units[0]} to {last}, and no others: a tile, perhaps."


def _changes(
    case: Case, observed: Array, arithmetic: Arithmetic, from_start: bool
) -> Iterator[AlteredLSTM]:
    """Yield the changes of the LSTM that give what was observed, (T, N, R)."""
    size = case.configuration.output_size + case.configuration.hidden_size
    if case.seq_len**2 * size**3 > COSTLY:
        return
    evaluated = trace(case)
    bound = forward_bound(evaluated, arithmetic).output

    def distance(expected: Array) -> float:
        return float(shares(observed, expected, bound).max(initial=0))

    off = distance(evaluated.result.output)
    for each in hypotheses(case) if from_start else (*WEIGHTS, *CELLS):
        rough = each.compute(case, bounded=False)
        if rough is None or rough.result.output.shape != observed.shape:
            continue
        if CLOSER * distance(rough.result.output) > off:
            continue
        known = each.compute(case, arithmetic)
        # c before the first step is not what was observed, but what follows from that
        if known is None or not np.isfinite(known.bound.output).all():
            continue
        if (shares(observed, known.result.output, 2 * known.bound.output) <= 1).all():
            yield each


def _narrower(layer: Layer, place: Place, extent: Extent) -> Iterator[str]:
    """Yield the finest coarser arithmetic that allows the results, if errors are everywhere."""
    everywhere = extent.rows == extent.of_rows and 2 * extent.steps >= extent.of_steps
    if not everywhere or 2 * len(extent.units) < extent.of_units:
        return
    case, output = one_row(layer, place.row)
    c = case.configuration
    shapes = (case.state_shape(size) for size in (c.output_size, c.hidden_size))
    nothing = (np.full(shape, np.nan, case.dtype.numpy) for shape in shapes)
    result = Result.of([output, *nothing])
    for text, precision in NARROWER:
        coarser = Arithmetic.of(case.dtype, precision)
        if coarser == Arithmetic.of(case.dtype):
            continue
        (found,) = judged(case, [result], coarser, ["output"])
        if found.wrong is None and found.unsaid is None and found.largest >= NEAR:
            yield (
                f"The errors of row {place.row} are no larger than those of an LSTM whose {text}: "
                f"at most {found.largest:.1%} of its bound."
            )
            return
