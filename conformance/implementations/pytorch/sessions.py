"""A torch module that is kept over several calls."""

from __future__ import annotations

import contextlib
from typing import Any

import torch

from conformance.implementations.failures import Misbehaviour, blamed
from conformance.implementations.implementation import checked
from conformance.implementations.pytorch.modules import to_result
from conformance.implementations.pytorch.tensors import TORCH_DTYPES, inputs, to_array
from conformance.implementations.torch_module import TorchModule
from conformance.recording.noting import attempted, note, under
from reference import RESULTS, Array, Case, Result


class Session:
    """A module that is built once for `case` and called with cases of the same configuration.

    The tensors of the last call are kept, so that a requirement can see whether they changed;
    `returned` are its results by name.
    """

    def __init__(self, implementation: TorchModule, case: Case) -> None:
        self.implementation = implementation
        self.case = case
        self.module = implementation.build(case)
        self._given: dict[str, torch.Tensor] = {}
        self.returned: dict[str, torch.Tensor] = {}

    def run(self, case: Case, *, grad: bool | None = True, in_place: bool = False) -> Result:
        """Call the module: under ``no_grad`` if `grad` is False, ``inference_mode`` if None.

        If `in_place`, the numbers of `case` are written to the tensors of the last call.
        """
        mode: Any = {True: contextlib.nullcontext, False: torch.no_grad, None: torch.inference_mode}
        with mode[grad](), _noted_under(mode[grad]):
            given = inputs(case)
            if in_place:
                for name, tensor in given.items():
                    note("{last}.copy_({tensor})", last=self._given[name], tensor=tensor)
                    self._given[name].copy_(tensor)
                given = self._given
            states = (given["h_0"], given["c_0"]) if case.h_0 is not None else None
            self._given = given
            tensors = self.implementation.call_with(self.module, case, given["input"], states)
        self.returned = dict(zip(RESULTS, tensors, strict=True))
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
        return {name: to_array(tensor, name) for name, tensor in self.returned.items()}

    def overwrite(self, name: str) -> None:
        """Fill the result `name` of the last call with another number, in place."""
        note("{result}.detach().fill_(7.0)", result=self.returned[name])
        with torch.no_grad():
            self.returned[name].detach().fill_(7.0)

    def convert(self, dtype: str) -> None:
        """Convert the module to `dtype`, a name such as ``float64``."""
        note(f"{{module}}.to(torch.{dtype})", module=self.module)
        with blamed():
            self.module.to(TORCH_DTYPES[dtype])

    def attempt_a_wrong_call(self) -> None:
        """Call the module with twice its features, and let it raise what it likes."""
        given = inputs(self.case)
        states = (given["h_0"], given["c_0"]) if "h_0" in given else None
        wrong = torch.cat([given["input"], given["input"]], -1)
        with attempted(), contextlib.suppress(Misbehaviour):
            self.implementation.call_with(self.module, self.case, wrong, states)

    def train(self, training: bool) -> None:
        """Put the module in train mode, or else in eval mode."""
        self.module.train(training)


def _noted_under(mode: Any) -> contextlib.AbstractContextManager[None]:
    """Record what happens within the context as under this mode of gradients."""
    plain = mode is contextlib.nullcontext
    return contextlib.nullcontext() if plain else under(f"torch.{mode.__name__}()")
