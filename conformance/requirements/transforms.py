"""Requirements on modules that PyTorch runs in another way: compiled, exported, in autocast."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance.checking.comparison import agree
from conformance.checking.requirement import requirement
from conformance.checking.truth import truth
from conformance.implementations.failures import blamed
from conformance.implementations.implementation import Implementation, precision
from conformance.implementations.torch_module import TorchModule
from conformance.recording.noting import Noted, bind, note, paused, under
from conformance.requirements.helpers.needs import and_also, offering, torch_module
from conformance.requirements.helpers.torch_only import to_result, to_tensor
from reference import Arithmetic, Case, forward_bound, trace

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


def _holder(implementation: TorchModule, case: Case) -> Any:
    """Wrap a new module of the implementation in a module that takes the tensors of `case`."""
    import torch

    class Holder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = implementation.build(case)

        def forward(self, x: Any, *states: Any) -> Any:
            return implementation.call_with(self.inner, case, x, states or None)

    with paused():
        return Holder().eval()


HOLDER = """flat = lambda answer: (answer[0], *answer[1])


class Holder(torch.nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x, *states):
        return {call}


{{holder}} = Holder({{module}}).eval()
"""


def _note(implementation: TorchModule, case: Case, arguments: tuple[Any, ...], how: str) -> Noted:
    """Record a holder of a new module, and `how` it is called with `arguments`, for the script."""
    if implementation.is_cell:
        call = "looped(self.inner, x, tuple(state[0] for state in states) or None)"
    else:
        call = "flat(self.inner(x, *([states] if states else [])))"
    module = implementation.build(case)
    held = note(HOLDER.format(call=call), new=("holder",), module=module)
    holder = object()
    held.gave(holder)
    gaps = dict(zip(("x", "h_0", "c_0"), arguments, strict=False))
    given = ", ".join(f"{{{gap}}}" for gap in gaps)
    text = how.replace("{given}", given)
    return note(text, new=("output", "h_n", "c_n"), holder=holder, **gaps)


def _agrees(
    implementation: TorchModule, case: Case, how: str, transformed: Callable[[Any, Any], Any]
) -> float:
    """Call a holder, `transformed` for the tensors that it is given, as `how` writes it."""
    import torch

    known = truth(case, implementation)
    arguments = tuple(to_tensor(array, case.device) for array in case.arguments().values())
    text = "with torch.no_grad():\n    {output}, {h_n}, {c_n} = "
    noted = _note(implementation, case, arguments, text + how)
    with blamed(), torch.no_grad(), paused():
        result = transformed(_holder(implementation, case), arguments)(*arguments)
    noted.gave(*result)
    return agree(to_result(result, case), known.result, known.bound)


def _compiles(implementation: Implementation) -> TorchModule | str:
    if not any(map(shutil.which, ("c++", "g++", "clang++", "cl"))):
        return "torch.compile needs a C++ compiler, and none is installed"
    return and_also(torch_module, offering("compile", "torch.compile"))(implementation)


def _exports(implementation: Implementation) -> TorchModule | str:
    if importlib.util.find_spec("torch") and importlib.util.find_spec("torch.export"):
        return and_also(torch_module, offering("export", "torch.export"))(implementation)
    return "this torch has no torch.export"


@requirement(
    source="torch.compile documentation: it optimizes given models",
    applies=_compiles,
    **_COSTLY,
    should=True,
)
def compiled_module_agrees(implementation: TorchModule, case: Case) -> float:
    """A compiled module that contains the LSTM gives the true results, within the bound."""
    import torch

    def compiled(holder: Any, _: Any) -> Any:
        getattr(torch, "compiler", torch._dynamo).reset()
        return torch.compile(holder)

    return _agrees(implementation, case, "torch.compile({holder})({given})", compiled)


@requirement(
    source="torch.export.export documentation: the traced program computes what the module does",
    applies=_exports,
    **_COSTLY,
    should=True,
)
def exported_program_agrees(implementation: TorchModule, case: Case) -> float:
    """The program that torch.export makes of the LSTM gives the true results, within the bound."""
    from torch.export import export

    how = "torch.export.export({holder}, ({given},)).module()({given})"
    return _agrees(implementation, case, how, lambda *given: export(*given).module())


@requirement(
    source="torch.autocast documentation: operations run in the autocast dtype where that is safe",
    level="module",
    applies=and_also(torch_module, offering("autocast", "torch.autocast")),
    share_of_cases=0.3,
    dtypes=["float32"],
    weights=["zeros", "one", "default", "unit", "small"],
    should=True,
)
def autocast_stays_within_its_precision(implementation: TorchModule, case: Case) -> float:
    """Under torch.autocast to bfloat16, results are at least as precise as bfloat16 arithmetic."""
    import torch

    evaluated = trace(case)
    declared = replace(precision(implementation), storage="bfloat16")
    allowed = forward_bound(evaluated, Arithmetic.of(case.dtype, declared))
    module = implementation.build(case)
    device = case.device.partition(":")[0]
    with (
        blamed(),
        torch.autocast(device, torch.bfloat16),
        under(f"torch.autocast({device!r}, torch.bfloat16)"),
    ):
        output, h_n, c_n = tensors = implementation.call(module, case)
        widened = output.float(), h_n.float(), c_n.float()
    for tensor, wide in zip(tensors, widened, strict=True):
        bind(wide, tensor, ".float()")
    return agree(to_result(widened, case), evaluated.result, allowed)
