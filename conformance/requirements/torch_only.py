"""What requirements on torch modules need of torch, imported when such a requirement is decided.

So listing the requirements, and verifying an LSTM of another framework, do without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.implementation import checked
from reference import Array, Case, Result

if TYPE_CHECKING:
    from conformance.torch_gradients import Differentiated
    from conformance.torch_sessions import Session


def session(implementation: Any, case: Case) -> Session:
    """A module built for `case` and kept over several calls."""
    from conformance.torch_sessions import Session

    return Session(implementation, case)


def differentiated(implementation: Any, case: Case, **options: Any) -> Differentiated:
    """A module built for `case` whose arguments and parameters require gradients."""
    from conformance.torch_gradients import Differentiated

    return Differentiated(implementation, case, **options)


def autograd(implementation: Any, case: Case, *loss: Any, **options: Any) -> dict[str, Array]:
    """Gradients by autograd; see :func:`conformance.torch_gradients.backward`."""
    from conformance.torch_gradients import backward

    return backward(implementation, case, *loss, **options)


def to_result(tensors: Any, case: Case) -> Result:
    """Three tensors as a result, which must have the shapes and the dtype that `case` asks for."""
    from conformance.torch_modules import to_result

    return checked(to_result(tensors), case)


def to_tensor(array: Array, device: str) -> Any:
    """An array as a tensor on `device`."""
    from conformance.tensors import to_tensor

    return to_tensor(array, device)
