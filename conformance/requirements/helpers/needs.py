"""What a requirement needs of an implementation, beyond the cases that it takes.

Each returns the implementation, as the kind of implementation that it has been found to be, or
the reason why the requirement is not applicable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from conformance.implementations.implementation import (
    Implementation,
    is_differentiable,
    precision,
)
from conformance.implementations.torch_module import TorchModule, is_torch_module

Kind = TypeVar("Kind")


def torch_module(implementation: Implementation) -> TorchModule | str:
    """Needs a ``torch.nn.Module`` that can be built, kept and called again."""
    if is_torch_module(implementation):
        return implementation
    if implementation.supports.adapts_module:
        return "verified through an adapter, not as a torch module"
    return "not a torch module"


def unbatched(implementation: Implementation) -> Implementation | str:
    """Needs an implementation that takes input without a batch dimension."""
    return (
        implementation if False in implementation.supports.batched else "takes no unbatched input"
    )


def arrays_handed_on(implementation: Implementation) -> Implementation | str:
    """Needs an implementation that can be given arrays of wrong shapes, and checks them itself."""
    handed_on = implementation.supports.hands_on_arrays
    return implementation if handed_on else torch_module(implementation)


def returning(*names: str) -> Callable[[Implementation], Implementation | str]:
    """Needs the results of these names."""

    def needed(implementation: Implementation) -> Implementation | str:
        absent = [name for name in names if name not in implementation.supports.results]
        return f"does not return {', '.join(absent)}" if absent else implementation

    return needed


def this_process(implementation: Implementation) -> Implementation | str:
    """Needs an implementation that computes in the process that calls it."""
    return "runs in a process of its own" if implementation.supports.own_process else implementation


def devices(implementation: Implementation) -> Implementation | str:
    """Needs an implementation whose results live on devices."""
    here = not implementation.supports.own_process and len(implementation.supports.devices) > 1
    found = here or is_torch_module(implementation)
    return implementation if found else "answers with NumPy arrays"


def gradients(implementation: Implementation) -> Implementation | str:
    """Needs gradients, in an arithmetic for which they have a bound."""
    offers = is_torch_module(implementation) or is_differentiable(implementation)
    if not (offers and implementation.supports.gradients):
        return "offers no gradients"
    declared = precision(implementation)
    if declared.storage or declared.weight_bits or declared.input_bits:
        return f"no bound on gradients is known for {', '.join(declared.described())}"
    return implementation


def dropout(implementation: Implementation) -> TorchModule | str:
    """Needs a torch module with dropout between layers."""
    if implementation.supports.dropout and implementation.supports.max_layers > 1:
        return torch_module(implementation)
    return "has no dropout between layers"


def and_also(
    first: Callable[[Implementation], Kind | str], *others: Callable[[Implementation], object]
) -> Callable[[Implementation], Kind | str]:
    """Needs what `first` needs and what all `others` do; the reason is that of the first unmet."""

    def needed(implementation: Implementation) -> Kind | str:
        found = first(implementation)
        reasons = [found, *(other(implementation) for other in others)]
        return next((each for each in reasons if isinstance(each, str)), found)

    return needed
