"""OpenVINO: the LSTM operator of ONNX, as OpenVINO reads and compiles it for the CPU."""

from __future__ import annotations

from dataclasses import replace

from conformance.implementations.frameworks.onnx import OnnxRuntimeLSTM
from conformance.implementations.frameworks.onnx_models import lstm_model, model_inputs, to_result
from reference import Case, Result


class OpenVinoLSTM:
    """LSTM nodes in OpenVINO on the CPU, with float32 inside, where some CPUs take bfloat16.

    OpenVINO compiles no model for a batch without rows.
    """

    name = "openvino"
    supports = replace(OnnxRuntimeLSTM.supports, empty_batch=False)

    def run(self, case: Case) -> Result:
        """Read a model of `case`, compile it, and infer once."""
        import openvino as ov

        core = ov.Core()
        model = core.read_model(lstm_model(case).SerializeToString())
        hints = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
        compiled = core.compile_model(model, "CPU", hints)
        return to_result(case, list(compiled(model_inputs(case)).to_tuple()))
