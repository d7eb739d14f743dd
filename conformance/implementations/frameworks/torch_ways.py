"""Other ways to run ``torch.nn.LSTM`` in PyTorch: compiled, exported, TorchScript, quantized."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from conformance.implementations.pytorch.modules import to_result, torch_devices
from conformance.implementations.pytorch.tensors import TORCH_DTYPES, inputs, to_array, to_tensor
from reference import Array, Case, Configuration, Precision, Result
from strategies import Support


class Holder(nn.Module):
    """A module around an LSTM, whose arguments and results are tensors alone, without tuples."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__()
        self.lstm = nn.LSTM(**vars(configuration))

    def forward(
        self, x: Tensor, h_0: Tensor | None = None, c_0: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Call the LSTM; returns output, h_n and c_n."""
        if h_0 is not None and c_0 is not None:
            output, (h_n, c_n) = self.lstm(x, (h_0, c_0))
        else:
            output, (h_n, c_n) = self.lstm(x)
        return output, h_n, c_n


class TorchWay:
    """``torch.nn.LSTM`` in a module that is compiled, exported or so before it is called."""

    name = ""
    supports = Support(
        devices=torch_devices(),
        dropout=False,
        lengths=False,
        hands_on_arrays=True,
        adapts_module=True,
    )

    def turned(self, holder: Holder, arguments: list[Tensor]) -> Any:
        """Make of `holder` what is called in its place, with these `arguments`."""
        raise NotImplementedError

    def run(self, case: Case) -> Result:
        """Compute `case` without gradients."""
        with torch.no_grad():
            arguments = list(inputs(case).values())
            return to_result(self.turned(holder(case), arguments)(*arguments))

    def gradients(self, case: Case, cotangents: Result) -> Mapping[str, Array]:
        """Compute, by autograd, the gradients of the sum of every result times its cotangent."""
        module, leaves = holder(case), inputs(case)
        arguments = [leaf.requires_grad_() for leaf in leaves.values()]
        parameters = {name: getattr(module.lstm, name) for name in case.parameters}
        results = self.turned(module, arguments)(*arguments)
        weights = [to_tensor(array, case.device) for _, array in cotangents.items()]
        by = {**leaves, **parameters}
        found = torch.autograd.grad(results, list(by.values()), weights)
        return {name: to_array(each, name) for name, each in zip(by, found, strict=True)}


def holder(case: Case) -> Holder:
    """Build a module with the case's parameters, in eval mode."""
    module = Holder(case.configuration).to(case.device, TORCH_DTYPES[case.dtype.name]).eval()
    module.lstm.load_state_dict({name: to_tensor(a) for name, a in case.parameters.items()})
    return module


class CompiledLSTM(TorchWay):
    """``torch.compile`` in a single graph.

    Without ``torch._dynamo.config.allow_rnn``, it would silently leave the LSTM uncompiled.
    """

    name = "torch.compile"

    def turned(self, holder: Holder, arguments: list[Tensor]) -> Any:
        """Compile the module, after a reset, which forgets what was compiled for other cases."""
        torch._dynamo.reset()
        compiled = torch.compile(holder, fullgraph=True)
        known = hasattr(torch._dynamo.config, "allow_rnn")
        patched: Any = torch._dynamo.config.patch({"allow_rnn": True} if known else {})
        return patched(compiled)


class ExportedLSTM(TorchWay):
    """The program that ``torch.export.export`` makes."""

    name = "torch.export"

    def turned(self, holder: Holder, arguments: list[Tensor]) -> Any:
        """Export the module."""
        return torch.export.export(holder, tuple(arguments)).module()


class ScriptedLSTM(TorchWay):
    """TorchScript that ``torch.jit.script`` makes from the module's source."""

    name = "torch.jit.script"

    def turned(self, holder: Holder, arguments: list[Tensor]) -> Any:
        """Script the module."""
        return torch.jit.script(holder)


class TracedLSTM(TorchWay):
    """TorchScript that ``torch.jit.trace`` makes from a call of the module."""

    name = "torch.jit.trace"

    def turned(self, holder: Holder, arguments: list[Tensor]) -> Any:
        """Trace the module."""
        return torch.jit.trace(holder, tuple(arguments))  # type: ignore[no-untyped-call]


class FunctionalLSTM(TorchWay):
    """``torch.func.functional_call``, with the parameters as an argument beside the module."""

    name = "torch.func.functional_call"

    def turned(self, holder: Holder, arguments: list[Tensor]) -> Any:
        """Call a copy, whose own parameters are zero, with the parameters of the module."""
        zeros = copy.deepcopy(holder).requires_grad_(False)
        for parameter in zeros.parameters():
            parameter.zero_()
        parameters: dict[str, Tensor] = dict(holder.named_parameters())
        return lambda *arguments: functional_call(zeros, parameters, arguments)


class QuantizedLSTM(TorchWay):
    """``torch.ao.quantization.quantize_dynamic`` to int8.

    Weights have 8 bits. Inputs and hidden states have 7: the kernel leaves out one of the 8 bits of
    a quint8, so that sums of products do not overflow (``reduce_range``).
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
        """Quantize the LSTM in the module."""
        quantize: Any = torch.ao.quantization.quantize_dynamic
        return quantize(holder, {nn.LSTM}, dtype=torch.qint8)


class QuantizableForwardLSTM(torch.ao.nn.quantizable.LSTM):
    """``torch.ao.nn.quantizable.LSTM`` in one direction only.

    In both directions its upper layers fail: they are made for the output of one direction.
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
