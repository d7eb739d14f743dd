"""A network from whose results one can read what dropout dropped.

Its top layer passes on its input unharmed, so that each element of the output tells the mask that
its input was multiplied with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from conformance.recording.ending import Ending, ending
from reference import Array, Case, Configuration, Result

STEP = 2.0**-3
"""What the upper layer multiplies its input with."""
SHUT = 50.0
"""Minus the pre-activation of a gate that is shut; that of one that is open."""


@dataclass(frozen=True, eq=False)
class Readable:
    """A case with two layers, the second of which puts out a known function of its input."""

    case: Case
    lower: Array

    def masks(self, result: Result) -> Array:
        """What each element of the lower output (T, N, H) was multiplied with."""
        seen = np.arctanh(np.arctanh(result.output.astype(np.float64)))
        mask: Array = seen / STEP / self.lower
        return mask


def readable(case: Case, p: float) -> Readable:
    """A network with dropout `p` whose mask can be read off its output, in float64.

    It is on the device of `case`, and its steps and rows, at least 8, vary with those of `case`.
    The output y of the lower layer is kept away from zero by saturated gates: i and o open, f
    shut, g = tanh(+-1/2) by bias, so that y = tanh(g). In the upper layer i and o are open, f
    shut, and g = tanh(x / 8), so that h = tanh(tanh(x / 8)).
    """
    size = 6
    configuration = Configuration(size, size, num_layers=2, dropout=p)
    gates = np.repeat([SHUT, -SHUT, 0.0, SHUT], size)
    candidate = np.concatenate(
        [np.zeros(2 * size), np.where(np.arange(size) % 2, 0.5, -0.5), np.zeros(size)]
    )
    shapes = configuration.parameter_shapes()
    parameters = {name: np.zeros(shape) for name, shape in shapes.items()}
    parameters["bias_ih_l0"] = gates + candidate
    parameters["bias_ih_l1"] = gates
    parameters["weight_ih_l1"][2 * size : 3 * size] = STEP * np.eye(size)
    steps, rows = 8 + case.seq_len % 8, 8 + case.batch_size % 8
    lower = np.broadcast_to(np.tanh(np.tanh(candidate[2 * size : 3 * size])), (steps, rows, size))
    built = Case(configuration, parameters, np.zeros((steps, rows, size)), device=case.device)
    return Readable(built, lower)


def shown_by_masks(results: Sequence[Result], text: str, **operands: float) -> Ending | None:
    """The ending in which `text` decides from ``masks``, those of the outputs of `results`."""
    lines = """lower = np.tanh(np.tanh(np.where(np.arange(6) % 2, 0.5, -0.5)))  # of the first layer
masks = [np.arctanh(np.arctanh(numbers(output))) * 8 / lower for output in {outputs}]
"""
    return ending(lines + text, outputs=tuple(each.output for each in results), **operands)
