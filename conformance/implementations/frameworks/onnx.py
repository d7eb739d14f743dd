"""ONNX: the LSTM operator in ONNX Runtime, and in the reference evaluator of ONNX itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.implementations.frameworks.onnx_models import lstm_model, model_inputs, to_result
from reference import Case, Result
from strategies import Support


class OnnxReferenceLSTM:
    """LSTM nodes in ``onnx.reference.ReferenceEvaluator``."""

    name = "onnx-reference"
    supports = Support(
        batched=(True,), projection=False, dropout=False, gradients=False, hands_on_arrays=True
    )

    def run(self, case: Case) -> Result:
        """Evaluate a model of `case`."""
        from onnx.reference import ReferenceEvaluator

        return to_result(case, ReferenceEvaluator(lstm_model(case)).run(None, model_inputs(case)))


class OnnxRuntimeLSTM:
    """LSTM nodes in ONNX Runtime on the CPU, which supports float32 and layout 0 only."""

    name = "onnxruntime"
    supports = replace(OnnxReferenceLSTM.supports, dtypes=("float32",), batch_first=(False,))

    def run(self, case: Case) -> Result:
        """Load a model of `case` and run the model once."""
        model = session(lstm_model(case).SerializeToString())
        return to_result(case, model.run(None, model_inputs(case)))


def session(model: bytes) -> Any:
    """Load a serialized model into ONNX Runtime, for one thread of the CPU."""
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return InferenceSession(model, options, providers=["CPUExecutionProvider"])
