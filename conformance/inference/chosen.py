"""What a class makes of that which a submodule returned for every step: rows must stay rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from conformance.diagnosis.alternatives.wiring import OUTPUT_RESHAPED
from conformance.implementations.by_hand.disturbing import numbers
from conformance.inference.faults import FIRST_STEP, LAST_ROW
from conformance.inference.guess import Guess
from conformance.inference.leaves import Leaf
from conformance.inference.search import Search
from reference import Array


def wrongly_chosen(
    guess: Guess, search: Search, place: int, answer: Leaf, module: str
) -> list[str]:
    """Return what is wrong with `answer`, the leaf in that `place`, made of what `module` returned.

    The module takes the output. The axes of the answer show if one row was chosen. One step was
    chosen if there is no axis of steps: it is not the last one if the input there has no effect.
    Where there are rows and steps, the input of the last row may change this row only.
    """
    reading, shape = guess.reading, answer.array.shape
    rows, steps = reading.rows, reading.steps
    if not reading.batched or rows == 1 or reading.columns or reading.steps_last:
        return []
    if shape[:1] == (steps,) and len(shape) < 3 and rows not in shape:
        return [LAST_ROW]
    if {*shape[:2]} == {rows, steps}:
        alike = _alike(guess, search, place, module, (slice(None), -1))
        others = (slice(-1),) if shape[0] == rows else (slice(None), slice(-1))
        mixed = alike is not None and not alike[others].all()
        return [f"this is an LSTM {OUTPUT_RESHAPED.says}"] if mixed else []
    if shape[:1] == (rows,) and len(shape) < 3 and steps - 1 not in shape:
        alike = _alike(guess, search, place, module, (-1,))
        return [FIRST_STEP] if alike is not None and alike.all() else []
    return []


def made_by(guess: Guess, search: Search, modules: Sequence[str]) -> list[int]:
    """Return the places of the leaves of an answer that change with the weights of `modules`."""
    values, parameters = search.given(guess, hh=True, biases=guess.biases)
    weights = {f"{module}.weight" for module in modules}
    shapes = {k: s for k, s in search.prober.shapes().items() if k in weights}
    changes = [{k: sign * numbers(k, s) for k, s in shapes.items()} for sign in (1, -1) if shapes]
    both = [search.prober.call(guess, values, parameters | each) for each in changes]
    arrays = [[leaf.array for leaf in each.leaves] for each in both if each is not None]
    if len(arrays) < 2:  # without modules, or where a call raised
        return []
    return [n for n, pair in enumerate(zip(*arrays, strict=True)) if not np.array_equal(*pair)]


def _alike(
    guess: Guess, search: Search, place: int, module: str, where: tuple[slice | int, ...]
) -> Array | None:
    """Return which elements stay as they are if the input (T, N, ...) changes in this place.

    They are those of the leaf in that `place` of the answer. None if a call raises.
    """
    values, parameters = search.given(guess, hh=True, biases=guess.biases)
    shapes = search.prober.shapes().items()
    parameters |= {k: numbers(k, shape) for k, shape in shapes if k.startswith(f"{module}.")}
    changed = values["input"].copy()
    guess.reading.time_major(changed)[where] *= -1
    inputs = (values["input"], changed)
    both = [search.prober.call(guess, {**values, "input": x}, parameters) for x in inputs]
    arrays = [each.leaves[place].array for each in both if each is not None]
    return np.equal(arrays[0], arrays[1]) if len(arrays) == 2 else None
