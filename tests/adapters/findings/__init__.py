"""What was found out about each red of the shipped implementations, by framework."""

from tests.adapters.findings import (
    in_flax,
    in_keras,
    in_mlx,
    in_onnx,
    in_opacus,
    in_openvino,
    in_paddle,
    in_torch,
    in_torchrl,
    in_torchscript,
)
from tests.adapters.findings.finding import Finding

FINDINGS: tuple[Finding, ...] = (
    *in_torch.FINDINGS,
    *in_opacus.FINDINGS,
    *in_onnx.FINDINGS,
    *in_openvino.FINDINGS,
    *in_keras.FINDINGS,
    *in_flax.FINDINGS,
    *in_paddle.FINDINGS,
    *in_mlx.FINDINGS,
    *in_torchrl.FINDINGS,
    *in_torchscript.FINDINGS,
)

__all__ = ["FINDINGS", "Finding"]
