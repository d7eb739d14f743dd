"""What a class chooses of that which a submodule made of the output: steps, and not rows."""

from __future__ import annotations

import numpy as np

from conformance.implementations.by_hand.disturbing import numbers
from conformance.inference.faults import FIRST_STEP, LAST_ROW
from conformance.inference.guess import Guess
from conformance.inference.leaves import Leaf
from conformance.inference.search import Search


def wrongly_chosen(
    guess: Guess, search: Search, place: int, answer: Leaf, module: str
) -> list[str]:
    """Return what is wrong with `answer`, the leaf in that `place`, made of what `module` returned.

    The module takes the output. The axes of the answer show if one row was chosen. One step was
    chosen if there is no axis of steps: it is not the last one if the input there has no effect.
    """
    reading, shape = guess.reading, answer.array.shape
    rows, steps = reading.rows, reading.steps
    if not reading.batched or rows == 1 or reading.columns or reading.steps_last:
        return []
    if shape[:1] == (steps,) and len(shape) < 3 and rows not in shape:
        return [LAST_ROW]
    if shape[:1] != (rows,) or len(shape) > 2 or {*shape[1:]} & {steps, steps - 1}:
        return []
    values, parameters = search.given(guess, hh=True, biases=guess.biases)
    shapes = search.prober.shapes().items()
    parameters |= {k: numbers(k, shape) for k, shape in shapes if k.startswith(f"{module}.")}
    changed = values["input"].copy()
    reading.time_major(changed)[-1] *= -1
    inputs = (values["input"], changed)
    both = [search.prober.call(guess, {**values, "input": x}, parameters) for x in inputs]
    one, other = (None if each is None else each.leaves[place].array for each in both)
    alike = one is not None and other is not None and np.array_equal(one, other)
    return [FIRST_STEP] if alike else []
