"""A torch module that is kept over several calls."""

from __future__ import annotations

import contextlib
from typing import Any

import torch
from torch.func import functional_call

from conformance.implementations.implementation import checked
from conformance.implementations.pytorch.modules import to_result
from conformance.implementations.pytorch.tensors import to_array, to_tensor
from conformance.implementations.torch_module import TorchModule
from conformance.recording.tape import note, under
from reference import RESULTS, Array, Case, Result


class Session:
    """A module that is built once for `case` and called with cases of the same configuration.

    The tensors of the last call are kept, so that a requirement can see whether they changed.
    """

    def __init__(self, implementation: TorchModule, case: Case) -> None:
        self.implementation = implementation
        self.case = case
        self.module = implementation.build(case)
        self._given: dict[str, torch.Tensor] = {}
        self._returned: dict[str, torch.Tensor] = {}

    def run(self, case: Case, *, grad: bool | None = True) -> Result:
        """Call the module: under ``no_grad`` if `grad` is False, ``inference_mode`` if None."""
        mode: Any = {True: contextlib.nullcontext, False: torch.no_grad, None: torch.inference_mode}
        with mode[grad](), _noted_under(mode[grad]):
            given = {name: to_tensor(a, case.device) for name, a in case.arguments().items()}
            states = (given["h_0"], given["c_0"]) if case.h_0 is not None else None
            self._given = given
            tensors = self.implementation.call_with(self.module, case, given["input"], states)
        self._returned = dict(zip(RESULTS, tensors, strict=True))
        return checked(to_result(tensors), case)

    def arguments(self) -> dict[str, tuple[Array, Array]]:
        """Read every argument and parameter: as it is now, and as it was given, by name."""
        now: dict[str, tuple[Array, Array]] = {}
        for name, tensor in self._given.items():
            now[name] = to_array(tensor, name), getattr(self.case, name)
        for name, tensor in self.implementation.parameters(self.module, self.case).items():
            now[name] = to_array(tensor, name), self.case.parameters[name]
        return now

    def results(self) -> dict[str, Array]:
        """Read the results of the last call as they are now, by name."""
        return {name: to_array(tensor, name) for name, tensor in self._returned.items()}

    def overwrite(self, name: str) -> None:
        """Fill the result `name` of the last call with another number, in place."""
        note("{result}.detach().fill_(7.0)", result=self._returned[name])
        with torch.no_grad():
            self._returned[name].detach().fill_(7.0)

    def run_with_weights(self, other: Case, way: str) -> Result:
        """Call the module with the parameters of `other`, without gradients.

        `way` is how the module gets them: ``in_place``, ``load`` or ``functional``.
        """
        if way == "functional":
            weights = {
                self.implementation.rename(name): to_tensor(array, other.device)
                for name, array in other.parameters.items()
            }
            module = Functional(self.module, weights)
            note(
                "{changed} = lambda *given: torch.func.functional_call({module}, {weights}, given)",
                new=("changed",),
                module=self.module,
                weights=weights,
            ).gave(module)
            with torch.no_grad(), _noted_under(torch.no_grad):
                return to_result(self.implementation.call(module, other))
        if way == "load":
            self.implementation.load(self.module, other.parameters)
        else:
            with torch.no_grad():
                for name, tensor in self.implementation.parameters(self.module, other).items():
                    weight = to_tensor(other.parameters[name])
                    note("{parameter}.data.copy_({weight})", parameter=tensor, weight=weight)
                    tensor.copy_(weight)
        return self.run(other, grad=False)


def _noted_under(mode: Any) -> contextlib.AbstractContextManager[None]:
    """Record what happens within the context as under this mode of gradients."""
    plain = mode is contextlib.nullcontext
    return contextlib.nullcontext() if plain else under(f"torch.{mode.__name__}()")


class Functional(torch.nn.Module):
    """`module` called through ``torch.func.functional_call`` with other `weights`."""

    def __init__(self, module: torch.nn.Module, weights: dict[str, torch.Tensor]) -> None:
        super().__init__()
        self._inner = [module]
        self._weights = weights

    def forward(self, *arguments: Any) -> Any:
        """Call the module's ``forward`` with the other weights."""
        return functional_call(self._inner[0], self._weights, arguments)
