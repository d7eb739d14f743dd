"""The module run in PyTorch's other ways: compiled, exported, in autocast."""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import replace
from typing import Any

import ml_dtypes
import numpy as np

from conformance.comparison import agree, truth
from conformance.failures import blamed
from conformance.requirement import requirement
from conformance.requirements.needs import torch_module
from conformance.requirements.torch_only import to_result, to_tensor
from reference import Case, Result

_COSTLY: dict[str, Any] = {
    "level": "module",
    "share_of_cases": 0.003,
    "costly": True,
    "lengths": False,
    "batched": True,
    "seq_len": (2, 4),
    "num_layers": (1, 2),
    "dtypes": ["float32", "float64"],
}


def _holder(implementation: Any, case: Case) -> Any:
    """A module that calls the implementation's module with the case's tensors."""
    import torch

    class Holder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = implementation.build(case)

        def forward(self, x: Any, *states: Any) -> Any:
            return implementation.call_with(self.inner, case, x, states or None)

    return Holder().eval()


def _arguments(case: Case) -> tuple[Any, ...]:
    arrays = [array for array in (case.input, case.h_0, case.c_0) if array is not None]
    return tuple(to_tensor(array, case.device) for array in arrays)


def _compiles(implementation: Any) -> str | None:
    if not any(map(shutil.which, ("c++", "g++", "clang++", "cl"))):
        return "torch.compile needs a C++ compiler, and there is none"
    return torch_module(implementation)


def _exports(implementation: Any) -> str | None:
    if importlib.util.find_spec("torch") and importlib.util.find_spec("torch.export"):
        return torch_module(implementation)
    return "this torch has no torch.export"


@requirement(
    source="torch.compile documentation: it optimizes given models",
    applies=_compiles,
    **_COSTLY,
)
def compiled_module_agrees(implementation: Any, case: Case) -> float:
    """A compiled module that holds the LSTM gives the true results, within the bound."""
    import torch

    known = truth(case)
    with blamed(case):
        getattr(torch, "compiler", torch._dynamo).reset()
        compiled: Any = torch.compile(_holder(implementation, case))
        with torch.no_grad():
            result = compiled(*_arguments(case))
    return agree(to_result(result, case), known.result, known.bound)


@requirement(
    source="torch.export.export documentation: the traced program computes what the module does",
    applies=_exports,
    **_COSTLY,
)
def exported_program_agrees(implementation: Any, case: Case) -> float:
    """The program that torch.export makes of the LSTM gives the true results, within the bound."""
    import torch
    from torch.export import export

    known = truth(case)
    arguments = _arguments(case)
    with blamed(case), torch.no_grad():
        program = export(_holder(implementation, case), arguments)
        result = program.module()(*arguments)
    return agree(to_result(result, case), known.result, known.bound)


@requirement(
    source="torch.autocast documentation: operations run in the autocast dtype where that is safe",
    level="module",
    applies=torch_module,
    share_of_cases=0.3,
    dtypes=["float32"],
    weights=["zeros", "one", "default", "unit", "small"],
)
def autocast_stays_within_its_precision(implementation: Any, case: Case) -> float:
    """Under torch.autocast to bfloat16 the results are those of bfloat16 arithmetic, or better.

    Allowed is the bound in bfloat16, of the case with its numbers rounded to bfloat16, and what
    that rounding itself changes.
    """
    import torch

    coarse = _in_bfloat16(case)
    exact, rough = truth(case), truth(coarse)
    triples = zip(exact.result.items(), rough.result.items(), rough.bound.items(), strict=True)
    allowed = Result.of(
        np.abs(e - r) + bound + np.abs(r) * 2.0**-8 for (_, e), (_, r), (_, bound) in triples
    )
    module = implementation.build(case)
    with blamed(case), torch.autocast(case.device.partition(":")[0], torch.bfloat16):
        tensors = implementation.call(module, case)
    result = to_result(tuple(tensor.float() for tensor in tensors), case)
    return agree(result, exact.result, allowed)


def _in_bfloat16(case: Case) -> Case:
    kind = ml_dtypes.bfloat16
    return replace(
        case,
        parameters={name: array.astype(kind) for name, array in case.parameters.items()},
        input=case.input.astype(kind),
        h_0=None if case.h_0 is None else case.h_0.astype(kind),
        c_0=None if case.c_0 is None else case.c_0.astype(kind),
    )
