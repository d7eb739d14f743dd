"""Judging each layer of a deep network by itself, from what the layer below it gave.

The output of a lower layer does not come back. It is that of the same network without the layers
above, up to what two runs may differ by.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import assume

from conformance.checking.comparison import arithmetic, claimed, close
from conformance.implementations.failures import WrongElement
from conformance.implementations.implementation import Implementation, run
from conformance.recording.noting import bind
from conformance.recording.operands import Literal
from conformance.requirements.parts import first_layers
from reference import RESULTS, Arithmetic, Array, Case, Result
from reference.local_bounds import local_layers, results_of
from reference.local_layer import local_arithmetic, observation_error


@dataclass(frozen=True, eq=False)
class Seen:
    """A network cut off above a layer, what it returned, and the input of that layer (T, N, ...).

    `returned` are the names of the results that come back.
    """

    case: Case
    got: Result
    x: Array
    returned: tuple[str, ...]

    @property
    def output(self) -> Array:
        """The output of the layer, (T, N, D * R) in float64."""
        return np.asarray(self.case.time_major(self.got.output), np.float64)

    def top(self, result: Result) -> Result:
        """Take of a `result` of this network or a deeper one the last states of this layer."""
        count, directions = (
            self.case.configuration.num_layers,
            self.case.configuration.num_directions,
        )
        here = slice((count - 1) * directions, count * directions)
        h_n, c_n = result.h_n[here], result.c_n[here]
        for part, whole in ((h_n, result.h_n), (c_n, result.c_n)):
            bind(part, whole, f"[{here.start}:{here.stop}]")
        return Result(self.got.output, h_n, c_n)

    def matches(self, dx: Array | None, model: Arithmetic) -> float:
        """Check the layer against the equations, its input off by `dx`; returns the share."""
        layers = local_layers(self.case, self.got.output, model, x=self.x, dx=dx)
        expected, bound = results_of(self.case, layers)
        return self._close(self.top(self.got), expected, claimed(bound, self.returned))

    def again(self, deeper: Result, dx: Array | None, model: Arithmetic) -> tuple[float, Array]:
        """Check this layer within a `deeper` network; returns the share and how far its output is.

        Where its final states are the same bits, so is the output. Otherwise each of the two runs
        may have erred in its own way, and the difference is carried from step to step.
        """
        mine, other = self.top(self.got), self.top(deeper)
        states = [name for name in self.returned if name != "output"]
        same = states and all(
            np.array_equal(getattr(mine, name), getattr(other, name)) for name in states
        )
        off, share = np.zeros(self.output.shape), 0.0
        if not same:
            layers = local_layers(self.case, self.got.output, model, x=self.x, dx=dx, strayed=True)
            expected, bound = results_of(self.case, layers)
            expected = Result(mine.output, mine.h_n, expected.c_n)
            off = np.asarray(self.case.time_major(bound.output), np.float64)
            share = self._close(other, expected, claimed(bound, self.returned))
        return share, off + observation_error(np.abs(self.output) + off, local_arithmetic(model))

    def _close(self, got: Result, expected: Result, bound: Result) -> float:
        layer = self.case.configuration.num_layers - 1
        try:
            return max(
                close(
                    f"{name} of layer {layer}",
                    *(getattr(each, name) for each in (got, expected, bound)),
                )
                for name in RESULTS
            )
        except WrongElement as failure:
            if failure.arrays is not None and isinstance(failure.arrays.expected, Literal):
                failure.arrays = None  # what is right follows from the output of lower layers
            raise


def match_layer_by_layer(implementation: Implementation, case: Case) -> float:
    """Check the network of the lowest layer, of the lowest two, and so on; returns the share."""
    assume(implementation.supports.min_layers == 1)  # else no layer can be seen alone
    model, returned = arithmetic(case, implementation), implementation.supports.results
    below: list[Seen] = []
    worst = 0.0
    x = np.asarray(case.time_major(case.input), np.float64)
    for count in range(1, case.configuration.num_layers + 1):
        cut = first_layers(case, count)
        top = Seen(cut, run(implementation, cut), x, returned)
        dx: Array | None = None
        for layer in below:
            share, dx = layer.again(top.got, dx, model)
            worst = max(worst, share)
        worst = max(worst, top.matches(dx, model))
        below.append(top)
        x = top.output
    return worst
