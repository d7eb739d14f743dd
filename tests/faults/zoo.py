"""All faulty LSTMs, by family.

Each is a class with one fault, which its docstring confesses. ``bug`` names known faults of real
implementations, as listed in bugs.tsv, "" where the fault is merely plausible; ``caught_by`` names
the requirement that must catch it.
"""

from __future__ import annotations

import csv
from pathlib import Path
from types import ModuleType
from typing import Any

from conformance import Implementation
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

FAULTS: list[Fault] = [fault for faults in FAMILIES.values() for fault in faults]


def implementation(fault: Fault) -> Implementation:
    """What the suite verifies: the class adapted, or itself if it is an implementation.

    Settings of the process that the fault changes while it is tried are restored.
    """
    if hasattr(fault, "run"):
        own: Implementation = fault()
        return own
    with process_state.restored():
        return adapt(fault, fault.__name__)


def known_bugs() -> dict[str, dict[str, str]]:
    """The rows of bugs.tsv by their id: project, url and description."""
    path = Path(__file__).with_name("bugs.tsv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["id"]: row for row in rows}
