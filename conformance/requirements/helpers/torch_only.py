"""What requirements on torch modules use of torch, imported only when one of them is decided.

Listing the requirements, and verifying an LSTM of another framework, need no torch.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from conformance.implementations.implementation import checked
from conformance.implementations.torch_module import TorchModule
from reference import Array, Case, Result

if TYPE_CHECKING:
    from torch import Tensor

    from conformance.implementations.pytorch.gradients import Differentiated
    from conformance.implementations.pytorch.sessions import Session


@contextlib.contextmanager
def entered(implementation: TorchModule) -> Iterator[TorchModule]:
    """Enter once the context in which the class's code is run, for many calls or other threads.

    Yields the implementation as it is to be called within. Results are judged by the original.
    """
    within = copy.copy(implementation)
    within.around = contextlib.nullcontext
    with implementation.around():
        yield within


def session(implementation: TorchModule, case: Case) -> Session:
    """Build a module for `case` that is kept over several calls."""
    from conformance.implementations.pytorch.sessions import Session

    return Session(implementation, case)


def differentiated(
    implementation: TorchModule, case: Case, frozen: Collection[str] = (), **options: Any
) -> Differentiated:
    """Build a module for `case`, or take the option `module`, to compute gradients with it."""
    from conformance.implementations.pytorch.gradients import Differentiated

    return Differentiated(implementation, case, frozen=frozen, **options)


def autograd(
    implementation: TorchModule, case: Case, *loss: Any, train: bool = True
) -> dict[str, Array]:
    """Compute gradients; see :func:`conformance.implementations.pytorch.gradients.backward`."""
    from conformance.implementations.pytorch.gradients import backward

    return backward(implementation, case, *loss, train=train)


def to_result(tensors: tuple[Tensor, Tensor, Tensor], case: Case) -> Result:
    """Convert output, h_n and c_n, which must have the shapes and the dtype of `case`."""
    from conformance.implementations.pytorch.modules import to_result

    return checked(to_result(tensors), case)


def to_tensor(array: Array, device: str) -> Tensor:
    """Convert an array to a tensor on `device`."""
    from conformance.implementations.pytorch.tensors import to_tensor

    return to_tensor(array, device)
