"""The manual network: cells in a loop over time, then layers, then both directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference.case import Array, Case, Result
from reference.cell import Step, Weights, lstm_cell
from reference.dtypes import DType, wide

Cell = Callable[[Array, Array, Array, Weights], Step]


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """One layer in one direction over time.

    - `suffix`: the end of the layer's parameter names, such as ``_l1_reverse``;
    - `weights`: the parameters;
    - `order`: the time steps in the order of processing, descending in the reverse direction;
    - `steps`: the quantities of each step, in the order of processing;
    - `active`: (T, N), True where a row has not ended yet;
    - `output`: (T, N, R) by time step, zero where a row has ended;
    - `h_n`, `c_n`: (N, R) and (N, hidden_size), the state after each row's last processed step.
    """

    suffix: str
    weights: Weights
    order: Sequence[int]
    steps: Sequence[Step]
    active: Array
    output: Array
    h_n: Array
    c_n: Array


@dataclass(frozen=True, eq=False)
class Trace:
    """Every quantity in the computation of one case.

    - `layers`: layer-major: layer 0 forward, layer 0 reverse, layer 1 forward ...;
    - `dropout_masks`: the masks that were applied, or None;
    - `result`: the result, in the wider type of the case's dtype.
    """

    case: Case
    layers: Sequence[LayerTrace]
    dropout_masks: Sequence[Array] | None
    result: Result


def cell_weights(case: Case, suffix: str, kind: np.dtype[Any] | None = None) -> Weights:
    """Convert the parameters with this suffix, such as ``_l1_reverse``, to the type `kind`.

    That is by default the wider type of the case's dtype.
    """
    kind = case.dtype.wide if kind is None else kind
    zeros = np.zeros(4 * case.configuration.hidden_size, kind)
    named = (case.parameters.get(name + suffix) for name in Weights._fields)
    w = Weights._make(None if each is None else each.astype(kind) for each in named)
    return w if case.configuration.bias else w._replace(bias_ih=zeros, bias_hh=zeros)


def lstm_layer(
    x: Array,
    h: Array,
    c: Array,
    weights: Weights,
    active: Array,
    suffix: str = "_l0",
    cell: Cell = lstm_cell,
) -> LayerTrace:
    """Run one `cell` over `x` (T, N, features) from the state `h` (N, R), `c` (N, hidden_size).

    If `suffix` ends in ``_reverse``, the layer runs from the last step to the first. Where `active`
    (T, N) is False, the row has ended: it keeps its state, and its output is zero.
    """
    order = range(len(x))[:: -1 if suffix.endswith("_reverse") else 1]
    output = np.zeros((*x.shape[:2], h.shape[-1]), x.dtype)
    steps = []
    for t in order:
        step = cell(x[t], h, c, weights)
        running = active[t][:, None]
        h = np.where(running, step.h, h)
        c = np.where(running, step.c, c)
        output[t] = np.where(running, step.h, 0)
        steps.append(step)
    return LayerTrace(suffix, weights, order, steps, active, output, h, c)


def trace(case: Case, dropout_masks: Sequence[Array] | None = None) -> Trace:
    """Compute `case` and keep every intermediate quantity.

    The input of layer l + 1 is the output of layer l, both directions side by side, times
    ``dropout_masks[l]`` if masks are given. A mask (T, N, D * R) is 0 where a value is dropped, and
    1 / (1 - p) elsewhere. Raises :class:`ValueError` for a wrong number or shape of masks.
    """
    configuration, dtype = case.configuration, case.dtype
    between = configuration.num_layers - 1
    if dropout_masks is not None and len(dropout_masks) != between:
        raise ValueError(f"{between} dropout masks are needed, got {len(dropout_masks)}")
    features = configuration.num_directions * configuration.output_size
    masked = (case.seq_len, case.batch_size, features)
    if any(mask.shape != masked for mask in dropout_masks or ()):
        raise ValueError(f"dropout masks must have shape {masked}")
    x = wide(case.time_major(case.input), dtype)
    h_0, c_0 = (wide(state, dtype) for state in case.initial_states())
    active = case.valid_steps()
    layers: list[LayerTrace] = []
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for position, suffix in enumerate(configuration.suffixes()):
            weights = cell_weights(case, suffix)
            layers.append(lstm_layer(x, h_0[position], c_0[position], weights, active, suffix))
            if (position + 1) % configuration.num_directions == 0:
                both = layers[-configuration.num_directions :]
                x = np.concatenate([layer.output for layer in both], axis=-1)
                layer = position // configuration.num_directions
                if dropout_masks is not None and layer < between:
                    x = x * wide(dropout_masks[layer], dtype)
    h_n, c_n = [layer.h_n for layer in layers], [layer.c_n for layer in layers]
    return Trace(case, layers, dropout_masks, assemble(case, x, h_n, c_n))


def assemble(case: Case, output: Array, h_n: Sequence[Array], c_n: Sequence[Array]) -> Result:
    """Make a result of the top layer's `output` (T, N, D * R) and the last states of all layers."""
    hidden, cell = np.stack(h_n), np.stack(c_n)
    if not case.batched:
        hidden, cell = hidden[:, 0], cell[:, 0]
    return Result(case.user_order(output), hidden, cell)


def lstm(case: Case, dropout_masks: Sequence[Array] | None = None) -> Result:
    """Compute the true result of `case`, in the wider type of its dtype; see :func:`trace`.

    >>> from reference import Case, Configuration
    >>> configuration = Configuration(input_size=1, hidden_size=1)
    >>> shapes = configuration.parameter_shapes()
    >>> parameters = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    >>> ones = np.ones((1, 1, 1), np.float32)
    >>> case = Case(configuration, parameters, np.ones((2, 1, 1), np.float32), h_0=ones, c_0=ones)
    >>> lstm(case).c_n
    array([[[0.25]]])
    """
    return trace(case, dropout_masks).result


def rounded(result: Result, dtype: DType) -> Result:
    """Round every element of `result` to `dtype`."""
    with np.errstate(over="ignore"):
        return Result.of(array.astype(dtype.numpy) for _, array in result.items())
