"""The protocol that requirements on torch modules need; this module does not import torch."""

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

    - `cls`: the class of the module;
    - `is_cell`: whether a call computes one step, as a call of ``torch.nn.LSTMCell`` does;
    - `rename`: a function from a parameter name of ``torch.nn.LSTM`` to the name in the module;
    - `around`: makes a context in which all code of the class is run.

    An exception in the module becomes :class:`~conformance.implementations.failures.Misbehaviour`.
    """

    cls: type[nn.Module]
    is_cell: bool
    rename: Callable[[str], str]
    around: Callable[[], AbstractContextManager[object]]

    def construct(self, configuration: Configuration) -> nn.Module:
        """Construct a new module of this configuration, and change nothing in it."""

    def load(self, module: nn.Module, parameters: Mapping[str, Array]) -> None:
        """Load `parameters`, by PyTorch's names, into `module`."""

    def parameters(self, module: nn.Module, case: Case) -> dict[str, nn.Parameter]:
        """Find the parameters of `module` by the names in `case`."""

    def build(self, case: Case) -> nn.Module:
        """Build a module, in eval mode, with everything as in `case`: parameters, dtype, device."""

    def call(self, module: nn.Module, case: Case) -> tuple[Tensor, Tensor, Tensor]:
        """Call `module` with the case's input and states; returns output, h_n and c_n."""

    def call_with(
        self, module: nn.Module, case: Case, x: Tensor, states: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Call `module` with the input `x` and `states` (h_0, c_0); returns output, h_n and c_n."""


def is_torch_module(implementation: Implementation) -> TypeIs[TorchModule]:
    """Return whether `implementation` has every method of :class:`TorchModule`."""
    methods = (name for name in vars(TorchModule) if not name.startswith("_"))
    return all(hasattr(implementation, name) for name in methods)
