"""Judging results of a given LSTM: those of implementations, of a module, or of anywhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from conformance.checking import activations, process_state
from conformance.implementations.failures import Failure
from conformance.implementations.implementation import Implementation, precision
from conformance.judgement.causes import causes
from conformance.judgement.elements import returned
from conformance.judgement.layers import Layer, judged
from conformance.judgement.observing import lacking, observed
from conformance.judgement.reproducing import reproduce
from conformance.judgement.verdict import NoResult, Place, Right, Unsaid, Verdict, Wrong
from conformance.judgement.whole import judged_whole
from reference import Arithmetic, Case, Precision, Result

Progress = Callable[[str], object]


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


def answered(
    name: str,
    case: Case,
    results: Sequence[Result] | NoResult,
    by: Precision,
    there: Collection[str],
    explain: Callable[[Layer, Wrong], Wrong],
    progress: Progress = lambda _: None,
) -> Answer:
    """Judge what an implementation computed, and `explain` what is wrong in a layer.

    See :func:`judge_results` for the others; `progress` is called with what is done next, in words.
    """
    if isinstance(results, NoResult):
        return Answer(results, case)
    answer = judge_results(name, case, results, by, progress, there)
    if not isinstance(answer.verdict, Wrong) or not answer.layers:
        return answer
    progress(f"{name} is wrong: looking for the cause")
    layer = answer.layers[answer.verdict.place.layer]
    return replace(answer, verdict=explain(layer, answer.verdict))


def computed(implementation: Implementation, case: Case) -> Iterator[Result | NoResult]:
    """Yield the results of the lowest layer of `case`, of the lowest two, and so on.

    The last one is a :class:`NoResult` if it fails. Of one that does not have fewer layers only
    those of the whole are known.
    """
    subject = implementation.name, case.device, case.dtype.name
    missing = lacking(implementation, case)
    if missing:
        yield NoResult(*subject, reason=f"it does not take {', '.join(missing)}")
    elif "output" not in implementation.supports.results:
        yield NoResult(*subject, reason="it does not return the output of every step")
    else:
        try:
            with process_state.restored(), _without_gradients():
                yield from observed(implementation, case)
        except Failure as failure:
            yield NoResult(*subject, reason=str(failure), failed=True)


def _without_gradients() -> AbstractContextManager[object]:
    """Keep torch, if it is there, from storing what gradients need: many times the results."""
    torch = sys.modules.get("torch")
    return torch.no_grad() if torch else nullcontext()


def collected(results: Iterable[Result | NoResult]) -> Sequence[Result] | NoResult:
    """Collect what :func:`computed` yields."""
    found = list(results)
    failed = [each for each in found if isinstance(each, NoResult)]
    return failed[0] if failed else [each for each in found if isinstance(each, Result)]


def explained(
    implementation: Implementation, root: Path | None, layer: Layer, wrong: Wrong
) -> Wrong:
    """Return `wrong`, which is about `layer`, with what `implementation` shows when it runs again.

    A script is written below `root`, unless that is None.
    """
    by = precision(implementation)
    found = (*wrong.causes, *_activations(implementation, layer, by))
    arithmetic = Arithmetic.of(layer.case.dtype, by)
    return reproduce(implementation, layer, replace(wrong, causes=found), arithmetic, root)


def _activations(implementation: Implementation, layer: Layer, by: Precision) -> Iterator[str]:
    """Yield whether sigmoid and tanh, where they are inaccurate, explain what is wrong."""
    if by != Precision():
        return
    case = layer.case
    measured = activations.measured(implementation, case.dtype, case.device)
    if measured is None or measured.accurate:
        return
    (again,) = judged(case, [layer.got], Arithmetic.of(case.dtype, measured.judging))
    sure = "explained" if again.wrong is None else "not explained"
    yield f"It is {sure} by its activations, as measured: {measured.described()}."


def judge_results(
    name: str,
    case: Case,
    results: Sequence[Result],
    by: Precision | None = None,
    progress: Progress = lambda _: None,
    there: Collection[str] | None = None,
) -> Answer:
    """Judge `results`: of the network of the lowest layer, of two, and so on, or of all alone.

    `name` is whose they are, `by` the arithmetic that is declared, `there` are the names of those
    that there are, by default of all but final states in which all is NaN.
    """
    subject = name, case.device, case.dtype.name
    arithmetic = Arithmetic.of(case.dtype, by or Precision())
    layers = case.configuration.num_layers
    if not case.batch_size:
        return Answer(Unsaid(*subject, reason="the input has no rows"), case)
    there = returned(results[-1]) if there is None else there
    if len(results) < layers:
        verdict: Verdict = judged_whole(subject, case, results[-1], arithmetic, there)
        return Answer(verdict, case, results[-1])
    found: list[Layer] = []
    for layer in judged(case, results, arithmetic, there):
        progress(f"{name}: layer {layer.number + 1} of {layers} judged")
        found.append(layer)
        if layer.wrong is not None:
            break
    share, at_most = max((layer.largest, layer.screened) for layer in found)
    whole = results[-1]
    wrong = next((each for each in found if each.wrong is not None), None)
    if wrong is not None and wrong.wrong is not None and wrong.extent is not None:
        why = causes(wrong, wrong.wrong, wrong.extent, arithmetic)
        verdict = Wrong(*subject, share, place=wrong.wrong, extent=wrong.extent, causes=tuple(why))
        return Answer(verdict, case, whole, found)
    first = next((each for each in found if each.unsaid is not None), None)
    if first is not None and first.unsaid is not None:
        rows = tuple(sorted({row for each in found for row in each.unsaid_rows}))
        reason = _why_unsaid(first, first.unsaid)
        verdict = Unsaid(
            *subject,
            share,
            at_most=at_most,
            reason=reason,
            place=first.unsaid,
            rows=rows,
            of_rows=case.batch_size,
        )
        return Answer(verdict, case, whole, found)
    return Answer(Right(*subject, share, at_most=at_most), case, whole, found)


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
        f"a sum there can exceed {dtype.largest:.3g}, the largest number of {dtype.name}, so that "
        "a right implementation can give an infinity or NaN"
    )
