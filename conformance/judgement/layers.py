"""Judging each layer from what was observed: its own output, and that of the layer below.

:mod:`reference.local_bounds` has the bound: each step is computed from the implementation's own h
of the step before. So the bound is as sharp after a thousand steps as after one, in a chaotic LSTM
as in a contracting one. The layers below the top one are observed by running the network without
those above.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from conformance.checking.comparison import shares
from conformance.judgement.verdict import Extent, Place
from conformance.requirements.parts import rows as some_rows
from reference import Arithmetic, Array, Case, Result
from reference.local_bounds import local_layers, results_of

CHUNK = 2**23
"""About how many numbers of an array over time are looked at together, of as many rows as that."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer, judged.

    - `case`: the layer as an LSTM of its own, on the observed output of the layer below;
    - `got`: what was observed of it;
    - `shares` (T, D * R): errors as a share of their bounds, the largest of all rows;
    - `largest`: the largest of them, and of those of the final states;
    - `wrong`, `extent`: the first element beyond its bound, and how many there are;
    - `unsaid`, `unsaid_rows`: the first of which nothing can be said, and the rows that have any.
    """

    number: int
    case: Case
    got: Result
    shares: Array
    largest: float
    wrong: Place | None
    extent: Extent | None
    unsaid: Place | None
    unsaid_rows: tuple[int, ...]


def layer_alone(case: Case, number: int, below: Array) -> Case:
    """Make a case of one layer of `case` whose input is `below`, in the case's order of axes."""
    directions = case.configuration.num_directions
    configuration = replace(
        case.configuration, num_layers=1, input_size=below.shape[-1], dropout=0.0
    )
    here = slice(number * directions, (number + 1) * directions)
    h_0, c_0 = (None if state is None else state[here] for state in (case.h_0, case.c_0))
    parameters = {
        name: case.parameters[name.replace("_l0", f"_l{number}")]
        for name in configuration.parameter_shapes()
    }
    return replace(
        case, configuration=configuration, parameters=parameters, input=below, h_0=h_0, c_0=c_0
    )


def judged(case: Case, results: Sequence[Result], arithmetic: Arithmetic) -> Iterator[Layer]:
    """Judge each layer of `case`, from the lowest.

    `results` has the results of the network of the lowest layer alone, of the lowest two, and so on
    up to the whole network. Where a lower layer of the whole network shows other bits than alone,
    the error of the next layer's input is what that allows.
    """
    directions = case.configuration.num_directions
    below, dx = case.input, None
    for number, result in enumerate(results):
        alone = layer_alone(case, number, below)
        got = Result(result.output, result.h_n[-directions:], result.c_n[-directions:])
        yield _judged(number, alone, got, arithmetic, dx)
        below, dx = result.output, None
        if number + 1 < len(results):
            upper = results[number + 1]
            here = slice(number * directions, (number + 1) * directions)
            if not np.array_equal(upper.h_n[here], got.h_n, equal_nan=True):
                layers = local_layers(alone, got.output, arithmetic, strayed=True)
                dx = np.concatenate([each.bound_output for each in layers], axis=-1)


def _judged(
    number: int, case: Case, got: Result, arithmetic: Arithmetic, dx: Array | None
) -> Layer:
    """Judge a layer, a few rows at a time."""
    steps, width = case.seq_len, case.output_shape()[-1]
    widest = max(width, case.configuration.input_size, case.configuration.hidden_size)
    length = max(1, CHUNK // (steps * widest))
    worst = np.zeros((steps, width))
    parts: list[_Part] = []
    for start in range(0, case.batch_size, length):
        chosen = np.arange(start, min(start + length, case.batch_size))
        part = _Part.of(case, got, chosen, arithmetic, dx)
        worst[: len(part.shares)] = np.maximum(worst[: len(part.shares)], part.shares)
        parts.append(part)
    wrongs = [(part.wrong, part.rank(case)) for part in parts if part.wrong is not None]
    unsaids = [part.unsaid for part in parts if part.unsaid is not None]

    def placed(place: Place) -> Place:
        return replace(place, layer=number)

    extent = None
    if wrongs:
        first, _ = min(wrongs, key=lambda pair: pair[1])
        size, way = case.configuration.output_size, first.direction
        half = range(way * size, (way + 1) * size)
        units = sorted({unit for part in parts for unit in part.units if unit in half})
        wrong_steps = {step for part in parts for step in part.steps}
        count = sum(part.rows for part in parts)
        within = tuple(unit - way * size for unit in units)
        extent = Extent(len(wrong_steps), steps, count, case.batch_size, within, size)
    return Layer(
        number,
        case,
        got,
        worst,
        max((part.largest for part in parts), default=0.0),
        placed(min(wrongs, key=lambda pair: pair[1])[0]) if wrongs else None,
        extent,
        placed(min(unsaids, key=lambda p: _nth(p, case))) if unsaids else None,
        tuple(row for part in parts for row in part.unsaid_rows),
    )


def _nth(place: Place, case: Case) -> tuple[int, int]:
    """Sort elements in the order of processing, final states last."""
    if place.step < 0:
        return case.seq_len, place.row
    return case.seq_len - 1 - place.step if place.direction else place.step, place.row


@dataclass(frozen=True, eq=False)
class _Part:
    """Some rows of a layer, judged."""

    shares: Array
    largest: float
    wrong: Place | None
    unsaid: Place | None
    unsaid_rows: tuple[int, ...]
    units: tuple[int, ...]
    steps: tuple[int, ...]
    rows: int

    def rank(self, case: Case) -> tuple[int, int]:
        """The key by which the first wrong element of all parts is found."""
        assert self.wrong is not None
        return _nth(self.wrong, case)

    @classmethod
    def of(
        cls,
        case: Case,
        got: Result,
        chosen: Array,
        arithmetic: Arithmetic,
        dx: Array | None,
    ) -> _Part:
        """Judge the `chosen` rows of `case`."""
        some = some_rows(case, chosen) if case.batched else case
        seen = case.time_major(got.output)[: some.seq_len, chosen]
        states = [state if case.batched else state[:, None] for state in (got.h_n, got.c_n)]
        if dx is not None:
            dx = dx[: some.seq_len, chosen]
        layers = local_layers(some, some.user_order(seen), arithmetic, dx=dx)
        expected, bound = results_of(some, layers)
        arrays = {"output": (seen, some.time_major(expected.output), some.time_major(bound.output))}
        for name, state in zip(("h_n", "c_n"), states, strict=True):
            true, allowed = getattr(expected, name), getattr(bound, name)
            if not case.batched:
                true, allowed = true[:, None], allowed[:, None]
            arrays[name] = state[:, chosen], true, allowed
        directions = case.configuration.num_directions
        valid = some.valid_steps()[..., None]
        worst, largest = np.zeros(seen[:, 0].shape), 0.0
        first: dict[str, list[Place]] = {"wrong": [], "unsaid": []}
        units: set[int] = set()
        off_rows, off_steps, unsaid_rows = set(), set(), set()
        for name, (have, true, allowed) in arrays.items():
            with np.errstate(all="ignore"):
                unknown = ~(np.isfinite(true) & np.isfinite(allowed))
                if name != "output" and np.isnan(have.astype(np.float64)).all():
                    unknown[:] = True  # which stands for a result that is not returned
                share = np.where(unknown, 0, shares(have, true, np.where(unknown, 1, allowed)))
            if name == "output":
                share, unknown = np.where(valid, share, 0), unknown & valid
                worst = share.max(axis=1, initial=0)
            largest = max(largest, float(share.max(initial=0)))
            for kind, mask in (("wrong", share > 1), ("unsaid", unknown)):
                if not mask.any() or (kind == "unsaid" and name != "output"):
                    continue
                place, rows = _first(name, mask, directions, (have, true, allowed), chosen)
                first[kind].append(place)
                if kind == "unsaid":
                    unsaid_rows |= rows
                    continue
                off_rows |= rows
                if name == "output":
                    off_steps |= set(np.flatnonzero(mask.any(axis=(1, 2))).tolist())
                    units |= set(np.flatnonzero(mask.any(axis=(0, 1))).tolist())
        return cls(
            worst,
            largest,
            min(first["wrong"], key=lambda p: _nth(p, case), default=None),
            min(first["unsaid"], key=lambda p: _nth(p, case), default=None),
            tuple(sorted(unsaid_rows)),
            tuple(sorted(units)),
            tuple(sorted(off_steps)),
            len(off_rows),
        )


def _first(
    name: str,
    mask: Array,
    directions: int,
    arrays: tuple[Array, Array, Array],
    chosen: Array,
) -> tuple[Place, set[int]]:
    """Find the first marked element in the order of processing, and the rows that have any."""
    marked = {int(chosen[row]) for row in np.flatnonzero(mask.any(axis=(0, 2)))}
    if name != "output":
        index = tuple(map(int, np.argwhere(mask)[0]))
        direction, row, unit, step = (*index, -1)
    else:
        size = mask.shape[-1] // directions
        found = []
        for way in range(directions):
            half = mask[:: -1 if way else 1, :, way * size : (way + 1) * size]
            if half.any():
                nth, row, unit = map(int, np.argwhere(half)[0])
                found.append((nth, row, unit, way))
        nth, row, unit, direction = min(found)
        step = len(mask) - 1 - nth if direction else nth
        index = step, row, direction * size + unit
    got, expected, allowed = (float(array[index]) for array in arrays)
    return Place(name, 0, direction, step, int(chosen[row]), unit, got, expected, allowed), marked
