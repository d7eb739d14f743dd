"""Every requirement, by family; importing this package registers them all."""

from conformance.requirement import REGISTERED as REQUIREMENTS
from conformance.requirements import (
    batch,
    devices,
    directions,
    dropout,
    equations,
    errors,
    gradients,
    interface,
    layers,
    lengths,
    module,
    numerics,
    relations,
    states,
    transforms,
)

__all__ = [
    "REQUIREMENTS",
    "batch",
    "devices",
    "directions",
    "dropout",
    "equations",
    "errors",
    "gradients",
    "interface",
    "layers",
    "lengths",
    "module",
    "numerics",
    "relations",
    "states",
    "transforms",
]
