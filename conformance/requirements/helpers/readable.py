"""Networks from whose results the masks of dropout can be read.

Each unit of a layer above the first reads one feature of the layer below, and remembers nothing:
its forget gate is shut. So the results tell of each step, row and feature which layer was the
highest whose output was dropped there. What that hides, the masks of the layers below, changes no
result, and no gradient but those of weights that are zero, in the layers between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reference import Array, Case, trace

OPEN, SHUT = 3.0, -800.0
"""Pre-activations of an open gate, which still has a slope, and of a shut one, which is zero."""
READING = {
    2: ((-1.2, 4.0),),
    3: ((-1.2, 4.0), (0.0, 4.0)),
    4: ((-1.2, 4.0), (-0.3, 3.0), (0.4, 2.0)),
}
"""Of the candidate in each layer above the first, by the number of layers: the bias, and the weight
with which it reads its feature, for a p of 0. So what is dropped where shows in every dtype."""
LAYERS = max(READING)
"""The largest number of layers whose masks can be told apart."""


@dataclass(frozen=True, eq=False)
class Readable:
    """A `case` whose results show what was dropped.

    `outputs` (layers, T, N, D * R) has the output that results if nothing is dropped, and then for
    each gap between layers the output if all is dropped there; `states` (layers, D * L, N, R) has
    the same of h_n. T and N can be 1 where all steps and rows are alike.
    """

    case: Case
    outputs: Array
    states: Array

    def highest(self, output: Array) -> Array:
        """Find the highest gap that dropped each element of `output` (T, N, D * R), 0 for none.

        Gaps are counted from 1. Beyond the length of a row it is the number of layers.
        """
        found = np.abs(output.astype(np.float64) - self.outputs).argmin(0)
        ended = ~self.case.valid_steps()[..., None]
        return np.where(ended, self.case.configuration.num_layers, found)

    def halfway(self) -> float:
        """Half the distance between the two outputs that are nearest to each other."""
        return float(np.diff(np.sort(self.outputs[:, 0, 0, 0])).min()) / 2

    def masks(self, output: Array, h_n: Array) -> list[Array]:
        """Read the mask (T, N, D * R) of each gap: 0 where dropped, 1 / (1 - p) elsewhere.

        The states `h_n` (D * L, N, R) show what happened at the last step of each layer and row
        even where nothing of it arrives at the output.
        """
        configuration, scale = self.case.configuration, 1 / (1 - self.case.configuration.dropout)
        directions, size = configuration.num_directions, configuration.output_size
        highest = self.highest(output)
        rows, lengths = np.arange(self.case.batch_size), self.case.valid_steps().sum(axis=0)
        masks = []
        for gap in range(1, configuration.num_layers):
            mask = np.where(highest == gap, 0, scale)
            for direction in range(directions):
                slot = gap * directions + direction
                distance = np.abs(h_n[slot].astype(np.float64) - self.states[: gap + 1, slot])
                last = np.where(distance.argmin(0) == gap, 0, scale)
                step = np.zeros_like(lengths) if direction else lengths - 1
                mask[step, rows, direction * size : (direction + 1) * size] = last
            masks.append(mask)
        return masks

    def unseen(self) -> dict[str, Array]:
        """Find the weights of zero by whose gradients masks act which no result shows, as bool.

        They are those of the layers between the lowest and the highest, and in the highest the
        weights from the other direction.
        """
        configuration, found = self.case.configuration, {}
        size, top = configuration.output_size, configuration.num_layers - 1
        for position, suffix in enumerate(configuration.suffixes()):
            layer, direction = divmod(position, configuration.num_directions)
            for name, array in self.case.parameters.items():
                if not layer or not name.startswith("weight") or not name.endswith(suffix):
                    continue
                unseen = array == 0
                if layer == top:
                    read = slice(direction * size, (direction + 1) * size)
                    unseen[:, read if name.startswith("weight_ih") else slice(None)] = False
                found[name] = unseen
        return found


def readable(case: Case) -> Readable:
    """Change `case` so that its results show what was dropped; it has biases, and p as dropout.

    The lowest layer keeps its weights, input and states, but so small that its output keeps away
    from zero.
    """
    parameters, configuration = _parameters(case, forget=-OPEN), case.configuration
    h_0, c_0 = (None if state is None else _below(state, 1) for state in (case.h_0, case.c_0))
    entries = max(float(np.abs(case.input).max(initial=0)), 1.0)
    for suffix in configuration.suffixes()[: configuration.num_directions]:
        for name, factor in ((f"weight_ih{suffix}", entries), (f"weight_hh{suffix}", 1.0)):
            weight = case.parameters[name]
            sums = np.abs(weight.astype(np.float64)).sum(axis=1).max()
            parameters[name] = _below(weight, 4 * factor * float(sums))
    return _shown(replace(case, parameters=parameters, h_0=h_0, c_0=c_0))


def uniform(case: Case, steps: int, rows: int, size: int, crossed: bool = False) -> Readable:
    """Make a network of T, N and R of these sizes in which steps, rows and features are alike.

    All else is as in `case`: options, p, dtype, device, and whether rows have different lengths, of
    which all but one are 1 unless it has two steps. If `crossed`, both directions read
    the forward direction of the layer below.
    """
    one = _of_zeros(case, size)
    parameters = _parameters(one, forget=SHUT, signs=(1, 1), crossed=crossed)
    shown = _shown(replace(one, parameters=parameters))
    batch_first = case.configuration.batch_first
    shape = (rows, steps, 1) if batch_first else (steps, rows, 1)
    lengths = None if case.lengths is None else steps - np.arange(rows) * 5 % (steps // 2)
    if lengths is not None and case.seq_len != 2:
        lengths[1:] = 1
    x = np.zeros(shape, case.dtype.numpy)
    return replace(shown, case=replace(shown.case, input=x, lengths=lengths))


def passing(case: Case, layers: int, bias: bool, sizes: tuple[int, int, int]) -> Case:
    """Make a network of so many `layers` that hands on what no gap dropped, and else puts out zero.

    T, N and R are the `sizes`. Without a batch all rows follow each other. Without `bias`, which
    shuts the forget gates, there is one step. All else is as in `case`.
    """
    steps, rows, size = sizes
    network = _of_zeros(case, size, num_layers=layers, bias=bias)
    configuration, kept = network.configuration, 1 - case.configuration.dropout
    hidden, units = configuration.hidden_size, np.arange(configuration.hidden_size)
    for position, suffix in enumerate(configuration.suffixes()):
        layer, direction = divmod(position, configuration.num_directions)
        weight = network.parameters[f"weight_ih{suffix}"].reshape(4, hidden, -1)
        reads = direction * size + units % size if layer else 0 * units
        for gate in (0, 2, 3):
            weight[gate][units, reads] = 4 * kept if layer else 4
        if configuration.bias:
            network.parameters[f"bias_ih{suffix}"][hidden : 2 * hidden] = SHUT
        if configuration.proj_size:
            network.parameters[f"weight_hr{suffix}"][:] = np.eye(size, hidden)
    if not case.batched:
        steps, rows = steps * rows, 1
    x = np.ones((steps if configuration.bias else 1, rows, 1), case.dtype.numpy)
    return replace(network, input=_in_order(case, x))


def _in_order(case: Case, x: Array) -> Array:
    """Put (T, N, 1) into the order of `case`: batch first, or without a batch."""
    if not case.batched:
        return x[:, 0]
    return x.swapaxes(0, 1) if case.configuration.batch_first else x


def _of_zeros(case: Case, size: int, **options: Any) -> Case:
    """Make one step, all zeros, of a network of `size` output features, and one input feature."""
    projected = bool(case.configuration.proj_size)
    configuration = replace(
        case.configuration,
        input_size=1,
        hidden_size=size + projected,
        proj_size=size * projected,
        **options,
    )
    shapes, dtype = configuration.parameter_shapes(), case.dtype.numpy
    parameters = {name: np.zeros(shape, dtype) for name, shape in shapes.items()}
    return Case(configuration, parameters, np.zeros((1, 1, 1), dtype), device=case.device)


def _below(array: Array, largest: float) -> Array:
    """Divide by a power of two such that `largest`, or a larger element, becomes at most 1."""
    exponent = np.ceil(np.log2(max(float(np.abs(array).max(initial=0)), largest, 1.0)))
    divided: Array = (array.astype(np.float64) / 2**exponent).astype(array.dtype)
    return divided


def _parameters(
    case: Case, forget: float, signs: tuple[int, int] = (1, -1), crossed: bool = False
) -> dict[str, Array]:
    """Make the parameters: `forget` is the bias of the lowest forget gate, `signs` those of units.

    Each direction reads itself in the layer below or, if `crossed`, the forward direction.

    A p near 1 makes survivors large, and the weights that read them as much smaller.
    """
    configuration = case.configuration
    hidden, size = configuration.hidden_size, configuration.output_size
    units, kept = np.arange(hidden), 1 - configuration.dropout
    shapes = configuration.parameter_shapes()
    parameters = {name: np.zeros(shape, case.dtype.numpy) for name, shape in shapes.items()}
    for position, suffix in enumerate(configuration.suffixes()):
        layer, direction = divmod(position, configuration.num_directions)
        candidate, reading = ((1.5, 0.0), *READING[configuration.num_layers])[layer]
        bias = parameters[f"bias_ih{suffix}"].reshape(4, hidden)
        bias[0] = bias[3] = OPEN
        bias[1] = SHUT if layer else forget
        bias[2] = candidate * np.take(signs, units % 2)
        if layer:
            weight = parameters[f"weight_ih{suffix}"].reshape(4, hidden, -1)
            reads = units, (0 if crossed else direction) * size + units % size
            weight[2][reads] = reading * kept
            weight[0][reads] = weight[3][reads] = reading * kept / 8
        if configuration.proj_size:
            parameters[f"weight_hr{suffix}"][:] = np.eye(size, hidden)
    return parameters


def _shown(case: Case) -> Readable:
    """Evaluate the reference with nothing dropped, and with all dropped in each gap."""
    configuration = case.configuration
    features = configuration.num_directions * configuration.output_size
    shape, scale = (case.seq_len, case.batch_size, features), 1 / (1 - configuration.dropout)
    gaps = range(1, configuration.num_layers)
    ways = [[np.full(shape, scale * (gap != way)) for gap in gaps] for way in (0, *gaps)]
    results = [trace(case, masks).result for masks in ways]
    states = [each.h_n if case.batched else each.h_n[:, None] for each in results]
    outputs = [case.time_major(each.output) for each in results]
    return Readable(case, np.stack(outputs), np.stack(states))
