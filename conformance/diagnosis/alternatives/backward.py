"""Back-propagation with one change, to find out whether that change explains wrong gradients."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import numpy as np

from reference import Array, Result, Step, Trace, Weights
from reference.gradients import (
    CellBackward,
    StepGradients,
    by_name,
    lstm_cell_backward,
    trace_gradients,
)


@dataclass(frozen=True)
class AlteredBackward:
    """The back-propagation of the reference with one change, which `says` describes.

    `says` completes "the gradients equal those of back-propagation ...". The change is in the
    `cotangents`, in what each `cell` passes on, given the trace, or in the `gradients` by name.
    """

    says: str
    cotangents: Callable[[Result], Result] = lambda each: each
    cell: Callable[[Trace], CellBackward] = lambda _: lstm_cell_backward
    gradients: Callable[[str, Array], Array] = lambda _, each: each

    def compute(self, trace: Trace, cotangents: Result) -> dict[str, Array]:
        """Compute the gradients by name, as :func:`reference.backward` does."""
        layers = trace_gradients(trace, self.cotangents(cotangents), self.cell(trace))
        named = by_name(trace, layers)
        with np.errstate(all="ignore"):
            return {name: self.gradients(name, array) for name, array in named.items()}


def stopped(
    names: Collection[str], layers: Callable[[int, str], bool] = lambda _layer, _suffix: True
) -> Callable[[Trace], CellBackward]:
    """Make cells that pass on zeros for `names`, where `layers` holds of layer and suffix."""

    def cell_of(trace: Trace) -> CellBackward:
        directions = trace.case.configuration.num_directions
        concerned = [
            layer.weights
            for position, layer in enumerate(trace.layers)
            if layers(position // directions, layer.suffix)
        ]

        def cell(step: Step, dh: Array, dc: Array, w: Weights) -> StepGradients:
            d = lstm_cell_backward(step, dh, dc, w)
            if not any(w is each for each in concerned):
                return d
            return d._replace(**{name: np.zeros_like(getattr(d, name)) for name in names})

        return cell

    return cell_of


def without_derivative(step: Step, dh: Array, dc: Array, w: Weights) -> StepGradients:
    """Compute the gradients of the cell with sigmoid in place of the derivative of sigmoid."""
    d = lstm_cell_backward(step, dh, dc, w)
    with np.errstate(all="ignore"):
        gates = np.concatenate([1 - step.i, 1 - step.f, np.ones_like(step.g), 1 - step.o], axis=-1)
        da = np.where(gates > 0, d.a / gates, d.a)
    return d._replace(a=da, x=da @ w.weight_ih, h_prev=da @ w.weight_hh)


def with_epsilon(epsilon: float) -> CellBackward:
    """Make the cell that adds `epsilon` to each derivative of sigmoid."""

    def cell(step: Step, dh: Array, dc: Array, w: Weights) -> StepGradients:
        d = lstm_cell_backward(step, dh, dc, w)
        di, df, do = d.c * step.g, d.c * step.c_prev, d.h_full * step.tanh_c
        da = d.a + epsilon * np.concatenate([di, df, 0 * di, do], axis=-1)
        return d._replace(a=da, x=da @ w.weight_ih, h_prev=da @ w.weight_hh)

    return cell


def of_every_step(cell: CellBackward) -> Callable[[Trace], CellBackward]:
    """Use `cell` whatever the trace."""
    return lambda _: cell


def times(factor: float, *kinds: str) -> Callable[[str, Array], Array]:
    """Multiply the gradients of leaves whose name starts with one of `kinds` by `factor`."""
    return lambda name, array: factor * array if name.startswith(kinds) else array


def without(name: str) -> Callable[[Result], Result]:
    """Make the cotangents of the result `name` zero."""
    return lambda each: replace(each, **{name: 0 * getattr(each, name)})


EPSILONS = (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1)

BACKWARD = (
    *(
        AlteredBackward(f"that drops the gradient of {name}", cotangents=without(name))
        for name in ("c_n", "h_n", "output")
    ),
    AlteredBackward("that stops after one step", cell=stopped(("h_prev", "c_prev"))),
    AlteredBackward("that passes no gradient of c to the previous step", cell=stopped(("c_prev",))),
    AlteredBackward("that passes no gradient of h to the previous step", cell=stopped(("h_prev",))),
    AlteredBackward("that stops between layers", cell=stopped(("x",), lambda layer, _: layer > 0)),
    AlteredBackward(
        "whose reverse direction passes no gradient to its input",
        cell=stopped(("x",), lambda _, suffix: suffix.endswith("_reverse")),
    ),
    AlteredBackward(
        "that uses sigmoid in place of its derivative", cell=of_every_step(without_derivative)
    ),
    *(
        AlteredBackward(
            f"that adds {epsilon:g} to the derivative of sigmoid",
            cell=of_every_step(with_epsilon(epsilon)),
        )
        for epsilon in EPSILONS
    ),
    *(
        AlteredBackward(f"that gives {' and '.join(kinds)} {what}", gradients=times(factor, *kinds))
        for factor, what in ((0, "no gradient"), (2, "twice the gradient"))
        for kinds in (
            ("bias_ih",),
            ("bias_hh",),
            ("bias_ih", "bias_hh"),
            ("h_0",),
            ("c_0",),
            ("h_0", "c_0"),
            ("input",),
            ("weight_ih",),
            ("weight_hh",),
            ("weight_hr",),
        )
    ),
)
"""Every hypothesis on gradients."""
