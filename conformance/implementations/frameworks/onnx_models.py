"""ONNX models of LSTMs: one node for each layer, with the layout of the LSTM operator's text."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from conformance.implementations.frameworks.networks import Layer, layers
from conformance.implementations.layouts import Layout
from reference import Array, Case, Result

LAYOUT = Layout(gates="iofg")
OPSETS = {"bfloat16": 22}
"""The lowest set of operators with `layout`, 14, but for a dtype that came later."""


def lstm_model(case: Case) -> Any:
    """Build a model of `case`, with the parameters as initializers.

    Layout is 0, or 1 with `batch_first`. The inputs of the model are

    - X: (T, N, input_size), or (N, T, input_size) in layout 1;
    - sequence_lens: (N,), if the case has lengths;
    - initial_h and initial_c of each layer, if the case has initial states.

    The outputs are the output, in the order of axes of X, and Y_h and Y_c of each layer.
    """
    nodes, initializers = [], []
    x, finals = "X", []
    for layer in layers(case, LAYOUT):
        n = layer.number
        for name, array in parameters(layer).items():
            initializers.append(numpy_helper.from_array(array, f"{name}_{n}"))
        states = [f"initial_h_{n}", f"initial_c_{n}"] if layer.h_0 is not None else ["", ""]
        lens = "" if case.lengths is None else "sequence_lens"
        bias = f"B_{n}" if case.configuration.bias else ""
        nodes.append(
            helper.make_node(
                "LSTM",
                [x, f"W_{n}", f"R_{n}", bias, lens, *states],
                [f"Y_{n}", f"Y_h_{n}", f"Y_c_{n}"],
                hidden_size=case.configuration.hidden_size,
                direction="bidirectional" if case.configuration.bidirectional else "forward",
                layout=int(case.configuration.batch_first),
            )
        )
        nodes += merged_directions(case, f"Y_{n}", f"X_{n + 1}")
        x = f"X_{n + 1}"
        finals += [f"Y_h_{n}", f"Y_c_{n}"]
    shape = np.array([0, 0, case.output_shape()[-1]])
    initializers.append(numpy_helper.from_array(shape, "shape"))
    graph = helper.make_graph(nodes, "lstm", *declared(case, x, finals), initializers)
    opset = helper.make_opsetid("", OPSETS.get(case.dtype.name, 14))
    return helper.make_model(graph, opset_imports=[opset], ir_version=onnx.IR_VERSION_2024_3_25)


def declared(case: Case, output: str, finals: list[str]) -> tuple[list[Any], list[Any]]:
    """Declare inputs and outputs with their shapes, which some runtimes need to know."""
    given = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
        )
        for name, array in model_inputs(case).items()
    ]
    kind, c = helper.np_dtype_to_tensor_dtype(case.dtype.numpy), case.configuration
    state = batch_first(case, np.empty((c.num_directions, case.batch_size, c.hidden_size))).shape
    shapes = {output: case.output_shape(), **dict.fromkeys(finals, state)}
    return given, [helper.make_tensor_value_info(name, kind, each) for name, each in shapes.items()]


def parameters(layer: Layer) -> dict[str, Array]:
    """Stack the parameters of a layer: W (D, 4H, input), R (D, 4H, H) and, if any, B (D, 8H)."""
    arrays = {
        "W": np.stack([stored.weight_ih for stored in layer.directions]),
        "R": np.stack([stored.weight_hh for stored in layer.directions]),
    }
    if layer.directions[0].biases:
        arrays["B"] = np.stack([np.concatenate(stored.biases) for stored in layer.directions])
    return arrays


def merged_directions(case: Case, y: str, x: str) -> list[Any]:
    """Make the nodes from `y`, (T, D, N, H) or (N, T, D, H) in layout 1, to the next input `x`."""
    order = [0, 1, 2, 3] if case.configuration.batch_first else [0, 2, 1, 3]
    return [
        helper.make_node("Transpose", [y], [f"{y}_merged"], perm=order),
        helper.make_node("Reshape", [f"{y}_merged", "shape"], [x]),
    ]


def model_inputs(case: Case) -> dict[str, Array]:
    """Give the inputs of :func:`lstm_model` by name; states are (N, D, H) in layout 1."""
    inputs = {"X": np.ascontiguousarray(case.input)}
    if case.lengths is not None:
        inputs["sequence_lens"] = case.lengths.astype(np.int32)
    for layer in layers(case, LAYOUT):
        for name, state in (("initial_h", layer.h_0), ("initial_c", layer.c_0)):
            if state is not None:
                inputs[f"{name}_{layer.number}"] = np.ascontiguousarray(batch_first(case, state))
    return inputs


def batch_first(case: Case, state: Array) -> Array:
    """Convert a layer's state (D, N, H) to the node's, which is (N, D, H) in layout 1, or back."""
    return state.swapaxes(0, 1) if case.configuration.batch_first else state


def to_result(case: Case, outputs: list[Array]) -> Result:
    """Convert the outputs of :func:`lstm_model` to a result."""
    output, *states = outputs
    h_n, c_n = ([batch_first(case, each) for each in states[start::2]] for start in (0, 1))
    return Result(output, np.concatenate(h_n), np.concatenate(c_n))
