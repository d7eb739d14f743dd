"""Counts of what was dropped, of which every share is that of independent random numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from conformance.recording.ending import Ending, ending
from conformance.requirements.helpers.chance import Counts
from conformance.requirements.helpers.readable import Readable
from reference import Array, Result

Pairs = tuple[tuple[int, ...], tuple[int, ...]]
"""The first and the second index of each of several pairs."""
AXES = ("call", "step", "row", "direction", "feature")
"""What the axes of an array of dropped values stand for."""
DIRECTION = AXES.index("direction")


@dataclass(frozen=True)
class Where:
    """Which values were counted.

    They are those of one `gap` between layers at the indices `first` of an `axis`, in every or only
    one `direction`; or they are pairs of these with those at the indices `second`, whose steps are
    in reverse if `flipped`.
    """

    gap: int
    axis: int
    first: tuple[int, ...] = ()
    second: tuple[int, ...] = ()
    direction: int | None = None
    flipped: bool = False

    def __str__(self) -> str:
        shown = f"after layer {self.gap - 1}"
        shown += "" if self.direction is None else f", direction {self.direction}"
        if not self.second:
            return f"{shown}, {AXES[self.axis]} {self.first[0]}"
        pairs = list(zip(self.first, self.second, strict=True))
        return f"{shown}, {AXES[self.axis]}s {', '.join(f'{i} and {j}' for i, j in pairs[:3])}" + (
            ", ..." * (len(pairs) > 3) + " of steps in reverse" * self.flipped
        )


def dropped(highest: Array, gaps: int, p: float) -> Iterator[Counts]:
    """Count the dropped values of each gap, call, step, row, direction and feature.

    `highest` has an axis for each of :data:`AXES`, and of each value the highest gap that dropped
    it, see :meth:`~conformance.requirements.helpers.readable.Readable.highest`: what happened in
    the gaps below is not known.
    """
    for gap in range(1, gaps + 1):
        for axis, size in enumerate(highest.shape):
            others = tuple(other for other in range(highest.ndim) if other != axis)
            hits, trials = (each.sum(others) for each in (highest == gap, highest <= gap))
            yield Counts([Where(gap, axis, (i,)) for i in range(size)], hits, trials, p)


def agreeing(highest: Array, gaps: int, p: float) -> Iterator[Counts]:
    """Count in how many places two calls, steps, rows, directions or features have equal masks.

    Beside each two of them by themselves, all that are equally far apart are counted together.
    """
    for gap in range(1, gaps + 1):
        for axis in range(highest.ndim):
            if axis == DIRECTION:
                if highest.shape[axis] == 2:
                    yield _pairs(highest, Where(gap, axis), p)
                    flipped = highest.copy()
                    flipped[:, :, :, 1] = highest[:, ::-1, :, 1]
                    yield _pairs(flipped, Where(gap, axis, flipped=True), p)
                continue
            for direction in range(highest.shape[DIRECTION]):
                here = highest[:, :, :, direction : direction + 1]
                yield _pairs(here, Where(gap, axis, direction=direction), p)


def repeating(dropped: Array, p: float) -> Iterator[Counts]:
    """Count in how many places steps, rows, directions or features a power of two apart are equal.

    `dropped` has an axis for each of :data:`AXES`, and 1 where a value was dropped, else 0. Of the
    pairs that are counted together, no two have a value in common.
    """
    for axis, size in enumerate(dropped.shape):
        for apart in (2**power for power in range((size - 1).bit_length())):
            first = [at for at in range(size - apart) if at // apart % 2 == 0]
            second = [at + apart for at in first]
            equal = dropped.take(first, axis) == dropped.take(second, axis)
            where = Where(1, axis, tuple(first), tuple(second))
            hits, trials = np.array([equal.sum()]), np.array([equal.size])
            yield Counts([where], hits, trials, p**2 + (1 - p) ** 2)


def _pairs(highest: Array, of: Where, p: float) -> Counts:
    size = highest.shape[of.axis]
    flat = np.moveaxis(highest, of.axis, 0).reshape(size, -1)
    gone, kept = (each.astype(np.float32) for each in (flat == of.gap, flat < of.gap))
    equal, both = gone @ gone.T + kept @ kept.T, (gone + kept) @ (gone + kept).T
    groups, members = _groups(size)
    hits, trials = (np.round(members @ each.ravel()) for each in (equal, both))
    where = [replace(of, first=first, second=second) for first, second in groups]
    return Counts(where, hits, trials, p**2 + (1 - p) ** 2)


@lru_cache
def _groups(size: int) -> tuple[list[Pairs], Array]:
    """List pairs of `size` indices: each two, and all equally far apart with no index in common.

    Beside them, which elements of a (size, size) array belong to each, (groups, size * size).
    """
    groups: list[Pairs] = [((i,), (j,)) for i in range(size) for j in range(i + 1, size)]
    for apart in range(1, size - 1):
        for parity in (0, 1):
            first = tuple(i for i in range(size - apart) if i // apart % 2 == parity)
            if len(first) > 1:
                groups.append((first, tuple(i + apart for i in first)))
    members = np.zeros((len(groups), size, size))
    for group, (first, second) in enumerate(groups):
        members[group, list(first), list(second)] = 1
    return groups, members.reshape(len(groups), -1)


def shown_by_masks(
    network: Readable, results: Sequence[Result], where: Where, chance: float, limit: float
) -> Ending | None:
    """Give the ending of a script that counts the values at one place of `results` once more."""
    configuration, size = network.case.configuration, network.outputs.shape[-1]
    here = "" if where.direction is None else f"[:, :, :, [{where.direction}]]"
    swapped = ".swapaxes(0, 1)" if configuration.batch_first else ""
    steps = "[:, ::-1]" if where.flipped else ""
    lengths = network.case.lengths
    ended = ""
    if lengths is not None:
        beyond = f"np.arange(outputs.shape[1])[:, None] >= {lengths.tolist()}"
        ended = f"highest[:, {beyond}] = len(values)  # rows that have ended\n"
    lines = f"""outputs = np.stack([numbers(output){swapped} for output in {{outputs}}])
# if nothing is dropped, and if all is dropped after layer 0, 1, ...
values = {network.outputs[:, 0, 0, 0].astype(float).tolist()}
highest = np.abs(outputs[..., None] - values).argmin(-1)  # where a value was dropped
{ended}directions = {configuration.num_directions}
highest = highest.reshape(*outputs.shape[:-1], directions, {size} // directions){here}
one = highest.take({list(where.first)}, {where.axis})
"""
    if where.second:
        lines += f"""other = highest.take({list(where.second)}, {where.axis}){steps}
both = (one <= {where.gap}) & (other <= {where.gap})
hits, trials = ((one == {where.gap}) == (other == {where.gap}))[both].sum(), both.sum()
"""
    else:
        lines += f"hits, trials = (one == {where.gap}).sum(), (one <= {where.gap}).sum()\n"
    lines += f"""share, chance = hits / trials, {chance}
pairs = ((share, chance), (1 - share, 1 - chance))
surprise = trials * sum(s * np.log(s / p) for s, p in pairs if s)
fault = not surprise <= {limit}
print("expected share:", chance, "; got:", share, "of", trials)"""
    return ending(lines, outputs=tuple(each.output for each in results))
