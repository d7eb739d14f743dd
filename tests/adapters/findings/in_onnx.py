"""Findings in ONNX Runtime and in the reference evaluator of ONNX."""

from tests.adapters.findings.finding import Finding

OPERATOR = "https://onnx.ai/onnx/operators/onnx__LSTM.html"

MODEL = """
import numpy as np
from onnx import TensorProto, helper


def lstm(*optional, bias=""):
    names = ["X", "W", "R", bias, *optional]
    kinds = {"sequence_lens": TensorProto.INT32}
    inputs = [
        helper.make_tensor_value_info(name, kinds.get(name, TensorProto.FLOAT), None)
        for name in filter(None, names)
    ]
    outputs = [helper.make_tensor_value_info("Y_h", TensorProto.FLOAT, None)]
    node = helper.make_node("LSTM", names, ["", "Y_h"], hidden_size=1)
    graph = helper.make_graph([node], "lstm", inputs, outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)


def ones(*shape):
    return np.ones(shape, np.float32)


weights = {"W": ones(1, 4, 1), "R": ones(1, 4, 1)}
"""
EVALUATOR = f"""{MODEL}
from onnx.reference import ReferenceEvaluator
"""
RUNTIME = f"""{MODEL}
from onnxruntime import InferenceSession


def session(model):
    return InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

"""

EXPORTED = """
import io
import logging

import torch
from onnxruntime import InferenceSession, set_default_logger_severity
from torch.export import Dim

logging.disable(logging.WARNING)
set_default_logger_severity(4)


def raised(lstm, steps, **options):
    example, file = (torch.zeros(3, 1, 1),), io.BytesIO()
    torch.onnx.export(lstm, example, file, input_names=["x"], verbose=False, **options)
    session = InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    try:
        session.run(None, {"x": torch.zeros(steps, 1, 1).numpy()})
    except Exception as error:
        return type(error).__name__

"""
EXPORTER = "https://docs.pytorch.org/docs/2.13/onnx_export.html"

IN_RUNTIME = ("onnxruntime", "torch.onnx.export-torchscript", "torch.onnx.export")

FINDINGS = (
    Finding(
        "The reference evaluator of ONNX ignores sequence_lens",
        "fault",
        ("onnx-reference",),
        "Every row is computed over all steps, whatever its length; ONNX Runtime stops each row "
        "at its end.",
        f"""{EVALUATOR}
lengths = np.array([1, 2], np.int32)
model = ReferenceEvaluator(lstm("sequence_lens"))
(final,) = model.run(None, {{"X": ones(2, 2, 1), "sequence_lens": lengths, **weights}})
print("one step gives what two give:", final[0, 0, 0] == final[0, 1, 0])
""",
        "one step gives what two give: True",
        f"{OPERATOR}, sequence_lens: the lengths of the sequences in a batch.",
        saying=("lengths=[",),
    ),
    Finding(
        "The reference evaluator of ONNX broadcasts initial states",
        "fault",
        ("onnx-reference",),
        "States of one row are taken for all rows, and a cell state of one unit for all units; "
        "ONNX Runtime refuses both.",
        f"""{EVALUATOR}
model = ReferenceEvaluator(lstm("", "initial_h", "initial_c"))
states = {{"initial_h": ones(1, 1, 1), "initial_c": ones(1, 3, 1)}}
(final,) = model.run(None, {{"X": ones(2, 3, 1), **states, **weights}})
print("three rows from the state of one:", final.shape)
""",
        "three rows from the state of one: (1, 3, 1)",
        f"{OPERATOR}, initial_h and initial_c: of shape [num_directions, batch_size, hidden_size].",
        requirements=("wrong_state_batch_is_refused", "wrong_state_features_are_refused"),
    ),
    Finding(
        "The reference evaluator of ONNX multiplies an infinite cell state by peepholes of zero",
        "declared",
        ("onnx-reference",),
        "Peepholes that are left out are computed as zeros, and zero times infinity is NaN: all "
        "results of a row with an infinite cell state are NaN. ONNX Runtime leaves them out.",
        f"""{EVALUATOR}
model = ReferenceEvaluator(lstm("", "", "initial_c"))
state = np.full((1, 1, 1), np.inf, np.float32)
(final,) = model.run(None, {{"X": ones(1, 1, 1), "initial_c": state, **weights}})
print("from an infinite cell state:", final.ravel())
""",
        "from an infinite cell state: [nan]",
        f"{OPERATOR}, P: it is assumed to be 0 if not specified; the equations multiply it by the "
        "cell state.",
        requirements=("infinity_stays_in_its_row",),
        saying=("isfinite(output)",),
    ),
    Finding(
        "ONNX Runtime ends its process on a batch without rows",
        "fault",
        IN_RUNTIME,
        "`terminate called without an active exception`, which no caller can handle.",
        f"""{RUNTIME}
session(lstm()).run(None, {{"X": ones(1, 0, 1), **weights}})
""",
        "",
        f"{OPERATOR}, X: of shape [seq_length, batch_size, input_size]; there is no least size.",
        requirements=("empty_batch_gives_empty_results",),
    ),
    Finding(
        "ONNX Runtime turns NaN into a number where there are biases",
        "fault",
        IN_RUNTIME,
        "Gates are clipped as the biases are added, by comparisons that NaN fails: a NaN in the "
        "input leaves finite results behind. Without biases it stays NaN.",
        f"""{RUNTIME}
nan = np.full((1, 1, 1), np.nan, np.float32)
(without,) = session(lstm()).run(None, {{"X": nan, **weights}})
(biased,) = session(lstm(bias="B")).run(None, {{"X": nan, "B": ones(1, 8), **weights}})
print("NaN without biases:", np.isnan(without[0, 0, 0]), "with:", np.isnan(biased[0, 0, 0]))
""",
        "NaN without biases: True with: False",
        f"{OPERATOR}, equations, and https://onnx.ai/onnx/operators/onnx__Sigmoid.html, of which "
        "NaN is the value at NaN by IEEE 754 arithmetic.",
        requirements=("nan_stays_in_its_row", "nan_in_a_parameter_reaches_the_results"),
    ),
    Finding(
        "ONNX Runtime loses the initial states where there is no step",
        "undocumented",
        IN_RUNTIME,
        "A sequence of length 0 is accepted, and the final states are zeros, not the initial ones.",
        f"""{RUNTIME}
model = session(lstm("", "initial_h", "initial_c"))
states = {{"initial_h": ones(1, 1, 1), "initial_c": ones(1, 1, 1)}}
(final,) = model.run(None, {{"X": ones(0, 1, 1), **states, **weights}})
print("after no step:", final.ravel())
""",
        "after no step: [0.]",
        f"{OPERATOR}, Y_h: the last output value of the hidden, of which there is none.",
        requirements=("empty_sequence_is_refused",),
    ),
    Finding(
        "torch.onnx.export fixes the number of steps that is to be free",
        "avoided",
        ("torch.onnx.export",),
        "The model of an LSTM takes sequences of the example's length only, though "
        "`dynamic_shapes` names that axis, and nothing says so. Rows are free.",
        f"""{EXPORTED}
steps = ({{0: Dim("steps")}},)
print("three steps:", raised(torch.nn.LSTM(1, 1), 3, dynamic_shapes=steps))
print("four steps:", raised(torch.nn.LSTM(1, 1), 4, dynamic_shapes=steps))
""",
        "three steps: None\nfour steps: InvalidArgument",
        f"{EXPORTER}, dynamic_shapes: axes that are dynamic in the exported model.",
    ),
    Finding(
        "torch.onnx.export writes an LSTM with a projection as one without",
        "avoided",
        ("torch.onnx.export",),
        "The operator of ONNX has no projection. The exporter leaves weight_hr out without a word, "
        "and ONNX Runtime refuses the model as its sizes do not fit; the exporter of TorchScript "
        "refuses to export the module.",
        f"""{EXPORTED}
print("with a projection:", raised(torch.nn.LSTM(1, 3, proj_size=2), 3))
""",
        "with a projection: Fail",
        f"{OPERATOR}: inputs X, W, R, B, sequence_lens, initial_h, initial_c and P.",
    ),
)
