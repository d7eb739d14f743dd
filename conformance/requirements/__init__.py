"""Every requirement, by family; importing this package registers them all."""

from conformance.requirement import REGISTERED as REQUIREMENTS
from conformance.requirements import (
    batch,
    directions,
    dropout,
    equations,
    gradients,
    interface,
    layers,
    lengths,
    numerics,
    relations,
    states,
)

__all__ = ["REQUIREMENTS"]
