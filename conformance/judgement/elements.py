"""The elements of results: how far each is off, as a share of its bound, and which comes first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from conformance.checking.comparison import shares
from conformance.judgement.verdict import Extent, Place
from reference import RESULTS, Array, Case, Result


class Errors(NamedTuple):
    """The errors of one result: `got`, what it should be, and how far it can be from that.

    - `share`: the errors as shares of what is allowed, 0 where nothing can be said;
    - `unknown`: where nothing can be said, which is everywhere for a state that is not returned.
    """

    name: str
    got: Array
    expected: Array
    allowed: Array
    share: Array
    unknown: Array

    def at(self, index: tuple[int, ...]) -> tuple[float, float, float]:
        """Give the element there, what it should be, and how far it can be from that."""
        got, expected, allowed = self.got[index], self.expected[index], self.allowed[index]
        return float(got), float(expected), float(allowed)


def laid_out(case: Case, result: Result) -> tuple[Case, Result]:
    """Give time as the first axis and rows as the second, also where there is one row alone."""
    x, output = case.time_major(case.input), case.time_major(result.output)
    configuration = replace(case.configuration, batch_first=False)
    if case.batched:
        result = Result(output, result.h_n, result.c_n)
        return replace(case, configuration=configuration, input=x), result
    h_0, c_0 = case.initial_states() if case.h_0 is not None else (None, None)
    case = replace(case, configuration=configuration, input=x, h_0=h_0, c_0=c_0)
    return case, Result(output, result.h_n[:, None], result.c_n[:, None])


def returned(result: Result) -> set[str]:
    """List the results that are there: a final state that is all NaN stands for one that is not."""
    gone = {name for name, array in result.items() if np.isnan(array.astype(np.float64)).all()}
    return set(RESULTS) - gone | {"output"}


def errors(
    case: Case, got: Result, expected: Result, bound: Result, there: Collection[str]
) -> Iterator[Errors]:
    """Yield the errors of each result of a case that is laid out; only `there` are known."""
    valid = case.valid_steps()[..., None]
    for (name, have), (_, true), (_, allowed) in zip(
        got.items(), expected.items(), bound.items(), strict=True
    ):
        true, allowed = (np.asarray(each, np.float64) for each in (true, allowed))
        with np.errstate(all="ignore"):
            unknown = ~(np.isfinite(true) & np.isfinite(allowed))
            unknown |= name not in there
            share = np.where(unknown, 0, shares(have, true, np.where(unknown, 1, allowed)))
        if name == "output":
            share, unknown = np.where(valid, share, 0), unknown & valid
        yield Errors(name, have, true, allowed, share, unknown)


def first(found: Errors, mask: Array, directions: int, top: int) -> Place:
    """Locate the first marked element, by :func:`nth` in the output, of the layer `top` there.

    `mask` marks elements of `found`, which are those of a case that is laid out. The last final
    state is that of the layer `top`, too.
    """
    if found.name != "output":
        index = state, row, unit = tuple(map(int, np.argwhere(mask)[0]))
        layer, direction = top + 1 + (state - len(mask)) // directions, state % directions
        return Place(found.name, layer, direction, -1, row, unit, *found.at(index))
    halves = enumerate(np.split(mask, directions, axis=-1))
    starts = [
        (*map(int, np.argwhere(half[:: -1 if way else 1])[0]), way)
        for way, half in halves
        if half.any()
    ]
    nth_step, row, unit, way = min(starts)
    step = len(mask) - 1 - nth_step if way else nth_step
    index = step, row, way * (mask.shape[-1] // directions) + unit
    return Place("output", top, way, step, row, unit, *found.at(index))


def nth(place: Place, steps: int) -> tuple[int, int]:
    """Sort elements of `steps` steps in the order of processing, final states last."""
    if place.step < 0:
        return steps, place.row
    return steps - 1 - place.step if place.direction else place.step, place.row


def extent_of(marks: Mapping[str, Array], direction: int, directions: int) -> Extent:
    """Count the steps, the rows, and the units of one direction that are marked."""
    output = marks["output"]
    half = np.split(output, directions, axis=-1)[direction]
    rows = np.any([mask.any(axis=(0, 2)) for mask in marks.values()], axis=0)
    return Extent(
        int(output.any(axis=(1, 2)).sum()),
        len(output),
        int(rows.sum()),
        len(rows),
        tuple(np.flatnonzero(half.any(axis=(0, 1))).tolist()),
        half.shape[-1],
    )
