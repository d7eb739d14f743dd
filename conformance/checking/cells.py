"""What was exercised, as cells: how many cases had each value of each axis of a case.

::

    dtype        float64, float32, float16, bfloat16
    num_layers   1, 2, 3+
    directions   1, 2
    bias, projection, dropout, batch_first, batched, states: no, yes
    lengths      none; sorted (the longest row first) and unsorted, which are packed in other ways
    mode         eval, train: in which a torch module was called
    size         of the largest of input_size, hidden_size and rows:
                 small (up to 6), kernel (up to 33, where kernels switch paths), real (above)

The device is that of the verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from reference import DTYPES, Case
from strategies import Support

Cells = Mapping[str, Mapping[str, int]]
"""The number of cases by axis and value. Values that no case had are absent."""

EITHER = ("no", "yes")
AXES: dict[str, tuple[str, ...]] = {
    "dtype": tuple(DTYPES),
    "num_layers": ("1", "2", "3+"),
    "directions": ("1", "2"),
    **dict.fromkeys(("bias", "projection", "dropout", "batch_first", "batched", "states"), EITHER),
    "lengths": ("none", "sorted", "unsorted"),
    "mode": ("eval", "train"),
    "size": ("small", "kernel", "real"),
}
"""The values of each axis, in the order in which they are shown."""

SMALL, KERNEL = 6, 33
"""The largest small size, and the largest at which kernels switch paths."""


class Exercised:
    """A count of the cases added so far."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {axis: Counter() for axis in AXES}

    def add(self, case: Case) -> None:
        """Count a case."""
        for axis, value in values(case).items():
            self._counts[axis][value] += 1

    def called(self, modes: Collection[bool]) -> None:
        """Count the modes in which the case called modules, True for train."""
        self._counts["mode"].update("train" if training else "eval" for training in modes)

    def cells(self) -> Cells:
        """Return the number of cases by axis and value."""
        return _in_order(self._counts)


def values(case: Case) -> dict[str, str]:
    """Return the value of a case on each axis but the mode."""
    c = case.configuration
    largest = max(c.input_size, c.hidden_size, case.batch_size)
    lengths = "none"
    if case.lengths is not None:
        falling = bool((case.lengths[1:] <= case.lengths[:-1]).all())
        lengths = "sorted" if falling else "unsorted"
    return {
        "dtype": case.dtype.name,
        "num_layers": str(c.num_layers) if c.num_layers < 3 else "3+",
        "directions": str(c.num_directions),
        "bias": EITHER[c.bias],
        "projection": EITHER[c.proj_size > 0],
        "dropout": EITHER[c.dropout > 0],
        "batch_first": EITHER[c.batch_first],
        "batched": EITHER[case.batched],
        "states": EITHER[case.h_0 is not None],
        "lengths": lengths,
        "size": "small" if largest <= SMALL else "kernel" if largest <= KERNEL else "real",
    }


def summed(parts: Iterable[Cells]) -> Cells:
    """Return the sum of cells."""
    counts: dict[str, Counter[str]] = {axis: Counter() for axis in AXES}
    for cells in parts:
        for axis, found in cells.items():
            counts[axis].update(found)
    return _in_order(counts)


def _in_order(counts: Mapping[str, Mapping[str, int]]) -> Cells:
    return {
        axis: {value: counts[axis][value] for value in known if counts[axis].get(value)}
        for axis, known in AXES.items()
        if counts.get(axis)
    }


def cases(cells: Cells) -> int:
    """Return the number of all cases."""
    return sum(cells.get("dtype", {}).values())


def declared(support: Support) -> dict[str, tuple[str, ...]]:
    """List the values of each axis that an implementation declares to take.

    Neither mode nor dropout is declared for all that have it, and so both are absent. Real sizes
    are judged by the output of each step, for many rows, of one layer: the output of a layer below
    is not seen.
    """
    low, high = support.min_layers, support.max_layers
    batched = True in support.batched
    layers = (low <= 1, low <= 2 <= high, high >= 3)
    real = "output" in support.results and batched and low <= 1
    return {
        "dtype": support.dtypes,
        "num_layers": tuple(v for v, has in zip(AXES["num_layers"], layers, strict=True) if has),
        "directions": tuple(str(1 + both) for both in support.bidirectional),
        "projection": EITHER[: 1 + support.projection],
        "lengths": AXES["lengths"][: 3 if support.lengths and batched else 1],
        "size": AXES["size"][: 3 if real else 2],
        **{
            axis: tuple(EITHER[value] for value in getattr(support, axis))
            for axis in ("bias", "batch_first", "batched", "states")
        },
    }
