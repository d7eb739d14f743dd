"""One step of one layer and direction by itself, and which of its gates can be wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conformance.comparison import Truth, number
from conformance.diagnosis.parting import wrong
from reference import Array, Case, LayerTrace, Result, Step

SLACK = 1e-6
"""By how much a gate may seem to be outside [0, 1], having been solved for."""


def step_alone(case: Case, layer: LayerTrace, nth: int) -> Case:
    """The `nth` step that `layer` processes as a case: its true input and states, rounded."""
    step = layer.steps[nth]
    configuration = replace(
        case.configuration, num_layers=1, bidirectional=False, input_size=step.x.shape[-1]
    )

    def state(array: Array) -> Array:
        return (array[None] if case.batched else array).astype(case.dtype.numpy)

    return Case(
        configuration,
        {
            name: case.parameters[name.removesuffix("_l0") + layer.suffix]
            for name in configuration.parameter_shapes()
        },
        case.user_order(step.x[None]).astype(case.dtype.numpy),
        state(step.h_prev),
        state(step.c_prev),
        device=case.device,
    )


def gates_told(case: Case, got: Result, known: Truth, step: Step) -> str:
    """What follows for the gates from the results of `case`, which is one `step` of one layer.

    Nothing, "", if h is right, as then what is returned for c need not be the cell's, or if c
    should not be finite. Each of
    c = f * c_0 + i * g and h = o * tanh(c) is solved for one quantity at a time, the others being
    true. Where that has no solution in one of the elements that are wrong, or gives i, f or o
    outside [0, 1], it cannot be this quantity alone that is wrong.
    """
    off = wrong(got, known)
    h = got.output.astype(np.float64).reshape(step.h.shape)
    c = got.c_n.astype(np.float64).reshape(step.c.shape)
    bad_h, bad_c = off["output"].reshape(h.shape), off["c_n"].reshape(c.shape)
    projected = bool(case.configuration.proj_size)
    if not (bad_h.any() and np.isfinite(step.c).all()):
        return ""
    with np.errstate(all="ignore"):
        if bad_c.any():
            added, kept = step.i * step.g, step.f * step.c_prev
            implied = {
                "f": (c - added) / step.c_prev,
                "i": (c - kept) / step.g,
                "g": (c - kept) / step.i,
            }
            distance = np.abs(h - step.o * np.tanh(c)) if not projected else np.inf
            bound = known.bound.output.reshape(h.shape)
            follows = ", and h = o * tanh(c) follows" if (distance <= 2 * bound).all() else ""
            return f"c is wrong{follows}: {_possible(c, implied, step, bad_c)}"
        if projected:
            return "c is right and h is not: the output gate, tanh(c) or the projection"
        implied = {"o": h / step.tanh_c, "tanh(c)": h / step.o}
        return f"c is right and h is not: {_possible(h, implied, step, bad_h)}"


def _possible(got: Array, implied: dict[str, Array], step: Step, bad: Array) -> str:
    """Which single quantities can give all the wrong elements, with what they would be in one."""
    row, feature = (int(at) for at in np.argwhere(bad)[0])
    if not np.isfinite(got[row, feature]):
        return f"it is {number(got[row, feature])}"
    true = {**step._asdict(), "tanh(c)": step.tanh_c}
    told = []
    for name, values in implied.items():
        possible = np.isfinite(values)
        if name in "ifo":
            possible &= (values >= -SLACK) & (values <= 1 + SLACK)
        if possible[bad].all():
            solved, should_be = values[row, feature] + 0.0, true[name][row, feature]
            digits = 6 if f"{solved:.6g}" != f"{should_be:.6g}" else 17
            told.append(f"{name} = {solved:.{digits}g} instead of {should_be:.{digits}g}")
    if not told:
        return f"no possible value of {' or '.join(implied)} alone would give it"
    return f"{', or '.join(told)} would give it"
