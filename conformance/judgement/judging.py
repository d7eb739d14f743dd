"""Judging results of a given LSTM: those of implementations, of a module, or of anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from conformance.checking import activations, process_state
from conformance.checking.comparison import shares
from conformance.implementations.failures import Failure
from conformance.implementations.implementation import Implementation, precision
from conformance.judgement.causes import causes
from conformance.judgement.layers import Layer, judged
from conformance.judgement.observing import lacking, observed
from conformance.judgement.reproducing import reproduce
from conformance.judgement.sensitivity import RUNS, Sensitivity, sensitivity
from conformance.judgement.verdict import Extent, NoResult, Place, Right, Unsaid, Verdict, Wrong
from conformance.requirements.variations import rows as some_rows
from reference import Arithmetic, Array, Case, Precision, Result, forward_bound, trace

Progress = Callable[[str], object]

AFFORDABLE = 3e9
"""The product of steps squared and state size cubed up to which every error can be carried along."""
PERTURBED = 4e11
"""About how many multiplications the perturbed runs may take."""


@dataclass(frozen=True, eq=False)
class Answer:
    """The results of one implementation, judged.

    - `verdict`: the verdict;
    - `case`: the case, in the dtype and on the device of the implementation;
    - `result`: the results of the whole network, None if there are none;
    - `layers`: each layer judged, none where the layers below the top one were not observed.
    """

    verdict: Verdict
    case: Case
    result: Result | None = None
    layers: Sequence[Layer] = field(default=())


def judge_implementation(
    implementation: Implementation,
    case: Case,
    *,
    root: Path | None = None,
    progress: Progress = lambda _: None,
) -> Answer:
    """Run `implementation` on `case`, layer by layer, and judge the results.

    What goes wrong is reproduced in a folder below `root`, unless that is None. `progress` is
    called with what is done next, in words.
    """
    subject = implementation.name, case.device, case.dtype.name
    missing = lacking(implementation, case)
    if missing:
        return Answer(NoResult(*subject, reason=f"it does not take {', '.join(missing)}"), case)
    progress(f"{subject[0]} computes on {subject[1]} in {subject[2]}")
    try:
        with process_state.restored():
            results = observed(implementation, case)
    except Failure as failure:
        return Answer(NoResult(*subject, reason=str(failure), failed=True), case)
    by = precision(implementation)
    answer = judge_results(subject[0], case, results, by, progress)
    if not isinstance(answer.verdict, Wrong):
        return answer
    progress(f"{subject[0]} is wrong: looking for the cause")
    found = [*answer.verdict.causes, *_activations(implementation, case, answer, by)]
    wrong = replace(answer.verdict, causes=tuple(found))
    layer = answer.layers[wrong.place.layer]
    return replace(
        answer, verdict=reproduce(implementation, layer, wrong, Arithmetic.of(case.dtype, by), root)
    )


def _activations(
    implementation: Implementation, case: Case, answer: Answer, by: Precision
) -> Iterator[str]:
    """Say that sigmoid or tanh explain what is wrong, if they are as inaccurate as that."""
    if by != Precision():
        return
    measured = activations.measured(implementation, case.dtype, case.device)
    if measured is None or measured.accurate:
        return
    assert isinstance(answer.verdict, Wrong)
    wrong = answer.layers[answer.verdict.place.layer]
    (again,) = judged(wrong.case, [wrong.got], Arithmetic.of(case.dtype, measured.judging))
    sure = "explained" if again.wrong is None else "not explained"
    yield f"It is {sure} by its activations, as measured: {measured.described()}."


def judge_results(
    name: str,
    case: Case,
    results: Sequence[Result],
    by: Precision | None = None,
    progress: Progress = lambda _: None,
) -> Answer:
    """Judge `results`: of the network of the lowest layer, of two, and so on, or of all alone.

    `name` is whose they are, `by` the arithmetic that is declared.
    """
    subject = name, case.device, case.dtype.name
    arithmetic = Arithmetic.of(case.dtype, by or Precision())
    layers = case.configuration.num_layers
    if len(results) < layers:
        return _judged_whole(subject, case, results[-1], arithmetic)
    found: list[Layer] = []
    for layer in judged(case, results, arithmetic):
        progress(f"{name}: layer {layer.number + 1} of {layers} judged")
        found.append(layer)
        if layer.wrong is not None:
            break
    share = max(layer.largest for layer in found)
    whole = results[-1]
    wrong = next((each for each in found if each.wrong is not None), None)
    if wrong is not None and wrong.wrong is not None and wrong.extent is not None:
        why = causes(wrong, wrong.wrong, wrong.extent, arithmetic)
        verdict: Verdict = Wrong(
            *subject, share, place=wrong.wrong, extent=wrong.extent, causes=tuple(why)
        )
        return Answer(verdict, case, whole, found)
    first = next((each for each in found if each.unsaid is not None), None)
    if first is not None and first.unsaid is not None:
        rows = tuple(sorted({row for each in found for row in each.unsaid_rows}))
        reason = _why_unsaid(first, first.unsaid)
        verdict = Unsaid(
            *subject, share, reason=reason, place=first.unsaid, rows=rows, of_rows=case.batch_size
        )
        return Answer(verdict, case, whole, found)
    return Answer(Right(*subject, share), case, whole, found)


def _why_unsaid(layer: Layer, place: Place) -> str:
    """Say why nothing can be said of an element."""
    case, dtype = layer.case, layer.case.dtype
    for name, array in case.parameters.items():
        if not np.isfinite(array.astype(np.float64)).all():
            own = name.replace("_l0", f"_l{layer.number}")
            return f"{own} has a number that is not finite"
    x = case.time_major(case.input)[max(place.step, 0), place.row].astype(np.float64)
    if not np.isfinite(x).all():
        which = "the input" if layer.number == 0 else "the output of the layer below"
        return f"{which} there has a number that is not finite"
    if np.isnan(place.expected):
        return "the state before that step is not finite"
    return (
        f"a sum there can exceed {dtype.largest:.3g}, the largest number of {dtype.name}, so that a "
        "right implementation can give an infinity or NaN"
    )


def _judged_whole(
    subject: tuple[str, str, str], case: Case, got: Result, arithmetic: Arithmetic
) -> Answer:
    """Judge the results of several layers of which only those of the top one are known."""
    c = case.configuration
    if case.seq_len**2 * (c.hidden_size + c.output_size) ** 3 * case.batch_size > AFFORDABLE:
        reason = (
            "only the output of the top layer is given, and this LSTM is too large to bound the "
            "errors of all layers together; give those of the others too, as output_l0, output_l1 ..."
        )
        return Answer(Unsaid(*subject, reason=reason, of_rows=case.batch_size), case, got)
    evaluated = trace(case)
    bound = forward_bound(evaluated, arithmetic)
    worst, place = 0.0, None
    for name, array in got.items():
        true, allowed = getattr(evaluated.result, name), getattr(bound, name)
        share = shares(array, true, np.asarray(allowed, np.float64))
        if name != "output" and np.isnan(array.astype(np.float64)).all():
            continue
        worst = max(worst, float(share.max(initial=0)))
        if (share > 1).any() and place is None:
            over = case.time_major(share) if name == "output" else share
            over = over if case.batched or name == "output" else share[:, None]
            place = _place(case, name, over > 1, (array, true, allowed))
    if place is None:
        return Answer(Right(*subject, worst), case, got)
    extent = Extent(1, case.seq_len, 1, case.batch_size, (place.unit,), c.output_size)
    told = ("The layers below were not observed: the first wrong element can be theirs.",)
    return Answer(Wrong(*subject, worst, place=place, extent=extent, causes=told), case, got)


def _place(case: Case, name: str, off: Array, arrays: Sequence[Array]) -> Place:
    first, row, unit = map(int, np.argwhere(off)[0])
    c = case.configuration
    of = [case.time_major(a) if name == "output" else a for a in arrays]
    of = [a if a.ndim == 3 else a[:, None] for a in of]
    got, expected, allowed = (float(a[first, row, unit]) for a in of)
    layer, direction, step = c.num_layers - 1, unit // c.output_size, first
    if name != "output":
        layer, direction, step = first // c.num_directions, first % c.num_directions, -1
    size = c.output_size if name == "output" else off.shape[-1]
    return Place(name, layer, direction, step, row, unit % size, got, expected, allowed)


@dataclass(frozen=True, eq=False)
class Compared:
    """How sensitive a case is to rounding, and how far results of it are apart.

    - `sensitivity`: the estimate, on the rows where results are furthest apart;
    - `seen`: how far two results, or a result and the truth, are apart in the output;
    - `between`: whose results these are.
    """

    dtype: str
    sensitivity: Sensitivity
    seen: float
    between: tuple[str, str]


def compared(answers: Sequence[Answer], by: Precision | None = None) -> Compared | None:
    """Estimate what rounding does to the case of the `answers`, which have one dtype.

    Returns None if no answer has results, or none is finite.
    """
    known = [each for each in answers if each.result is not None]
    if not known:
        return None
    case = known[0].case
    outputs = [
        np.asarray(each.case.time_major(each.result.output), np.float64)
        for each in known
        if each.result is not None
    ]
    with np.errstate(all="ignore"):
        apart = np.zeros(case.batch_size)
        pair = 0, 0
        for first in range(len(outputs)):
            for second in range(first + 1, len(outputs)):
                gap = np.abs(outputs[first] - outputs[second]).max(axis=(0, 2), initial=0)
                if np.nan_to_num(gap).max(initial=0) >= np.nan_to_num(apart).max(initial=0):
                    apart, pair = gap, (first, second)
    c = case.configuration
    cost = (
        sum(4 * c.hidden_size * (sum(shape[1:]) or 0) for n, shape in c.parameter_shapes().items())
        * case.seq_len
    )
    rows = int(np.clip(PERTURBED // (cost * (RUNS + 1)), 1, 4))
    runs = int(np.clip(PERTURBED // (cost * rows), 4, RUNS))
    chosen = np.sort(np.argsort(-np.nan_to_num(apart), kind="stable")[:rows])
    some = some_rows(case, chosen) if case.batched else case
    estimate = sensitivity(some, Arithmetic.of(case.dtype, by or Precision()), runs)
    if len(outputs) > 1:
        seen = float(np.nanmax(apart[chosen] if case.batched else apart))
        between = known[pair[0]].verdict.subject, known[pair[1]].verdict.subject
    else:
        mine = outputs[0][: some.seq_len, chosen] if case.batched else outputs[0]
        seen = float(np.nanmax(np.abs(mine - estimate.output) * some.valid_steps()[..., None]))
        between = known[0].verdict.subject, "the truth"
    return Compared(case.dtype.name, estimate, seen, between)
