"""``torch.nn.LSTM`` exported to ONNX, by either exporter of PyTorch, and run by ONNX Runtime."""

from __future__ import annotations

import io
import logging
from dataclasses import replace
from typing import Any

import torch
from torch.export import Dim

from conformance.implementations.frameworks.onnx import session
from conformance.implementations.frameworks.torch_ways import TorchWay, holder
from reference import RESULTS, Case, Result

MORE = 2
"""How many more rows and steps an example has than the case: never one alone, which is special."""


class ExportedToOnnx:
    """``torch.onnx.export``, on an example with another number of rows than the case.

    The number of steps is that of the case, since this exporter fixes it even if it is declared
    free. A projection is exported as an LSTM without one.
    """

    name = "torch.onnx.export"
    supports = replace(
        TorchWay.supports,
        dtypes=("float32",),
        devices=("cpu",),
        projection=False,
        gradients=False,
        adapts_module=False,
    )
    free: tuple[str, ...] = ("rows",)

    def run(self, case: Case) -> Result:
        """Export the module, load the model, and run it once."""
        file, given = io.BytesIO(), case.arguments()
        axes = {name: self.free_axes(case, name) for name in given}
        example = [
            torch.zeros([size + MORE * (axis in axes[name]) for axis, size in enumerate(a.shape)])
            for name, a in given.items()
        ]
        options = {"input_names": [*given], "output_names": [*RESULTS], **self.options(axes)}
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        export: Any = torch.onnx.export  # its annotations have no file object
        export(holder(case), tuple(example), file, **options)
        return Result.of(session(file.getvalue()).run(None, given))

    def free_axes(self, case: Case, name: str) -> dict[int, str]:
        """Name the axes of an argument along which the model takes any size."""
        steps = int(case.batched and case.configuration.batch_first)
        axes = {steps: "steps", 1 - steps: "rows"} if name == "input" else {1: "rows"}
        if not case.batched:
            axes = {axis: kind for axis, kind in axes.items() if kind != "rows"}
        return {axis: kind for axis, kind in axes.items() if kind in self.free}

    def options(self, axes: dict[str, dict[int, str]]) -> dict[str, Any]:
        """Choose the exporter, and tell it of the free axes of each argument, in order."""
        dims = {kind: Dim(kind) for kind in self.free}
        shapes = [{axis: dims[kind] for axis, kind in each.items()} for each in axes.values()]
        return {"dynamo": True, "dynamic_shapes": tuple(shapes), "verbose": False}


class ScriptedToOnnx(ExportedToOnnx):
    """``torch.onnx.export(dynamo=False)``, TorchScript's exporter, which refuses projections.

    The example has other numbers of rows and steps than the case.
    """

    name = "torch.onnx.export-torchscript"
    free = ("rows", "steps")

    def options(self, axes: dict[str, dict[int, str]]) -> dict[str, Any]:
        """Choose the exporter, and tell it of the free axes of each argument by name."""
        return {"dynamo": False, "dynamic_axes": axes}
