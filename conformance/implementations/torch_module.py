"""What requirements on torch modules need of an implementation; needs no torch itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from conformance.implementations.implementation import Implementation
from reference import Array, Case, Configuration

if TYPE_CHECKING:
    from torch import Tensor, nn
    from typing_extensions import TypeIs


class TorchModule(Implementation, Protocol):
    """An implementation by a ``torch.nn.Module`` that can be built, kept and called again.

    `cls` is the module's class. `is_cell` says whether a call is one step, as of
    ``torch.nn.LSTMCell``. `rename` turns a parameter name of ``torch.nn.LSTM`` into the module's
    own. `around` is entered whenever code of the module's class runs. What the module raises
    becomes :class:`~conformance.implementations.failures.Misbehaviour`.
    """

    cls: type[nn.Module]
    is_cell: bool
    rename: Callable[[str], str]
    around: Callable[[], AbstractContextManager[object]]

    def construct(self, configuration: Configuration) -> nn.Module:
        """A new module of this configuration, as its constructor leaves it."""
        ...

    def load(self, module: nn.Module, parameters: Mapping[str, Array]) -> None:
        """Give `module` these parameters, by PyTorch's names."""
        ...

    def parameters(self, module: nn.Module, case: Case) -> dict[str, nn.Parameter]:
        """The parameters of `module` by the names of `case`."""
        ...

    def build(self, case: Case) -> nn.Module:
        """A module with the case's configuration, parameters, dtype and device, in eval mode."""
        ...

    def call(self, module: nn.Module, case: Case) -> tuple[Tensor, Tensor, Tensor]:
        """Output, h_n and c_n of `module` for the case's input and states."""
        ...

    def call_with(
        self, module: nn.Module, case: Case, x: Tensor, states: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Output, h_n and c_n of `module` for an input and states given as tensors."""
        ...


def is_torch_module(implementation: Implementation) -> TypeIs[TorchModule]:
    """Whether `implementation` has every method of :class:`TorchModule`."""
    methods = (name for name in vars(TorchModule) if not name.startswith("_"))
    return all(hasattr(implementation, name) for name in methods)
