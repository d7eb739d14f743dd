"""Judging each layer of a deep network by itself, from what the layer below it gave.

The output of a lower layer does not come back. It is that of the same network without the layers
above, up to what two runs may differ by. Where no such network can be run, it is known from h_n of
a single step, or from the reference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from conformance.checking.comparison import close
from conformance.checking.truth import arithmetic, claimed
from conformance.implementations.failures import WrongElement
from conformance.implementations.implementation import Implementation, run
from conformance.recording.noting import bind
from conformance.recording.operands import Literal
from conformance.requirements.parts import first_layers, steps
from reference import RESULTS, Arithmetic, Array, Case, Result, trace
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
        return self.within(dx, model, False)[0]

    def within(self, dx: Array | None, model: Arithmetic, strayed: bool) -> tuple[float, Array]:
        """Check the layer as :meth:`matches`; returns also the bound on its output (T, N, ...).

        If `strayed`, the output is that of another right run.
        """
        layers = local_layers(self.case, self.got.output, model, x=self.x, dx=dx, strayed=strayed)
        expected, bound = results_of(self.case, layers)
        off = np.asarray(self.case.time_major(bound.output), np.float64)
        share = self._close(self.top(self.got), expected, claimed(bound, self.returned))
        return share, off

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
    """Check the network of the lowest layer, of the lowest two, and so on; returns the share.

    Where no layer can be run alone, the whole network is checked: its first step, in which the
    final states show the output of every layer, and four steps.
    """
    if implementation.supports.min_layers > 1:
        parts = [steps(case, 0, min(count, case.seq_len)) for count in (1, 4)]
        return max(_match_as_a_whole(implementation, each) for each in parts)
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


def _match_as_a_whole(implementation: Implementation, case: Case) -> float:
    """Check every layer of a network in one run; returns the share.

    What a lower layer hands on is the h_n of a single step, as it was stored. Of several steps it
    is what the reference gives, and that of a right implementation is as far from it as two runs
    can be from each other.
    """
    model, returned = arithmetic(case, implementation), implementation.supports.results
    got, of = run(implementation, case), case.configuration
    x, dx, worst = np.asarray(case.time_major(case.input), np.float64), None, 0.0
    for count in range(1, of.num_layers + 1):
        cut, strayed = first_layers(case, count), False
        if count == of.num_layers:
            output = got.output
        elif case.seq_len == 1 and "h_n" in returned:
            states = got.h_n[(count - 1) * of.num_directions :][: of.num_directions]
            parts = states if case.batched else states[:, None]
            output = case.user_order(np.concatenate(list(parts), -1)[None])
        else:
            output, strayed = trace(cut).result.output.astype(np.float64), True
        top = Seen(cut, Result(output, got.h_n, got.c_n), x, returned)
        share, off = top.within(dx, model, strayed)
        worst, x = max(worst, share), top.output
        dx = off if strayed else observation_error(x, local_arithmetic(model))
    return worst
