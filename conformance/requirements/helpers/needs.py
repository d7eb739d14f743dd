"""Needs: what a requirement asks of an implementation, beyond the cases that it can run.

Each function returns the implementation, typed as what it was found to be, or else a string: the
reason why the requirement is not applicable, to be read after the name of the implementation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from conformance.implementations.by_hand.usage import Usage
from conformance.implementations.implementation import (
    Implementation,
    is_differentiable,
    precision,
)
from conformance.implementations.torch_module import TorchModule, is_torch_module
from strategies import Support

Kind = TypeVar("Kind")


def torch_module(implementation: Implementation) -> TorchModule | str:
    """Need a ``torch.nn.Module`` that can be built, kept and called again."""
    if is_torch_module(implementation):
        return implementation
    if implementation.supports.adapts_module:
        return "verified through an adapter, not as a torch module"
    return "not a torch module"


def supporting(
    met: Callable[[Support], bool], reason: str
) -> Callable[[Implementation], Implementation | str]:
    """Need an implementation whose support meets a condition; `reason` if it does not."""
    return lambda implementation: implementation if met(implementation.supports) else reason


def offering(what: str, text: str) -> Callable[[Implementation], Implementation | str]:
    """Need an implementation that offers `what`, a field of its support, called `text`."""
    return supporting(lambda each: bool(getattr(each, what)), f"does not offer {text}")


unbatched = supporting(lambda each: False in each.batched, "does not take unbatched input")
"""Need an implementation that takes input without a batch dimension."""


def arrays_handed_on(implementation: Implementation) -> Implementation | str:
    """Need an implementation that can be given arrays of wrong shapes, and checks them itself."""
    handed_on = implementation.supports.hands_on_arrays
    return implementation if handed_on else torch_module(implementation)


def returning(*names: str) -> Callable[[Implementation], Implementation | str]:
    """Need an implementation that returns the results of these names."""

    def needed(implementation: Implementation) -> Implementation | str:
        absent = [name for name in names if name not in implementation.supports.results]
        return f"does not return {', '.join(absent)}" if absent else implementation

    return needed


def at_once(implementation: Implementation) -> Implementation | str:
    """Need an implementation whose output takes one call, and not one for each of its steps."""
    usage = getattr(implementation, "usage", None)  # that of a hand-written one
    ends = type(usage) is Usage and not usage.shows_steps
    return "returns no output, which would take a call for each step" if ends else implementation


this_process = supporting(lambda each: not each.own_process, "runs in a separate process")
"""Need an implementation that computes in the process that calls it."""


def devices(implementation: Implementation) -> Implementation | str:
    """Need an implementation whose results are tensors on a device."""
    here = not implementation.supports.own_process and len(implementation.supports.devices) > 1
    found = here or is_torch_module(implementation)
    return implementation if found else "returns NumPy arrays"


def gradients(implementation: Implementation) -> Implementation | str:
    """Need gradients, computed in an arithmetic for which a bound on them is known."""
    offers = is_torch_module(implementation) or is_differentiable(implementation)
    if not (offers and implementation.supports.gradients):
        return "does not offer gradients"
    declared = precision(implementation)
    if declared.storage or declared.weight_bits or declared.input_bits:
        return f"no bound on gradients is known for {', '.join(declared.described())}"
    return implementation


def dropout(implementation: Implementation) -> TorchModule | str:
    """Need a torch module with dropout between layers."""
    if implementation.supports.dropout and implementation.supports.max_layers > 1:
        return torch_module(implementation)
    return "has no dropout between layers"


def and_also(
    first: Callable[[Implementation], Kind | str], *others: Callable[[Implementation], object]
) -> Callable[[Implementation], Kind | str]:
    """Combine needs: the reason is that of the first need that is not met."""

    def needed(implementation: Implementation) -> Kind | str:
        found = first(implementation)
        reasons = [found, *(other(implementation) for other in others)]
        return next((each for each in reasons if isinstance(each, str)), found)

    return needed
