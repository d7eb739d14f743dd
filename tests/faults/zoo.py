"""All faulty LSTMs, by family.

Each is a class with one fault, which its docstring confesses. ``bug`` names known faults of real
implementations, as listed in bugs.tsv, "" where the fault is merely plausible; ``caught_by`` names
the requirement that must catch it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from conformance import REQUIREMENTS, Implementation
from conformance.checking import process_state
from conformance.implementations.pytorch.probing import adapt

from . import (
    batch,
    calls,
    cells,
    crashes,
    devices,
    directions,
    dropout,
    dropout_masks,
    equations,
    errors,
    gradients,
    graphs,
    initialisation,
    layers,
    layout,
    lengths,
    manners,
    modules,
    narrow,
    numerics,
    rounding,
    sizes,
    states,
    subnormals,
    sums,
    training,
)

Fault = type[Any]


def known_bugs() -> dict[str, dict[str, str]]:
    """The rows of bugs.tsv by their id: project, url and description."""
    path = Path(__file__).with_name("bugs.tsv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["id"]: row for row in rows}


def _faults(family: ModuleType) -> list[Fault]:
    own = (value for value in vars(family).values() if isinstance(value, type))
    return [cls for cls in own if cls.__module__ == family.__name__ and "caught_by" in vars(cls)]


FAMILIES: dict[str, list[Fault]] = {
    family.__name__.rpartition(".")[2]: _faults(family)
    for family in (
        equations,
        states,
        layers,
        directions,
        layout,
        batch,
        lengths,
        dropout,
        dropout_masks,
        gradients,
        errors,
        numerics,
        sums,
        subnormals,
        rounding,
        narrow,
        sizes,
        initialisation,
        modules,
        devices,
        crashes,
        manners,
        cells,
        calls,
        training,
        graphs,
    )
}


def checked(faults: Iterable[Fault]) -> list[Fault]:
    """Return the faults; raises :class:`ValueError` where one names what does not exist."""
    found, bugs = list(faults), known_bugs()
    for fault in found:
        if fault.caught_by not in REQUIREMENTS:
            raise ValueError(
                f"{fault.__name__} names {fault.caught_by!r}, which is no requirement: is it "
                "misspelled, or its module not in FAMILIES of conformance/requirements/__init__.py?"
            )
        if unknown := sorted(set(fault.bug.split()) - set(bugs)):
            raise ValueError(
                f"{fault.__name__} names {', '.join(unknown)}, of which bugs.tsv has no row"
            )
    return found


FAULTS: list[Fault] = checked(fault for faults in FAMILIES.values() for fault in faults)


def implementation(fault: Fault) -> Implementation:
    """What the suite verifies: the class adapted, or itself if it is an implementation.

    Settings of the process that the fault changes while it is tried are restored.
    """
    if hasattr(fault, "run"):
        own: Implementation = fault()
        return own
    with process_state.restored():
        return adapt(fault, fault.__name__)
