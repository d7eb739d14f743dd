"""One step of one layer and direction as a separate LSTM, and which of its gates can be wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conformance.checking.comparison import number
from conformance.checking.truth import Truth, truth
from conformance.diagnosis.parting import wrong
from conformance.diagnosis.recording import Recording
from reference import Array, Case, LayerTrace, Result, Step, trace

SLACK = 1e-6
"""By how much rounding may put a gate that was solved for outside [0, 1]."""


def step_alone(case: Case, layer: LayerTrace, nth: int) -> Case:
    """Make a case of the `nth` step of `layer`, with its true input and states, rounded."""
    step = layer.steps[nth]
    configuration = replace(
        case.configuration, num_layers=1, bidirectional=False, input_size=step.x.shape[-1]
    )

    def stored(array: Array) -> Array:
        with np.errstate(over="ignore"):
            return array.astype(case.dtype.numpy)

    def state(array: Array) -> Array:
        return stored(array[None] if case.batched else array)

    return Case(
        configuration,
        {
            name: case.parameters[name.removesuffix("_l0") + layer.suffix]
            for name in configuration.parameter_shapes()
        },
        stored(case.user_order(step.x[None])),
        state(step.h_prev),
        state(step.c_prev),
        device=case.device,
    )


def wrong_gates(recording: Recording, case: Case, got: Result, known: Truth) -> str:
    """Describe what the wrong results of `case`, one step of one layer, say about the gates.

    Returns "" if h is right, as the returned c then need not be that of the cell, if c is not
    returned, or if the true c is not finite.
    """
    if "c_n" not in recording.supports.results:
        return ""
    step, off = trace(case).layers[0].steps[0], wrong(got, known)
    h = got.output.astype(np.float64).reshape(step.h.shape)
    c = got.c_n.astype(np.float64).reshape(step.c.shape)
    bad_h, bad_c = off["output"].reshape(h.shape), off["c_n"].reshape(c.shape)
    if not (bad_h.any() and np.isfinite(step.c).all()):
        return ""
    with np.errstate(all="ignore"):
        if bad_c.any():
            bound = known.bound.output.reshape(h.shape)
            projected = bool(case.configuration.proj_size)
            distance = np.inf if projected else np.abs(h - step.o * np.tanh(c))
            follows = ", and h is o * tanh(c) of that c" if (distance <= 2 * bound).all() else ""
            return f"c is wrong: {_wrong_c(recording, case, step, c, bad_c, known)}{follows}"
        if case.configuration.proj_size:
            return (
                "c is right and h is wrong, so the output gate, tanh(c) or the projection is wrong"
            )
        solved = _solved(h, {"o": h / step.tanh_c, "tanh(c)": h / step.o}, step, bad_h)
        return f"c is right and h is wrong: {solved} would explain h"


def _wrong_c(
    recording: Recording, case: Case, step: Step, c: Array, bad: Array, known: Truth
) -> str:
    """Describe f and i * g in c = f * c_0 + i * g, where c is wrong.

    If the case has initial states, the step is run with c_0 = 0, which gives c = i * g, and with
    c_0 = 1, which adds f. Else the equation is solved for one quantity at a time.
    """
    added, kept = step.i * step.g, step.f * step.c_prev
    at_zero, at_one = (_with_c_0(recording, case, value, c.shape) for value in (0, 1))
    if at_zero is None or at_one is None:
        forms = {"f": (c - added) / step.c_prev, "i": (c - kept) / step.g, "g": (c - kept) / step.i}
        return f"{_solved(c, forms, step, bad)} would explain c"
    (without, error), (with_one, other) = at_zero, at_one
    f, error_f = with_one - without, error + other
    allowed = known.bound.c_n.reshape(c.shape) + error + np.abs(step.c_prev) * error_f
    if not (np.abs(f * step.c_prev + without - c) <= allowed).all():
        return "c is not f * c_0 + i * g with the f and i * g that other values of c_0 give"
    parts = []
    for name, seen, true, within in (
        ("f", f, step.f, error_f),
        ("i * g", without, added, error),
    ):
        off = ~(np.abs(seen - true) <= within)
        if not off.any():
            parts.append(f"{name} is right")
            continue
        row, feature = np.argwhere(off)[0]
        parts.append(f"{name} is {_instead(seen[row, feature], true[row, feature])}")
        if name != "f":
            forms = {"i": without / step.g, "g": without / step.i}
            parts[-1] += f", as with {_solved(without, forms, step, off)}"
    return " and ".join(parts)


def _with_c_0(
    recording: Recording, case: Case, value: float, shape: tuple[int, ...]
) -> tuple[Array, Array] | None:
    """Run the case with `value` for c_0; returns c and the bound on c, None without a result."""
    if case.c_0 is None:
        return None
    changed = replace(case, c_0=np.full_like(case.c_0, value))
    answer = recording.answer(changed)
    if answer is None or answer.c_n.shape != case.c_0.shape:
        return None
    bound = np.asarray(truth(changed, recording.implementation).bound.c_n, np.float64)
    return answer.c_n.astype(np.float64).reshape(shape), bound.reshape(shape)


def _solved(got: Array, forms: dict[str, Array], step: Step, bad: Array) -> str:
    """List quantities that alone can explain all `bad` elements, with their values in the first.

    `forms` has the equation solved for each quantity. A quantity is excluded if a bad element has
    no finite solution, or one outside [0, 1] for the gates i, f and o.
    """
    row, feature = np.argwhere(bad)[0]
    if not np.isfinite(got[row, feature]):
        return number(got[row, feature])
    possible_values = []
    for name, values in forms.items():
        possible = np.isfinite(values)
        if name in "ifo":
            possible &= (values >= -SLACK) & (values <= 1 + SLACK)
        if possible[bad].all():
            true = step.tanh_c if name == "tanh(c)" else getattr(step, name)
            possible_values.append(f"{name} = {_instead(values[row, feature], true[row, feature])}")
    return " or ".join(possible_values) or f"no possible {' or '.join(forms)} alone"


def _instead(value: float, true: float) -> str:
    digits = 6 if f"{value:.6g}" != f"{true:.6g}" else 17
    return f"{value + 0.0:.{digits}g} instead of {true + 0.0:.{digits}g}"
