"""The first element that differs from the true one, in the order in which data flow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from conformance.checking.comparison import number, shares
from conformance.checking.truth import Truth
from reference import Array, Case, Result

DIRECTIONS = ("forward", "reverse")


@dataclass(frozen=True)
class Parting:
    """The first element that is off by more than its bound.

    The element is ``name[index]``. An element of `output` is of the top layer at time `step`, which
    its direction processes as the `nth` from 0. An element of `h_n` or `c_n` is of any layer, after
    the last step, and has `step` -1.
    """

    name: str
    index: tuple[int, ...]
    layer: int
    direction: int
    step: int
    nth: int
    row: int
    feature: int
    got: str
    expected: str
    allowed: float

    def place(self, case: Case) -> str:
        """Write layer, direction, step, row and feature in words."""
        words = [f"layer {self.layer}"]
        if case.configuration.bidirectional:
            words.append(f"{DIRECTIONS[self.direction]} direction")
        if self.step >= 0:
            first = ", the first that it processes" if self.direction and not self.nth else ""
            words.append(f"step {self.step}{first}")
        words += [f"row {self.row}", f"feature {self.feature}"]
        if self.step >= 0 and case.lengths is not None and self.step >= case.lengths[self.row]:
            words.append(f"beyond the row's length of {case.lengths[self.row]}")
        return ", ".join(words)

    def __str__(self) -> str:
        index = ", ".join(map(str, self.index))
        return (
            f"{self.name}[{index}] = {self.got}, but should be {self.expected} ± {self.allowed:.3g}"
        )


def wrong(got: Result, known: Truth) -> dict[str, Array]:
    """Mark the elements that are off by more than their bound, by the name of the result."""
    return {
        name: shares(array, getattr(known.result, name), getattr(known.bound, name)) > 1
        for name, array in got.items()
    }


def right(got: Result, known: Truth) -> bool:
    """Whether every array has the right shape and every element lies within its bound."""
    return all(
        array.shape == expected.shape and not (shares(array, expected, bound) > 1).any()
        for (_, array), (_, expected), (_, bound) in zip(
            got.items(), known.result.items(), known.bound.items(), strict=True
        )
    )


def first_parting(case: Case, got: Result, known: Truth) -> Parting | None:
    """Find the first element off by more than its bound; None if none is, or a shape is wrong.

    Layers come first, from the lowest; in the top layer the output comes before the final states,
    with steps in the order of processing. Then come directions, h_n before c_n, rows, features.
    """
    if any(a.shape != getattr(known.result, name).shape for name, a in got.items()):
        return None
    off = wrong(got, known)
    configuration = case.configuration
    directions, size = configuration.num_directions, configuration.output_size
    output = case.time_major(off["output"])
    states = {name: off[name] if case.batched else off[name][:, None] for name in ("h_n", "c_n")}

    def shown(name: str, index: tuple[int, ...]) -> tuple[str, str, float]:
        array, expected, bound = (
            getattr(of, name)[index] for of in (got, known.result, known.bound)
        )
        return number(array), number(expected), float(bound)

    for layer in range(configuration.num_layers):
        if layer == configuration.num_layers - 1:
            for nth in range(case.seq_len):
                for direction in range(directions):
                    step = case.seq_len - 1 - nth if direction else nth
                    half = output[step, :, direction * size : (direction + 1) * size]
                    if half.any():
                        row, feature = map(int, np.argwhere(half)[0])
                        axes = (step, row)[:: -1 if configuration.batch_first else 1]
                        index = (*(axes if case.batched else (step,)), direction * size + feature)
                        place = layer, direction, step, nth, row, feature
                        return Parting("output", index, *place, *shown("output", index))
        for direction in range(directions):
            at = layer * directions + direction
            for name, state in states.items():
                if state[at].any():
                    row, feature = map(int, np.argwhere(state[at])[0])
                    index = (at, row, feature) if case.batched else (at, feature)
                    place = layer, direction, -1, case.seq_len - 1, row, feature
                    return Parting(name, index, *place, *shown(name, index))
    return None
