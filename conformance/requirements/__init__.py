"""Every requirement, by family; importing this package registers them all."""

from conformance.requirement import REGISTERED as REQUIREMENTS
from conformance.requirements import equations, interface, relations

__all__ = ["REQUIREMENTS", "equations", "interface", "relations"]
