"""The smallest part of a given case that shows the fault alone, and its script."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from conformance.checking.engine import examine
from conformance.checking.finding import Finding
from conformance.implementations.implementation import Implementation
from conformance.judgement.causes import one_row, start_of
from conformance.judgement.layers import Layer
from conformance.judgement.verdict import Place, Wrong
from conformance.reproductions.directory import place, write
from conformance.reproductions.record import Subject, environment
from conformance.requirements import REQUIREMENTS
from conformance.requirements.parts import steps
from conformance.requirements.variations import with_axes_swapped
from conformance.running.deciding import diagnosed
from reference import Arithmetic, Case

REQUIREMENT = "results_match_reference"
"""The requirement that a wrong step does not meet."""
AFFORDABLE = 3e10
"""The product of steps squared and state size cubed up to which a part is judged on its own."""


def reproduce(
    implementation: Implementation,
    layer: Layer,
    wrong: Wrong,
    arithmetic: Arithmetic,
    root: Path | None,
) -> Wrong:
    """Return `wrong` with what the smallest part that is wrong by itself shows.

    That is the wrong step of the row alone, from its state; or, if that is right, the row up to
    there. A script is written below `root`, unless that is None.
    """
    for text, part in _parts(layer, wrong.place, arithmetic):
        size = part.configuration.hidden_size + part.configuration.output_size
        if part.seq_len**2 * size**3 > AFFORDABLE or implementation.supports.lacking_for(part):
            continue
        requirement = REQUIREMENTS[REQUIREMENT]
        found = examine(requirement.body, implementation, part)
        if not isinstance(found, Finding):
            wrong = replace(wrong, causes=(*wrong.causes, f"{text} is right."))
            continue
        verdict = found.verdict(REQUIREMENT, implementation.name, part.device)
        verdict = diagnosed(verdict, requirement, found)
        assert verdict.counterexample is not None
        lines = verdict.counterexample.diagnosis.lines()
        wrong = replace(wrong, causes=(*wrong.causes, f"{text} is wrong too.", *lines))
        if root is None:
            return wrong
        root = root / part.dtype.name
        again = shlex.join(["lstm-conformance", "replay", str(place(root, verdict))])
        known = environment(implementation.name)
        here = REQUIREMENT, implementation.name, part.device, str(Path.cwd()), again, known
        subject = Subject(*here)
        return replace(
            wrong, reproduction=write(root, requirement, subject, verdict, found).reproduction
        )
    return wrong


def _parts(layer: Layer, place: Place, arithmetic: Arithmetic) -> Iterator[tuple[str, Case]]:
    """Yield parts of `layer`, the smallest first, each with what it is in words."""
    parts = {"That step alone, from its state,": steps(start_of(layer, place, arithmetic), 0, 1)}
    case, _ = one_row(layer, place.row)
    if place.step >= 0 and not case.configuration.bidirectional:
        parts["That row alone, up to that step,"] = steps(case, 0, place.step + 1)
    parts["That row alone"] = case
    turned = layer.case.batched and layer.case.configuration.batch_first
    for text, part in parts.items():
        yield text, with_axes_swapped(part) if turned else part
