"""PyTorch's other ways to run ``torch.nn.LSTM``: compiled, exported, in TorchScript, quantized."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from conformance.implementations.pytorch.modules import to_result, torch_devices
from conformance.implementations.pytorch.tensors import TORCH_DTYPES, to_array, to_tensor
from reference import Array, Case, Configuration, Precision, Result
from strategies import Support


class Holder(nn.Module):
    """A module that has an LSTM, with tensors alone as arguments and results."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__()
        self.lstm = nn.LSTM(**vars(configuration))

    def forward(
        self, x: Tensor, h_0: Tensor | None = None, c_0: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Output, h_n and c_n."""
        if h_0 is not None and c_0 is not None:
            output, (h_n, c_n) = self.lstm(x, (h_0, c_0))
        else:
            output, (h_n, c_n) = self.lstm(x)
        return output, h_n, c_n


class TorchWay:
    """``torch.nn.LSTM`` in a module that is turned into something else before it is called."""

    name = ""
    supports = Support(
        devices=torch_devices(),
        dropout=False,
        lengths=False,
        hands_on_arrays=True,
        adapts_module=True,
    )

    def turned(self, holder: Holder, arguments: list[Tensor]) -> Any:
        """What is called instead of `holder`; `arguments` are those of the call to come."""
        raise NotImplementedError

    def run(self, case: Case) -> Result:
        """Build the module, turn it and call the outcome, without gradients."""
        with torch.no_grad():
            arguments = list(inputs(case).values())
            return to_result(self.turned(holder(case), arguments)(*arguments))

    def gradients(self, case: Case, cotangents: Result) -> Mapping[str, Array]:
        """By autograd through the outcome, in eval mode."""
        module, leaves = holder(case), inputs(case)
        arguments = [leaf.requires_grad_() for leaf in leaves.values()]
        parameters = {name: getattr(module.lstm, name) for name in case.parameters}
        results = self.turned(module, arguments)(*arguments)
        weights = [to_tensor(array, case.device) for _, array in cotangents.items()]
        by = {**leaves, **parameters}
        found = torch.autograd.grad(results, list(by.values()), weights)
        return {name: to_array(each, name) for name, each in zip(by, found, strict=True)}


def holder(case: Case) -> Holder:
    """A module with the case's parameters, in eval mode."""
    module = Holder(case.configuration).to(case.device, TORCH_DTYPES[case.dtype.name]).eval()
    module.lstm.load_state_dict({name: to_tensor(a) for name, a in case.parameters.items()})
    return module


def inputs(case: Case) -> dict[str, Tensor]:
    """Input and initial states as tensors, by name."""
    given = {"input": case.input, "h_0": case.h_0, "c_0": case.c_0}
    return {n: to_tensor(array, case.device) for n, array in given.items() if array is not None}


class CompiledLSTM(TorchWay):
    """``torch.compile`` in a single graph.

    Without ``torch._dynamo.config.allow_rnn`` it would leave the LSTM as it is, and not say so.
    """

    name = "torch.compile"

    def turned(self, holder: Holder, arguments: list[Tensor]) -> Any:
        """The compiled module; what was compiled for other cases is forgotten."""
        torch._dynamo.reset()
        compiled = torch.compile(holder, fullgraph=True)
        known = hasattr(torch._dynamo.config, "allow_rnn")
        patched: Any = torch._dynamo.config.patch({"allow_rnn": True} if known else {})
        return patched(compiled)


class ExportedLSTM(TorchWay):
    """The program that ``torch.export.export`` makes."""

    name = "torch.export"

    def turned(self, holder: Holder, arguments: list[Tensor]) -> Any:
        """The exported program as a module."""
        return torch.export.export(holder, tuple(arguments)).module()


class ScriptedLSTM(TorchWay):
    """TorchScript, from the module's source."""

    name = "torch.jit.script"

    def turned(self, holder: Holder, arguments: list[Tensor]) -> Any:
        """The scripted module."""
        return torch.jit.script(holder)


class TracedLSTM(TorchWay):
    """TorchScript, from a call of the module."""

    name = "torch.jit.trace"

    def turned(self, holder: Holder, arguments: list[Tensor]) -> Any:
        """The traced module."""
        return torch.jit.trace(holder, tuple(arguments))  # type: ignore[no-untyped-call]


class FunctionalLSTM(TorchWay):
    """``torch.func.functional_call``, with the parameters given beside the module."""

    name = "torch.func.functional_call"

    def turned(self, holder: Holder, arguments: list[Tensor]) -> Any:
        """The call of a copy filled with zeros, for which the module's parameters are given."""
        zeros = copy.deepcopy(holder).requires_grad_(False)
        for parameter in zeros.parameters():
            parameter.zero_()
        parameters: dict[str, Tensor] = dict(holder.named_parameters())
        return lambda *arguments: functional_call(zeros, parameters, arguments)


class QuantizedLSTM(TorchWay):
    """``torch.ao.quantization.quantize_dynamic`` to int8.

    Weights have 8 bits. Inputs and hidden states have 7: of the 8 of a quint8 the kernel leaves
    one out, so that sums of products do not overflow (``reduce_range``).
    """

    name = "torch.ao.quantization.quantize_dynamic"
    precision = Precision(weight_bits=8, input_bits=7)
    supports = replace(
        TorchWay.supports,
        dtypes=("float32",),
        devices=("cpu",),
        bias=(True,),
        batched=(True,),
        projection=False,
        gradients=False,
    )

    def turned(self, holder: Holder, arguments: list[Tensor]) -> Any:
        """The module with its LSTM quantized."""
        quantize: Any = torch.ao.quantization.quantize_dynamic
        return quantize(holder, {nn.LSTM}, dtype=torch.qint8)


class QuantizableForwardLSTM(torch.ao.nn.quantizable.LSTM):
    """``torch.ao.nn.quantizable.LSTM`` without the choice of directions.

    In both directions its upper layers take one direction's output alone, and so fail.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
    ) -> None:
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first)
