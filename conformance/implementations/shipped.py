"""The implementations known by name, and what each needs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shipped:
    """An implementation known by name.

    - `text`: what it is, in words;
    - `place`: its class, as ``module:Class``;
    - `extra`: the extra of this project that installs what the class needs;
    - `needs`: the modules of other projects that the class imports;
    - `strict`: whether it must also meet what an LSTM only should, being PyTorch's own.
    """

    text: str
    place: str
    extra: str = ""
    needs: tuple[str, ...] = ()
    strict: bool = False


def _adapter(text: str, place: str, extra: str = "", *needs: str) -> Shipped:
    return Shipped(text, f"conformance.implementations.frameworks.{place}", extra, needs)


SHIPPED = {
    "torch.nn.LSTM": Shipped("PyTorch's multi-layer LSTM", "torch.nn:LSTM", strict=True),
    "torch.nn.LSTM-without-cudnn": Shipped(
        "the same by PyTorch's own kernels, with cuDNN switched off",
        "conformance.implementations.pytorch.without_cudnn:LSTMWithoutCuDNN",
        strict=True,
    ),
    "torch.nn.LSTMCell": Shipped(
        "PyTorch's LSTM cell, looped over time", "torch.nn:LSTMCell", strict=True
    ),
    "stacked-cells": Shipped(
        "a multi-layer LSTM stacked by hand from torch.nn.LSTMCell",
        "conformance.implementations.stacked:StackedLSTMCells",
        strict=True,
    ),
    "torch.compile": _adapter("torch.nn.LSTM compiled", "torch_ways:CompiledLSTM"),
    "torch.export": _adapter("torch.nn.LSTM exported", "torch_ways:ExportedLSTM"),
    "torch.jit.script": _adapter("torch.nn.LSTM in TorchScript", "torch_ways:ScriptedLSTM"),
    "torch.jit.trace": _adapter("torch.nn.LSTM traced", "torch_ways:TracedLSTM"),
    "torch.func.functional_call": _adapter(
        "torch.nn.LSTM with parameters given to the call", "torch_ways:FunctionalLSTM"
    ),
    "torch.ao.nn.quantizable.LSTM": Shipped(
        "PyTorch's LSTM made for quantization, not quantized", "torch.ao.nn.quantizable:LSTM"
    ),
    "torch.ao.nn.quantizable.LSTM-forward": _adapter(
        "the same, in one direction", "torch_ways:QuantizableForwardLSTM"
    ),
    "torch.ao.quantization.quantize_dynamic": _adapter(
        "torch.nn.LSTM quantized to int8 by its declaration", "torch_ways:QuantizedLSTM"
    ),
    "opacus": Shipped("Opacus' DPLSTM", "opacus.layers:DPLSTM", "opacus", ("opacus",)),
    "onnxruntime": _adapter(
        "the ONNX operator in ONNX Runtime", "onnx:OnnxRuntimeLSTM", "onnx", "onnx", "onnxruntime"
    ),
    "onnx-reference": _adapter(
        "the ONNX operator in ONNX's evaluator", "onnx:OnnxReferenceLSTM", "onnx", "onnx"
    ),
    "openvino": _adapter(
        "the ONNX operator in OpenVINO", "openvino:OpenVinoLSTM", "openvino", "onnx", "openvino"
    ),
    "torch.onnx.export": _adapter(
        "torch.nn.LSTM exported to ONNX, in ONNX Runtime",
        "onnx_exports:ExportedToOnnx",
        "onnx",
        *("onnx", "onnxruntime", "onnxscript"),
    ),
    "torch.onnx.export-torchscript": _adapter(
        "the same by the exporter of TorchScript",
        "onnx_exports:ScriptedToOnnx",
        "onnx",
        *("onnx", "onnxruntime"),
    ),
    "keras-torch": _adapter(
        "Keras' LSTM layer on PyTorch", "keras:KerasLSTM", "keras-torch", "keras"
    ),
    "keras-torch-cell": _adapter(
        "Keras' LSTM cell in its RNN on PyTorch", "keras:KerasCells", "keras-torch", "keras"
    ),
    "keras-jax": _adapter(
        "Keras' LSTM layer on JAX", "keras:KerasJaxLSTM", "keras-jax", "keras", "jax"
    ),
    "keras-jax-cell": _adapter(
        "Keras' LSTM cell in its RNN on JAX", "keras:KerasJaxCells", "keras-jax", "keras", "jax"
    ),
    "flax-linen": _adapter("Flax' linen.LSTMCell in its RNN", "flax:LinenLSTM", "flax", "flax"),
    "flax-linen-optimized": _adapter(
        "Flax' linen.OptimizedLSTMCell in its RNN", "flax:LinenOptimizedLSTM", "flax", "flax"
    ),
    "flax-nnx": _adapter("Flax' nnx.LSTMCell in its RNN", "flax:NnxLSTM", "flax", "flax"),
    "flax-nnx-optimized": _adapter(
        "Flax' nnx.OptimizedLSTMCell in its RNN", "flax:NnxOptimizedLSTM", "flax", "flax"
    ),
    "equinox": _adapter(
        "Equinox' LSTMCell in a scan", "equinox:EquinoxLSTM", "equinox", "equinox", "jax"
    ),
    "haiku": _adapter("Haiku's LSTM in dynamic_unroll", "haiku:HaikuLSTM", "haiku", "haiku", "jax"),
    "torchrl": Shipped("torchrl's LSTM in Python", "torchrl.modules:LSTM", "torchrl", ("torchrl",)),
    "torchrl-cell": Shipped(
        "torchrl's LSTM cell", "torchrl.modules:LSTMCell", "torchrl", ("torchrl",)
    ),
    "paddle": _adapter("PaddlePaddle's LSTM", "paddle:PaddleLSTM", "paddle", "paddle"),
    "paddle-without-bias": _adapter(
        "PaddlePaddle's LSTM without biases", "paddle:PaddleWithoutBias", "paddle", "paddle"
    ),
    "mlx": _adapter("MLX' LSTM", "mlx:MlxLSTM", "mlx", "mlx"),
}
"""The implementations by their names, as ``lstm-conformance implementations`` lists them."""
