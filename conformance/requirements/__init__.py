"""Every requirement, by family; importing this package registers them all."""

from conformance.checking.requirement import REGISTERED, Requirement
from conformance.requirements import (
    activations,
    batch,
    calls,
    constructors,
    devices,
    directions,
    dropout,
    dropout_masks,
    equations,
    errors,
    gradient_rounding,
    gradient_sums,
    gradients,
    graphs,
    interface,
    layers,
    lengths,
    module,
    not_finite,
    numerics,
    precision,
    real_sizes,
    relations,
    repeated,
    rounding,
    second_derivatives,
    states,
    stepwise_gradients,
    stored,
    symmetries,
    tiny,
    training,
    transforms,
    weights,
)

FAMILIES = (
    equations,
    interface,
    relations,
    states,
    calls,
    repeated,
    batch,
    layers,
    directions,
    lengths,
    activations,
    numerics,
    not_finite,
    tiny,
    symmetries,
    precision,
    gradient_sums,
    real_sizes,
    rounding,
    gradient_rounding,
    dropout,
    dropout_masks,
    gradients,
    stepwise_gradients,
    training,
    graphs,
    second_derivatives,
    stored,
    weights,
    module,
    errors,
    constructors,
    transforms,
    devices,
)

REQUIREMENTS: dict[str, Requirement] = {
    name: requirement
    for family in FAMILIES
    for name, requirement in REGISTERED.items()
    if requirement.body.__module__ == family.__name__
}
"""Every requirement by name, from the equations outwards."""

__all__ = ["FAMILIES", "REQUIREMENTS"]
