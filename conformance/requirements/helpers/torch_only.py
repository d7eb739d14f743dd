"""What requirements on torch modules need of torch, imported when such a requirement is decided.

So listing the requirements, and verifying an LSTM of another framework, do without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.implementations.implementation import checked
from reference import Array, Case, Result

if TYPE_CHECKING:
    from conformance.implementations.pytorch.gradients import Differentiated
    from conformance.implementations.pytorch.sessions import Session


def session(implementation: Any, case: Case) -> Session:
    """A module built for `case` and kept over several calls."""
    from conformance.implementations.pytorch.sessions import Session

    return Session(implementation, case)


def differentiated(implementation: Any, case: Case, **options: Any) -> Differentiated:
    """A module built for `case` whose arguments and parameters require gradients."""
    from conformance.implementations.pytorch.gradients import Differentiated

    return Differentiated(implementation, case, **options)


def autograd(implementation: Any, case: Case, *loss: Any, **options: Any) -> dict[str, Array]:
    """Gradients by autograd; see :func:`conformance.implementations.pytorch.gradients.backward`."""
    from conformance.implementations.pytorch.gradients import backward

    return backward(implementation, case, *loss, **options)


def to_result(tensors: Any, case: Case) -> Result:
    """Three tensors as a result, which must have the shapes and the dtype that `case` asks for."""
    from conformance.implementations.pytorch.modules import to_result

    return checked(to_result(tensors), case)


def to_tensor(array: Array, device: str) -> Any:
    """An array as a tensor on `device`."""
    from conformance.implementations.pytorch.tensors import to_tensor

    return to_tensor(array, device)
