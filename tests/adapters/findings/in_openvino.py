"""Findings in OpenVINO."""

from tests.adapters.findings.finding import Finding

LSTM = """
import numpy as np
import openvino as ov
from onnx import helper, numpy_helper


def lstm(x, weight_ih):
    rows, hidden = x.shape[1], weight_ih.shape[1] // 4
    inputs = [helper.make_tensor_value_info("X", 1, x.shape)]
    outputs = [helper.make_tensor_value_info("Y_h", 1, (1, rows, hidden))]
    weight_hh = np.zeros((1, 4 * hidden, hidden), np.float32)
    weights = numpy_helper.from_array(weight_ih, "W"), numpy_helper.from_array(weight_hh, "R")
    node = helper.make_node("LSTM", ["X", "W", "R"], ["", "Y_h"], hidden_size=hidden)
    graph = helper.make_graph([node], "lstm", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=10)
    core = ov.Core()
    hints = {"INFERENCE_PRECISION_HINT": "f32", "CPU_DENORMALS_OPTIMIZATION": "NO"}
    return core.compile_model(core.read_model(model.SerializeToString()), "CPU", hints)({"X": x})[0]

"""

FINDINGS = (
    Finding(
        "OpenVINO takes subnormal weights for zero",
        "fault",
        ("openvino",),
        "Weights below 2^-126 that are constants of the model become zeros, with the optimization "
        "of denormals on or off; the same weights as inputs of the model are kept.",
        f"""{LSTM}
x, weight_ih = np.full((1, 1, 1), 1e38, np.float32), np.full((1, 4, 1), 1e-39, np.float32)
print("1e38 times a weight of 1e-39 gives h =", lstm(x, weight_ih).item())
""",
        "1e38 times a weight of 1e-39 gives h = 0.0",
        "https://docs.openvino.ai/2025/openvino-workflow/running-inference/"
        "inference-devices-and-modes/cpu-device.html, denormals optimization: flushing and taking "
        "denormal numbers for zero is an option that has to be switched on.",
        requirements=("tiny_numbers_are_kept",),
    ),
    Finding(
        "OpenVINO takes an input of another number of features",
        "fault",
        ("openvino",),
        "With two rows or more, an input with one feature in place of two is read with the weights "
        "of both, and the result is a wrong number. With one row it is refused.",
        f"""{LSTM}
x, weight_ih = np.ones((2, 2, 1), np.float32), np.ones((1, 8, 2), np.float32)
print("one feature for an LSTM of two:", lstm(x, weight_ih).shape)
""",
        "one feature for an LSTM of two: (1, 2, 2)",
        "https://docs.openvino.ai/2025/documentation/openvino-ir-format/operation-sets/"
        "operation-specs/sequence/lstm-sequence-1.html, X and W: both of the same input_size.",
        requirements=("wrong_feature_size_is_refused",),
    ),
)
