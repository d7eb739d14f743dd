"""A network from whose output the masks of dropout can be computed.

Its top layer computes an invertible function of its input, element by element, so that each element
of the output shows with what dropout multiplied the lower layer's output.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from conformance.recording.ending import Ending, ending
from reference import Arithmetic, Array, Case, Configuration, Result

STEP = 2.0**-3
"""The factor with which the upper layer multiplies its input."""
SHUT = 50.0
"""The pre-activation of an open gate, and minus that of a shut one: sigmoid(50) is 1."""


@dataclass(frozen=True, eq=False)
class Readable:
    """A `case` with two layers; `lower` is the lower layer's output (T, N, H) before dropout."""

    case: Case
    lower: Array

    def masks(self, result: Result) -> Array:
        """Compute with what dropout multiplied each element of the lower output (T, N, H)."""
        seen = np.arctanh(np.arctanh(result.output.astype(np.float64)))
        mask: Array = seen / STEP / self.lower
        return mask

    def allowed(self, arithmetic: Arithmetic) -> float:
        """How far a mask can be off that is read off results of this `arithmetic`.

        The lower output and the upper one are each a tanh of a tanh through open gates, so off by
        d = 2 (sigmoid + tanh) at most. A mask is at most 4 here, and the upper output below 0.22,
        where atanh(atanh(h)) rises by less than 1.2; it is divided by 1/8 and by the lower output,
        which is 0.43: so 1.2 d * 8 / 0.43 + 4 d / 0.43 < 32 d. And 1e-9 for all roundings.
        """
        return 1e-9 + 64 * (arithmetic.sigmoid + arithmetic.tanh)


def readable(case: Case, p: float) -> Readable:
    """Make a network with dropout `p` whose masks can be computed from its output, in float64.

    The network is on the device of `case`; steps and rows, at least 8, vary with those of `case`.
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
    """Give the ending in which `text` decides from ``masks``, those of the outputs of `results`."""
    lines = """lower = np.tanh(np.tanh(np.where(np.arange(6) % 2, 0.5, -0.5)))  # of the first layer
masks = [np.arctanh(np.arctanh(numbers(output))) * 8 / lower for output in {outputs}]
"""
    return ending(lines + text, outputs=tuple(each.output for each in results), **operands)
