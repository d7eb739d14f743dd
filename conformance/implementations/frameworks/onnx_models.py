"""ONNX models of LSTMs: one LSTM node for each layer, as the operator's text lays it out."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from conformance.implementations.frameworks.networks import Layer, layers
from conformance.implementations.layouts import Layout
from reference import Array, Case, Result

LAYOUT = Layout(gates="iofg")
OPSET = 22


def lstm_model(case: Case) -> Any:
    """The network of `case` with its parameters as initializers.

    Inputs are X (T, N, input_size), with `batch_first` (N, T, input_size) and layout 1; if the
    case has them sequence_lens (N,), and initial_h and initial_c of each layer. Outputs are Y like
    X, and Y_h and Y_c of each layer.
    """
    kind = helper.np_dtype_to_tensor_dtype(case.dtype.numpy)
    nodes, initializers, inputs = [], [], [helper.make_tensor_value_info("X", kind, None)]
    if case.lengths is not None:
        inputs.append(helper.make_tensor_value_info("sequence_lens", onnx.TensorProto.INT32, None))
    x, outputs = "X", []
    for layer in layers(case, LAYOUT):
        n = layer.number
        for name, array in parameters(layer).items():
            initializers.append(numpy_helper.from_array(array, f"{name}_{n}"))
        states = [f"initial_h_{n}", f"initial_c_{n}"] if layer.h_0 is not None else ["", ""]
        inputs += [helper.make_tensor_value_info(name, kind, None) for name in states if name]
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
        outputs += [f"Y_h_{n}", f"Y_c_{n}"]
    shape = np.array([0, 0, case.output_shape()[-1]])
    initializers.append(numpy_helper.from_array(shape, "shape"))
    infos = [helper.make_tensor_value_info(name, kind, None) for name in (x, *outputs)]
    graph = helper.make_graph(nodes, "lstm", inputs, infos, initializers)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=onnx.IR_VERSION_2024_3_25
    )


def parameters(layer: Layer) -> dict[str, Array]:
    """W (D, 4H, input), R (D, 4H, H) and, with biases, B (D, 8H) of one layer."""
    arrays = {
        "W": np.stack([stored.weight_ih for stored in layer.directions]),
        "R": np.stack([stored.weight_hh for stored in layer.directions]),
    }
    if layer.directions[0].biases:
        arrays["B"] = np.stack([np.concatenate(stored.biases) for stored in layer.directions])
    return arrays


def merged_directions(case: Case, y: str, x: str) -> list[Any]:
    """Nodes from `y`, (T, D, N, H) or in layout 1 (N, T, D, H), to the next layer's input `x`."""
    order = [0, 1, 2, 3] if case.configuration.batch_first else [0, 2, 1, 3]
    return [
        helper.make_node("Transpose", [y], [f"{y}_merged"], perm=order),
        helper.make_node("Reshape", [f"{y}_merged", "shape"], [x]),
    ]


def model_inputs(case: Case) -> dict[str, Array]:
    """The inputs of :func:`lstm_model` by name; states are (N, D, H) in layout 1."""
    inputs = {"X": np.ascontiguousarray(case.input)}
    if case.lengths is not None:
        inputs["sequence_lens"] = case.lengths.astype(np.int32)
    for layer in layers(case, LAYOUT):
        for name, state in (("initial_h", layer.h_0), ("initial_c", layer.c_0)):
            if state is not None:
                inputs[f"{name}_{layer.number}"] = np.ascontiguousarray(batch_first(case, state))
    return inputs


def batch_first(case: Case, state: Array) -> Array:
    """A layer's states (D, N, H) as the node has them, and back: (N, D, H) in layout 1."""
    return state.swapaxes(0, 1) if case.configuration.batch_first else state


def to_result(case: Case, outputs: list[Array]) -> Result:
    """The outputs of :func:`lstm_model` as a result."""
    output, *states = outputs
    h_n, c_n = ([batch_first(case, each) for each in states[start::2]] for start in (0, 1))
    return Result(output, np.concatenate(h_n), np.concatenate(c_n))
