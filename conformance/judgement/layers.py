"""Judging each layer from what was observed: its own output, and that of the layer below.

:mod:`reference.local_bounds` has the bound: each step is computed from the implementation's own h
of the step before. So the bound is as sharp after a thousand steps as after one, in a chaotic LSTM
as in a contracting one. The layers below the top one are observed by running the network without
those above.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from conformance.judgement.elements import errors, extent_of, first, laid_out, nth
from conformance.judgement.screening import screened
from conformance.judgement.verdict import Extent, Place
from conformance.requirements.parts import layer_alone as alone_on_zeros
from conformance.requirements.parts import rows as some_rows
from reference import RESULTS, Arithmetic, Array, Case, Result
from reference.local_bounds import local_layers, results_of

CHUNK = 2**23
"""About how many numbers of an array over time are looked at together, of as many rows as that."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer, judged.

    - `case`: the layer as a separate LSTM, on the observed output of the layer below;
    - `got`: what was observed of it;
    - `shares` (T, D * R): errors as a share of their bounds, the largest of all rows;
    - `largest`: the largest of them, and of those of the final states;
    - `screened`: whether some of these shares are only known to be no larger than that;
    - `wrong`, `extent`: the first element beyond its bound, and how many there are;
    - `unsaid`, `unsaid_rows`: the first of which nothing can be said, and the rows that have any.
    """

    number: int
    case: Case
    got: Result
    shares: Array
    largest: float
    screened: bool
    wrong: Place | None
    extent: Extent | None
    unsaid: Place | None
    unsaid_rows: tuple[int, ...]


def layer_alone(case: Case, number: int, below: Array) -> Case:
    """Make a case of one layer of `case` whose input is `below`, in the case's order of axes."""
    return replace(alone_on_zeros(case, number, below.shape[-1]), input=below)


def judged(
    case: Case, results: Sequence[Result], arithmetic: Arithmetic, there: Collection[str] = RESULTS
) -> Iterator[Layer]:
    """Judge each layer of `case`, from the lowest, by those of its results that are `there`.

    `results` has the results of the network of the lowest layer alone, of the lowest two, and so on
    up to the whole network. Where a lower layer of the whole network shows other bits than alone,
    the error of the next layer's input is what that allows.
    """
    directions = case.configuration.num_directions
    below, dx = case.input, None
    for number, result in enumerate(results):
        alone = layer_alone(case, number, below)
        got = Result(result.output, result.h_n[-directions:], result.c_n[-directions:])
        yield _judged(number, alone, got, arithmetic, there, dx)
        below, dx = result.output, None
        if number + 1 < len(results):
            upper = results[number + 1]
            here = slice(number * directions, (number + 1) * directions)
            if not np.array_equal(upper.h_n[here], got.h_n, equal_nan=True):
                layers = local_layers(alone, got.output, arithmetic, strayed=True)
                dx = np.concatenate([each.bound_output for each in layers], axis=-1)


def _judged(
    number: int,
    case: Case,
    got: Result,
    arithmetic: Arithmetic,
    there: Collection[str],
    dx: Array | None,
) -> Layer:
    """Judge a layer, a few rows at a time; first those are left out that screening settles."""
    plain, seen = laid_out(case, got)
    steps, rows, width = seen.output.shape
    settled = screened(plain, seen, arithmetic, there) if dx is None else []
    worst, largest = np.zeros((steps, width)), 0.0
    for each in settled:
        worst, largest = np.maximum(worst, each.shares), max(largest, each.largest)
    left = np.setdiff1d(np.arange(rows), [row for each in settled for row in each.rows])
    length = max(1, CHUNK // (steps * max(width, *plain.parameters["weight_ih_l0"].shape)))
    marks = {name: np.zeros(array.shape, bool) for name, array in seen.items()}
    unsaid_rows: set[int] = set()
    wrongs: list[Place] = []
    unsaids: list[Place] = []
    directions = case.configuration.num_directions
    for start in range(0, len(left), length):
        chosen = left[start : start + length]
        some = some_rows(plain, chosen)
        part = Result(seen.output[: some.seq_len, chosen], seen.h_n[:, chosen], seen.c_n[:, chosen])
        off = None if dx is None else dx[: some.seq_len, chosen]
        layers = local_layers(some, part.output, arithmetic, dx=off)
        for found in errors(some, part, *results_of(some, layers), there):
            largest = max(largest, float(found.share.max(initial=0)))
            if found.name == "output":
                here = worst[: some.seq_len]
                np.maximum(here, found.share.max(axis=1, initial=0), out=here)
            wrong = found.share > 1
            marks[found.name][: wrong.shape[0], chosen] = wrong
            places = [(wrongs, wrong)]
            if found.name == "output":
                places += [(unsaids, found.unknown)]
                unsaid_rows |= {
                    int(chosen[row]) for row in np.flatnonzero(found.unknown.any((0, 2)))
                }
            for collected, mask in places:
                if mask.any():
                    place = first(found, mask, directions, number)
                    collected.append(replace(place, row=int(chosen[place.row])))
    wrong_first = min(wrongs, key=lambda place: nth(place, steps), default=None)
    unsaid_first = min(unsaids, key=lambda place: nth(place, steps), default=None)
    extent = None if wrong_first is None else extent_of(marks, wrong_first.direction, directions)
    unsure = tuple(sorted(unsaid_rows))
    return Layer(
        number, case, got, worst, largest, bool(settled), wrong_first, extent, unsaid_first, unsure
    )
