"""The gradients of an LSTM, by back-propagation through time.

The chain rule is applied to the equations of :mod:`reference.cell`, last line first. The truncated
form for the cell is in Hochreiter and Schmidhuber (1997), appendix A.1. The full form, as here, is
in Graves and Schmidhuber (2005), "Framewise phoneme classification with bidirectional LSTM", and in
Graves (2012), "Supervised Sequence Labelling with Recurrent Neural Networks", section 4.6. The
gradient of the loss by a quantity has the name of the quantity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from reference.case import Array, Result
from reference.cell import Step, Weights
from reference.dtypes import wide
from reference.network import LayerTrace, Trace


class StepGradients(NamedTuple):
    """Gradients by the quantities of one step; each row is a row of the batch.

    - `h` (N, R), `c` (N, hidden_size): by the new state, along every path from the loss;
    - `h_full` (N, hidden_size): by h before the projection;
    - `a` (N, 4 * hidden_size): by the pre-activations, gates stacked i, f, g, o;
    - `x` (N, input_size): by the input, for the layer below;
    - `h_prev` (N, R), `c_prev` (N, hidden_size): by the previous state, for the step before.
    """

    h: Array
    h_full: Array
    c: Array
    a: Array
    x: Array
    h_prev: Array
    c_prev: Array


def lstm_cell_backward(step: Step, dh: Array, dc: Array, weights: Weights) -> StepGradients:
    """Compute the gradients of one step from those by its new state, `dh` and `dc`.

    `dh` is (N, R). `dc` (N, hidden_size) lacks the path through h, which is added here. Each line
    is the derivative of a line of :func:`reference.cell.lstm_cell`, from the last to the first,
    with sigmoid' = s (1 - s) and tanh' = 1 - tanh^2::

        h = W_hr h_full             dh_full = W_hr^T dh
        h_full = o tanh(c)          do = dh_full tanh(c),  dc = dc + dh_full o (1 - tanh(c)^2)
        c = f c_prev + i g          df = dc c_prev,  di = dc g,  dg = dc i,  dc_prev = dc f
        o = sigmoid(a_o)            da_o = do o (1 - o),  and so for i and f
        g = tanh(a_g)               da_g = dg (1 - g^2)
        a = W_ih x + W_hh h_prev    dx = W_ih^T da,  dh_prev = W_hh^T da
    """
    s, w = step, weights
    dh_full = dh if w.weight_hr is None else dh @ w.weight_hr
    do = dh_full * s.tanh_c
    dc = dc + dh_full * s.o * (1 - s.tanh_c**2)
    df, di, dg, dc_prev = dc * s.c_prev, dc * s.g, dc * s.i, dc * s.f
    da_i = di * s.i * (1 - s.i)
    da_f = df * s.f * (1 - s.f)
    da_g = dg * (1 - s.g**2)
    da_o = do * s.o * (1 - s.o)
    da = np.concatenate([da_i, da_f, da_g, da_o], axis=-1)
    return StepGradients(dh, dh_full, dc, da, da @ w.weight_ih, da @ w.weight_hh, dc_prev)


CellBackward = Callable[[Step, Array, Array, Weights], StepGradients]


@dataclass(frozen=True, eq=False)
class LayerGradients:
    """Gradients by the arguments of one layer in one direction.

    - `steps`: of every step, in the order of processing, and zero where a row has ended;
    - `x` (T, N, features), `h_0` (N, R), `c_0` (N, hidden_size): by the input and initial state;
    - `weights`: by the parameters.
    """

    steps: Sequence[StepGradients]
    x: Array
    h_0: Array
    c_0: Array
    weights: Weights


def masked(step: Step, running: Array) -> Step:
    """Set rows of `step` that are not `running` (N, 1), whose input is padding, to zero."""
    return step if running.all() else Step(*(np.where(running, item, 0) for item in step))


def lstm_layer_backward(
    layer: LayerTrace,
    d_output: Array,
    dh: Array,
    dc: Array,
    cell_backward: CellBackward = lstm_cell_backward,
) -> LayerGradients:
    """Compute the gradients of one layer from those by its output and its last state.

    - `d_output`: by the output, (T, N, R);
    - `dh`, `dc`: by the last state, (N, R) and (N, hidden_size).

    A row that has ended keeps its state, so that the gradient by the state passes unchanged, and
    its output is constant.
    """
    w = layer.weights
    dx = np.zeros((*d_output.shape[:2], w.weight_ih.shape[1]), d_output.dtype)
    steps, gradients = [], []
    for t, step in zip(reversed(layer.order), reversed(layer.steps), strict=True):
        running = layer.active[t][:, None]
        step = masked(step, running)
        arriving = np.where(running, dh + d_output[t], 0), np.where(running, dc, 0)
        d = cell_backward(step, *arriving, w)
        dh, dc = np.where(running, d.h_prev, dh), np.where(running, d.c_prev, dc)
        dx[t] = d.x
        steps.append(step)
        gradients.append(d)
    x, h_prev, h_full = (
        np.concatenate(items)
        for items in zip(*((s.x, s.h_prev, s.h_full) for s in steps), strict=True)
    )
    da, dh_t = np.concatenate([d.a for d in gradients]), np.concatenate([d.h for d in gradients])
    bias, weight_hr = da.sum(axis=0), None if w.weight_hr is None else dh_t.T @ h_full
    weights = Weights(da.T @ x, da.T @ h_prev, bias, bias, weight_hr)
    return LayerGradients(gradients[::-1], dx, dh, dc, weights)


def state_rows(trace: Trace, state: Array) -> Array:
    """Add the axis N to a state of an unbatched case, so that it is (D * L, N, features)."""
    return state if trace.case.batched else state[:, None]


def trace_gradients(
    trace: Trace, cotangents: Result, cell_backward: CellBackward = lstm_cell_backward
) -> list[LayerGradients]:
    """Compute every layer's gradients, in the order of ``trace.layers``; see :func:`backward`."""
    case, directions = trace.case, trace.case.configuration.num_directions
    d_output = wide(case.time_major(cotangents.output), case.dtype)
    dh_n, dc_n = (
        wide(state_rows(trace, state), case.dtype) for state in (cotangents.h_n, cotangents.c_n)
    )
    gradients: list[LayerGradients] = []
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for first in reversed(range(0, len(trace.layers), directions)):
            positions = range(first, first + directions)
            by_direction = np.split(d_output, directions, axis=-1)
            both = [
                lstm_layer_backward(trace.layers[p], d, dh_n[p], dc_n[p], cell_backward)
                for p, d in zip(positions, by_direction, strict=True)
            ]
            gradients = both + gradients
            d_output = sum((layer.x for layer in both[1:]), both[0].x)
            if trace.dropout_masks is not None and first > 0:
                d_output = d_output * wide(trace.dropout_masks[first // directions - 1], case.dtype)
    return gradients


def backward(trace: Trace, cotangents: Result) -> dict[str, Array]:
    """Compute the gradients of the sum of every result times its cotangent, by name.

    The loss is ``sum(output * cotangents.output) + sum(h_n * cotangents.h_n) +
    sum(c_n * cotangents.c_n)``; `cotangents` have the shapes of ``trace.result``. The gradients are
    by `input`, by `h_0` and `c_0` if the case has them, and by every parameter under PyTorch's
    name, in the wider type of the case's dtype and in the shapes of the case.
    """
    return by_name(trace, trace_gradients(trace, cotangents))


def by_name(trace: Trace, layers: Sequence[LayerGradients]) -> dict[str, Array]:
    """Convert gradients of `layers`, or bounds on them, to the names and shapes of the case."""
    case = trace.case
    lowest = layers[: case.configuration.num_directions]
    named = {"input": case.user_order(sum((layer.x for layer in lowest[1:]), lowest[0].x))}
    if case.h_0 is not None and case.c_0 is not None:
        h_0, c_0 = np.stack([y.h_0 for y in layers]), np.stack([y.c_0 for y in layers])
        named["h_0"], named["c_0"] = (h_0, c_0) if case.batched else (h_0[:, 0], c_0[:, 0])
    for layer, gradients in zip(trace.layers, layers, strict=True):
        for name, gradient in gradients.weights._asdict().items():
            if name + layer.suffix in case.parameters:
                named[name + layer.suffix] = gradient
    return named
