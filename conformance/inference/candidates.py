"""What a returned array may be: a result of a simulated LSTM, right or wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from conformance.diagnosis.alternatives.wiring import (
    NOT_TURNED,
    OUTPUT_BACKWARDS,
    OUTPUT_RESHAPED,
    REVERSE_FIRST,
)
from conformance.inference.faults import (
    ADDED,
    AS_ROWS,
    AVERAGED,
    BATCH_FIRST,
    EXCHANGED,
    FIRST_STEP,
    LAST_ROW,
    LAST_STEP,
    LOWEST,
    SKIPPED,
    STATES_ADDED,
    TIME_MAJOR,
    TWICE,
    VIEWED,
)
from conformance.inference.leaves import Leaf
from conformance.inference.numbers import HIDDEN
from conformance.inference.readings import Reading
from conformance.inference.simulation import Simulated
from reference import Array

POOLED: dict[str, Callable[..., Array]] = {"mean": np.mean, "maximum": np.max, "sum": np.sum}
"""What may be made of all steps of the output before a submodule takes it."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """An array that a leaf may equal: its name, values of M LSTMs (M, ...), and the fault if so."""

    name: str
    values: Array
    fault: str = ""

    @property
    def below(self) -> bool:
        """Whether it is a cell state, or the state of one layer that is not the top one."""
        name = self.name.removeprefix("relu(").removesuffix(")" * self.name.startswith("relu("))
        lower = name.endswith("]") and not name.endswith("[-1]")
        return lower or name.startswith("c_")


def candidates(reading: Reading, simulated: Simulated, leaf: Leaf) -> Iterator[Candidate]:
    """Yield everything with the shape of `leaf`, which may have one more leading axis of 1."""
    shape = leaf.array.shape
    for name, values, fault in _all(reading, simulated, leaf):
        steps = name in ("output", "c_all")
        values = reading.turned(values, 1 if steps else None)
        if values.shape[1:] == shape:
            yield Candidate(name, values, fault)
            if leaf.module and not fault and (leaf.array >= 0).all():
                yield Candidate(f"relu({name})", np.maximum(values, 0))
        elif values.shape[1:] == shape[1:] and shape[0] == 1:
            yield Candidate(name, values[:, None], fault)


def _all(reading: Reading, simulated: Simulated, leaf: Leaf) -> Iterator[tuple[str, Array, str]]:
    """Yield everything that may be `leaf`: name, values, and the fault if it is returned.

    An answer that is listed has steps first, whatever the input has.
    """
    listed = leaf.listed
    h, c, *ends = simulated  # (M, T, N, D * H), and (M, L * D, N, H)
    if not reading.batched:
        h, c, *ends = (each[:, :, 0] for each in simulated)
    yield from _states(*ends)
    yield from _in_one(ends[0], ends[1], leaf.array.shape)
    if reading.cell:
        return
    rows_first = reading.batched and reading.batch_first and not listed

    def laid_out(steps: Array) -> Array:
        return steps.swapaxes(1, 2) if rows_first else steps

    if h.shape[-1] > HIDDEN:
        count = ends[0].shape[1]
        yield f"cat(h_n[{count - 2}], h_n[-1])", h[:, -1], LAST_STEP
        there, back = h[..., :HIDDEN], h[..., HIDDEN:]
        yield "output", laid_out(there + back), ADDED
        for name, states in zip(("h_n", "c_n"), ends, strict=True):
            yield name, states[:, -2] + states[:, -1], STATES_ADDED
        yield "output", laid_out((there + back) / 2), AVERAGED
        for fault, halves in ((NOT_TURNED, (there, back[:, ::-1])), (REVERSE_FIRST, (back, there))):
            yield "output", laid_out(np.concatenate(halves, -1)), f"this is an LSTM {fault.says}"
    backwards = "" if reading.reversed else f"this is an LSTM {OUTPUT_BACKWARDS.says}"
    if leaf.module:
        yield from ((f"{name}(output)", pool(h, 1), "") for name, pool in POOLED.items())
    yield "output", laid_out(h), ""
    yield "output", laid_out(h[:, ::-1]), backwards
    yield "c_all", laid_out(c), ""
    if rows_first:
        by_row = laid_out(h)
        yield "output", h, TIME_MAJOR
        yield "c_all", c, TIME_MAJOR
        yield "flat(output)", h.reshape(len(h), -1, h.shape[-1]), TIME_MAJOR
        yield "output", h.reshape(by_row.shape), f"this is an LSTM {OUTPUT_RESHAPED.says}"
        yield "h_n", by_row[:, -1], LAST_ROW
        yield "h_n", h[:, 0], FIRST_STEP
        yield "flat(output)", by_row.reshape(len(h), -1, h.shape[-1]), ""
    if ends[0].shape[1] == 1:
        for name, of_each in (("h_n", h), ("c_n", c)):
            yield name, of_each[:, -2], SKIPPED
    if reading.batched and not rows_first and not listed:
        by_row = h.swapaxes(1, 2)
        yield "output", by_row, BATCH_FIRST
        yield "c_all", c.swapaxes(1, 2), BATCH_FIRST
        yield "flat(output)", h.reshape(len(h), -1, h.shape[-1]), ""
        yield "flat(output)", by_row.reshape(len(h), -1, h.shape[-1]), BATCH_FIRST
        yield "h_n", h[:, :, -1], f"{LAST_ROW}: it takes the first axis of the input for time"


def _states(h_n: Array, c_n: Array) -> Iterator[tuple[str, Array, str]]:
    """Yield final states, and both in one array; the states (M, L * D, N, H) of one layer alone."""
    count = h_n.shape[1]
    both = (("h_n", h_n), ("c_n", c_n))
    if count > 1:
        for name, values in both:
            yield name, values, ""
    for n in range(count):
        index = "" if count == 1 else f"[{n if n < count - 1 else -1}]"
        for name, values in both:
            yield f"{name}{index}", values[:, n], ""
    if count > 1:
        yield "h_n[-1]", h_n.reshape(len(h_n), -1, h_n.shape[-1]), AS_ROWS


def _in_one(h_n: Array, c_n: Array, shape: tuple[int, ...]) -> Iterator[tuple[str, Array, str]]:
    """Yield states in one array of that shape: both of a layer, or those of the top layer."""
    if 2 not in shape and 2 * HIDDEN not in shape:
        return
    count = h_n.shape[1]
    both = (("h_n", h_n), ("c_n", c_n))
    if count > 1:
        yield from _tops(h_n, count)
    for (first, one), (second, other) in (both, both[::-1]):
        if count == 1:
            yield f"cat({first}, {second})", np.concatenate([one[:, 0], other[:, 0]], -1), ""
            yield f"stack({first}, {second})", np.stack([one[:, 0], other[:, 0]], 1), ""
        yield f"stack({first}, {second})", np.stack([one, other], 1), ""


def _tops(h_n: Array, count: int) -> Iterator[tuple[str, Array, str]]:
    """Yield the last two of `count` hidden states in one array, and two others in their place."""
    last = f"h_n[{count - 2}], h_n[-1]"
    yield f"cat({last})", h_n[:, -2:].reshape(len(h_n), h_n.shape[2], -1), VIEWED
    chosen = {(-2, -1): "", (-1, -2): EXCHANGED, (-2, -2): TWICE, (-1, -1): TWICE}
    for two, fault in (chosen | ({(0, 1): LOWEST} if count > 3 else {})).items():
        first, second = (h_n[:, n] for n in two)
        yield f"cat({last})", np.concatenate([first, second], -1), fault
        if count > 2:
            yield f"stack({last})", np.stack([first, second], 1), fault


def distances(leaf: Leaf, candidate: Candidate) -> Array:
    """Return the largest difference between `leaf` and each of M values, (M,); inf for NaN."""
    with np.errstate(all="ignore"):
        apart = np.abs(candidate.values - leaf.array)
    flat = apart.reshape(len(apart), -1).max(axis=1)
    found: Array = np.where(np.isnan(flat), np.inf, flat)
    return found
