"""The reference with one change, to find out whether that change explains wrong results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from conformance.checking.truth import Truth
from reference import Arithmetic, Array, Case, LayerTrace, Result, Step, Weights, lstm_cell
from reference.bounds import layer_bound
from reference.dtypes import wide
from reference.network import Cell, assemble, cell_weights, lstm_layer

T = TypeVar("T")
Shown = Callable[[LayerTrace, Sequence[Step], Array, bool], Array]
COARSER = 8
"""The factor on the bound of an altered cell, as the bound is derived for the true equations."""


def unchanged(value: T, *_: object) -> T:
    """Return the first argument."""
    return value


def unchanged_result(_: Case, result: Result) -> Result:
    """Return the result as it is."""
    return result


def unchanged_output(_layer: LayerTrace, _steps: Sequence[Step], output: Array, _: bool) -> Array:
    """Return the output as it is."""
    return output


@dataclass(frozen=True)
class AlteredLSTM:
    """The reference LSTM with one change, which `says` describes: it completes "an LSTM ...".

    The change is in one of the following; the others are those of the reference:

    - `case`: the case that is computed instead; raises :class:`ValueError` if there is none;
    - `weights`: the parameters of a layer and direction, in the wider type;
    - `cell`: the equations of a step; `carried`: which of the states h and c a step takes from the
      previous step; the others are taken from the initial states;
    - `active`: from the mask (T, N) of valid steps and a suffix, which steps change the state;
    - `reverses`: whether the reverse direction runs from the last step to the first;
    - `handed_up`: whether each layer starts from the final states of the layer below;
    - `handed_over`: whether each reverse direction starts from the final states of the forward one;
    - `shown`: from a layer, quantities of its steps, its output (T, N, R) and whether it is the top
      layer, the output that is passed on or returned; the bound is changed in the same way;
    - `result`: from the case and a result or its bound, what is returned.

    Changes of weights, cell, active and shown apply to layers and directions whose suffix meets
    `where`.
    """

    says: str
    case: Callable[[Case], Case] = unchanged
    weights: Callable[[Weights], Weights] = unchanged
    cell: Cell = lstm_cell
    carried: str = "hc"
    active: Callable[[Array, str], Array] = unchanged
    reverses: bool = True
    handed_up: bool = False
    handed_over: bool = False
    shown: Shown = unchanged_output
    result: Callable[[Case, Result], Result] = unchanged_result
    where: Callable[[str], bool] = lambda _: True

    @property
    def local(self) -> bool:
        """Whether the change can apply to some layers and directions and not to others."""
        return self.weights is not unchanged or self.cell is not lstm_cell

    def compute(
        self, case: Case, arithmetic: Arithmetic | None = None, *, bounded: bool = True
    ) -> Truth | None:
        """Compute the results of this LSTM for `case`, and the bound on rounding errors.

        Returns None if the change cannot be made to `case`. `arithmetic` is by default that of the
        dtype of the case. Without `bounded` the bound is zero. The bound of an altered cell is an
        estimate, :data:`COARSER` times that with the largest slopes of the activations.
        """
        with np.errstate(all="ignore"):
            try:
                known = self._network(self.case(case), arithmetic, bounded)
            except ValueError:
                return None
            return Truth(self.result(case, known.result), self.result(case, known.bound))

    def _network(self, case: Case, arithmetic: Arithmetic | None, bounded: bool) -> Truth:
        configuration, dtype = case.configuration, case.dtype
        directions, suffixes = configuration.num_directions, configuration.suffixes()
        model = Arithmetic.of(dtype) if arithmetic is None else arithmetic
        model = model.with_reference(dtype)
        x = wide(case.time_major(case.input), dtype)
        dx: Array = np.zeros(x.shape)
        h_0, c_0 = (wide(state, dtype) for state in case.initial_states())
        valid = case.valid_steps()
        values: list[Sequence[Array]] = []
        errors: list[Sequence[Array]] = []
        for position, suffix in enumerate(suffixes):
            weights, here = cell_weights(case, suffix), self.where(suffix)
            start = h_0[position], c_0[position]
            up = self.handed_up and position >= directions
            if up or (self.handed_over and position % directions):
                _, h, c = values[position - (directions if up else 1)]
                start = h, c
            cell = self._starting(*start) if here else lstm_cell
            layer = lstm_layer(
                x,
                *start,
                self.weights(weights) if here else weights,
                self.active(valid, suffix) if here else valid,
                suffix if self.reverses else "_l0",
                cell,
            )
            top = position >= len(suffixes) - directions

            def shown(
                steps: Sequence[Step], output: Array, layer: LayerTrace = layer, top: bool = top
            ) -> Array:
                seen = self.shown(layer, steps, output, top) if self.where(layer.suffix) else output
                return np.where(valid[..., None], seen, 0)

            layer = replace(layer, suffix=suffix)
            values.append((shown(layer.steps, layer.output, layer), layer.h_n, layer.c_n))
            if bounded:
                known = cell is lstm_cell and not (self.handed_up or self.handed_over)
                bound = layer_bound(
                    layer if known else _steepest(layer), dx, model.scaled(1 if known else COARSER)
                )
                errors.append((shown(bound.steps, bound.output, layer), bound.h_n, bound.c_n))
            else:
                errors.append([np.zeros(array.shape) for array in values[-1]])
            if (position + 1) % directions == 0:
                x, dx = (
                    np.concatenate([each[0] for each in of[-directions:]], axis=-1)
                    for of in (values, errors)
                )
        return Truth(
            assemble(case, x, [v[1] for v in values], [v[2] for v in values]),
            assemble(case, dx, [e[1] for e in errors], [e[2] for e in errors]),
        )

    def _starting(self, h_0: Array, c_0: Array) -> Cell:
        """Make the cell that takes `h_0` and `c_0` in place of the states that are not carried."""
        if self.carried == "hc":
            return self.cell
        return lambda x, h, c, w: self.cell(
            x, h if "h" in self.carried else h_0, c if "c" in self.carried else c_0, w
        )

    def only(self, says: str, where: Callable[[str], bool]) -> AlteredLSTM:
        """Restrict the change to layers and directions whose suffix meets `where`."""
        return replace(self, says=f"{self.says}, {says}", where=where)


def _steepest(layer: LayerTrace) -> LayerTrace:
    """Put the arguments of the activations at zero, where sigmoid and tanh are steepest.

    Gates get their absolute values. With other activations a gate may be negative, and the errors
    that negative gates pass on would be subtracted from the bound.
    """
    flat = []
    for step in layer.steps:
        zeros = {name: np.zeros_like(step.c) for name in ("a_i", "a_f", "a_g", "a_o", "c")}
        gates = {name: np.abs(getattr(step, name)) for name in "ifo"}
        flat.append(step._replace(**zeros, **gates))
    return replace(layer, steps=flat)
