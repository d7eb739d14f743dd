"""Reasons why a requirement is not applicable to an implementation, beyond what cases it takes."""

from __future__ import annotations

from collections.abc import Callable

from conformance.implementations.implementation import Differentiable, Implementation, precision


def torch_module(implementation: Implementation) -> str | None:
    """Needs a ``torch.nn.Module`` that can be built, kept and called again.

    An adapter that calls one says so by its attribute `adapts_module`.
    """
    if hasattr(implementation, "build"):
        return None
    adapted = getattr(implementation, "adapts_module", False)
    return "verified through an adapter, not as a torch module" if adapted else "not a torch module"


def unbatched_torch_module(implementation: Implementation) -> str | None:
    """Needs a torch module that takes input without a batch dimension."""
    takes = False in implementation.supports.batched
    return torch_module(implementation) or (None if takes else "takes no unbatched input")


def arrays_handed_on(implementation: Implementation) -> str | None:
    """Needs an implementation that can be given arrays of wrong shapes, and checks them itself."""
    if getattr(implementation, "hands_on_arrays", False):
        return None
    return torch_module(implementation)


def returning(*names: str) -> Callable[[Implementation], str | None]:
    """Needs the results of these names."""

    def reason(implementation: Implementation) -> str | None:
        absent = [name for name in names if name not in implementation.supports.results]
        return f"does not return {', '.join(absent)}" if absent else None

    return reason


def this_process(implementation: Implementation) -> str | None:
    """Needs an implementation that computes in the process that calls it."""
    return "runs in a process of its own" if getattr(implementation, "own_process", False) else None


def devices(implementation: Implementation) -> str | None:
    """Needs an implementation whose results live on devices."""
    here = this_process(implementation) is None and len(implementation.supports.devices) > 1
    return None if hasattr(implementation, "build") or here else "answers with NumPy arrays"


def gradients(implementation: Implementation) -> str | None:
    """Needs gradients, in an arithmetic for which they have a bound."""
    offers = hasattr(implementation, "build") or isinstance(implementation, Differentiable)
    if not (offers and implementation.supports.gradients):
        return "offers no gradients"
    declared = precision(implementation)
    if declared.storage or declared.weight_bits or declared.input_bits:
        return f"no bound on gradients is known for {', '.join(declared.described())}"
    return None


def dropout(implementation: Implementation) -> str | None:
    """Needs a torch module with dropout between layers."""
    if implementation.supports.dropout and implementation.supports.max_layers > 1:
        return torch_module(implementation)
    return "has no dropout between layers"
