"""What a requirement finds on one case, and the diagnosis of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.checking.comparison import against_reference
from conformance.checking.counterexample import Diagnosis
from conformance.checking.engine import examine
from conformance.checking.finding import Finding
from conformance.diagnosis import diagnose
from conformance.implementations.failures import Failure
from conformance.implementations.implementation import Implementation
from conformance.recording.tape import Tape
from reference import Case

if TYPE_CHECKING:
    from conformance.checking.requirement import Body

UNHURRIED = 600.0
"""Seconds for a diagnosis, so many that it is the same on a loaded machine."""


def finding(
    implementation: Implementation, case: Case, body: Body[Any] = against_reference
) -> Finding:
    """What `body` finds, or a finding that says nothing where it holds."""
    came = examine(body, implementation, case)
    return came if isinstance(came, Finding) else Finding(implementation, case, Failure(), Tape())


def diagnosed(
    implementation: Implementation,
    case: Case,
    body: Body[Any] = against_reference,
    seconds: float = UNHURRIED,
) -> Diagnosis:
    """The diagnosis of what `body` finds on a case."""
    return diagnose(finding(implementation, case, body), seconds=seconds)
