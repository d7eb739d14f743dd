"""Adapters for ``torch.nn.LSTM``, ``torch.nn.LSTMCell`` and classes that can stand in for them."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from conformance.implementations.failures import NoResult, blamed
from conformance.implementations.pytorch import notes as torch_notes
from conformance.implementations.pytorch.answers import pair, unpack
from conformance.implementations.pytorch.cuda import switches
from conformance.implementations.pytorch.tensors import TORCH_DTYPES, plain, to_array, to_tensor
from conformance.recording.ending import untrue
from conformance.recording.noting import bind, mode, note
from conformance.recording.operands import part
from conformance.recording.text import kind_of
from reference import RESULTS, Array, Case, Configuration, Precision, Result
from strategies import Support

Tensors = tuple[Tensor, Tensor, Tensor]
"""Output, h_n and c_n."""

States = tuple[Tensor, Tensor] | None
"""The initial states h_0 and c_0, if they are given."""


def _defaults(cls: type[nn.Module]) -> dict[str, Any]:
    """Return the defaults of the options of an LSTM, by name, where a class has its own."""
    try:
        parameters = inspect.signature(cls).parameters
    except (TypeError, ValueError):
        return {}
    options = {item.name for item in fields(Configuration)} - {"input_size", "hidden_size"}
    found = {name: each.default for name, each in parameters.items() if name in options}
    return {key: value for key, value in found.items() if value is not inspect.Parameter.empty}


def cell_name(parameter: str) -> str:
    """Rename a parameter for a cell: ``weight_ih``."""
    return parameter.removesuffix("_l0")


class TorchLSTM:
    """A module class with the constructor, parameter names and call of ``torch.nn.LSTM``.

    `rename` converts a parameter name of ``torch.nn.LSTM`` to the name in the class. `around` makes
    a context in which all code of the class is run. A class can declare its arithmetic in an
    attribute `precision`, a :class:`reference.Precision`.
    """

    is_cell = False
    noun = "lstm"
    own_name: Callable[[str], str] = staticmethod(str)

    def __init__(
        self,
        cls: type[nn.Module],
        name: str,
        supports: Support,
        *,
        rename: Callable[[str], str] | None = None,
        around: Callable[[], contextlib.AbstractContextManager[object]] = contextlib.nullcontext,
    ) -> None:
        self.cls, self.name, self.supports = cls, name, supports
        self.rename, self.around = rename or self.own_name, around
        self.defaults = _defaults(cls)
        declared = getattr(cls, "precision", None)
        self.precision = declared if isinstance(declared, Precision) else Precision()

    def construct(self, configuration: Configuration) -> nn.Module:
        """Construct a new module of this configuration, and change nothing in it.

        Options are given that differ from the defaults of PyTorch, or from those of the class.
        """
        own = {
            name: getattr(configuration, name)
            for name, default in self.defaults.items()
            if getattr(configuration, name) != default
        }
        arguments = {**configuration.arguments(), **own}
        made = torch_notes.construction(self.noun, self.cls, arguments)
        with blamed(), self.around():
            module = self.cls(**arguments)
        made.gave(module)
        return module

    def load(self, module: nn.Module, parameters: Mapping[str, Array]) -> None:
        """Load `parameters` into `module` through its ``load_state_dict``."""
        state = {self.rename(name): to_tensor(array) for name, array in parameters.items()}
        note("{module}.load_state_dict({state})", module=module, state=state)
        with blamed(), self.around():
            module.load_state_dict(state)

    def parameters(self, module: nn.Module, case: Case) -> dict[str, nn.Parameter]:
        """Find the parameters of `module` by the names in `case`.

        Raises :class:`NoResult` if one is missing.
        """
        with blamed(), self.around():
            found = dict(module.named_parameters())
        missing = [name for name in map(self.rename, case.parameters) if name not in found]
        if missing:
            message = f"{missing[0]} is not a parameter of the module"
            condition = f"{missing[0]!r} in dict({{it}}.named_parameters())"
            raise NoResult(message, untrue(condition, message, it=module))
        for name, parameter in found.items():
            bind(parameter, module, part(name))
        return {name: found[self.rename(name)] for name in case.parameters}

    def build(self, case: Case) -> nn.Module:
        """Build a module, in eval mode, with everything as in `case`: parameters, dtype, device."""
        module = self.construct(case.configuration)
        torch_notes.placement(module, case)
        with blamed(), self.around():
            there = {} if case.device == "cpu" else {"non_blocking": True}
            module.to(case.device, TORCH_DTYPES[case.dtype.name], **there).eval()
        mode(module)
        self.load(module, case.parameters)
        return module

    def call(self, module: nn.Module, case: Case) -> Tensors:
        """Call `module` with the case's input and states; returns output, h_n and c_n."""
        states = None
        if case.h_0 is not None and case.c_0 is not None:
            states = to_tensor(case.h_0, case.device), to_tensor(case.c_0, case.device)
        return self.call_with(module, case, to_tensor(case.input, case.device), states)

    def call_with(self, module: nn.Module, case: Case, x: Tensor, states: States) -> Tensors:
        """Call `module` with the tensors `x` and `states`, packed if the case has lengths."""
        batch_first = case.configuration.batch_first
        sequence: Any = x
        mode(module, called=True)
        if case.lengths is not None:
            lengths = torch.from_numpy(case.lengths.copy())
            in_order = packs_in_order(case)
            packed = torch_notes.packing(case, x, in_order=in_order)
            sequence = pack_padded_sequence(x, lengths, batch_first, enforce_sorted=in_order)
            packed.gave(sequence)
        called = torch_notes.call(case, module, sequence, states)
        with blamed(), self.around():
            answer = module(sequence) if states is None else module(sequence, states)
        with blamed():
            whole = partial(torch_notes.answered, module, sequence, states)
            output, (h_n, c_n) = unpack(answer, whole)
            called.gave(output, h_n, c_n)
            if case.lengths is None:
                results = plain(output, "output"), plain(h_n, "h_n"), plain(c_n, "c_n")
                called.gave(*results)
                return results
            if not issubclass(type(output), PackedSequence):
                message = f"output is a {kind_of(output)}, not a PackedSequence as the input is"
                condition = "isinstance({it}, torch.nn.utils.rnn.PackedSequence)"
                raise NoResult(message, untrue(condition, message, it=output))
            h_n, c_n = plain(h_n, "h_n"), plain(c_n, "c_n")
            called.gave(output, h_n, c_n)
            padded = torch_notes.padding(case, output)
            output, _ = pad_packed_sequence(output, batch_first, total_length=case.seq_len)
            output = plain(output, "output")
            padded.gave(output)
            return output, h_n, c_n

    def run(self, case: Case) -> Result:
        """Compute `case` with a newly built module."""
        return to_result(self.call(self.build(case), case))


class TorchLSTMCell(TorchLSTM):
    """A module class with the constructor, parameter names and call of ``torch.nn.LSTMCell``.

    A loop over time passes the state from step to step, which makes the cell an LSTM of one layer
    in one direction. Its `output` is the hidden states of all steps.
    """

    is_cell = True
    noun = "cell"
    own_name = staticmethod(cell_name)

    def call_with(self, module: nn.Module, case: Case, x: Tensor, states: States) -> Tensors:
        """Step through `x` (T, N, input_size) or (T, input_size)."""
        state: Any = states
        mode(module, called=True)
        called = torch_notes.loop(case, module, x, states)
        if states is not None:
            state = (states[0][0], states[1][0]) if isinstance(states, tuple) else states[0]
        outputs = []
        for step in x:
            with blamed(), self.around():
                answer = module(step) if state is None else module(step, state)
            whole = partial(torch_notes.answered, module, x, states, cell=True)
            with blamed():
                state = pair(answer, "the cell's answer", whole)
                last = [plain(each, what) for what, each in zip(("h", "c"), state, strict=True)]
            outputs.append(last[0])
        with blamed():
            answer = torch.stack(outputs), last[0][None], last[1][None]
        called.gave(*answer)
        return answer


def packs_in_order(case: Case) -> bool:
    """Whether `case` is packed with ``enforce_sorted=True``, which gives no indices of a sorting.

    That is so for half of the cases whose rows are in order, the longest first.
    """
    assert case.lengths is not None
    falling = bool((np.diff(case.lengths) <= 0).all())
    return falling and int(case.lengths.sum() + case.configuration.hidden_size) % 2 == 0


def to_result(tensors: Tensors) -> Result:
    """Convert output, h_n and c_n to a :class:`Result`."""
    named = dict(zip(RESULTS, tensors, strict=True))
    output, h_n, c_n = (to_array(each, name) for name, each in named.items())
    with blamed():
        devices = {name: str(each.device) for name, each in named.items()}
    return Result(output, h_n, c_n, devices)


def torch_devices() -> tuple[str, ...]:
    """List the CPU and every CUDA device that is present."""
    return ("cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count())))


def set_exact_arithmetic() -> dict[str, Any]:
    """Switch off TF32 and bfloat16 in float32 products and 16-bit partial sums; use one CPU thread.

    Returns the settings by name; those of TF32 are apart, in `switches`.
    """
    backends: Any = torch.backends
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("highest")
    backends.cudnn.allow_tf32 = False
    backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
    backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
    return {
        "torch": str(torch.__version__),
        "torch.get_float32_matmul_precision()": torch.get_float32_matmul_precision(),
        "torch.get_num_threads()": str(torch.get_num_threads()),
        "switches": switches(),
    }
