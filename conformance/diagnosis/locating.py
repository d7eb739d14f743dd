"""Locating the first wrong element, in the whole case and in parts of it that are run alone."""

from __future__ import annotations

import numpy as np

from conformance.checking.counterexample import Diagnosis, Place
from conformance.checking.truth import Truth, is_small, judged
from conformance.diagnosis.extent import extent
from conformance.diagnosis.gates import step_alone, wrong_gates
from conformance.diagnosis.parting import Parting, first_parting, right
from conformance.diagnosis.recording import Recording
from conformance.requirements.parts import first_layers, rows
from reference import Case, Result, trace


def located(recording: Recording, case: Case, got: Result, known: Truth) -> Diagnosis:
    """Describe where results first differ, in the whole case and in parts of it that are run alone.

    The lowest layers are run without those above, then the wrong row, then the wrong step.
    """
    part = first_parting(case, got, known)
    if part is None:
        return Diagnosis()
    layers, of = case.configuration.num_layers, "" if part.name == "output" else f"{part.name} of "
    seen = "output" in recording.supports.results
    rest = "The output is right; the" if seen and of and part.layer == layers - 1 else "The"
    parted = f"{rest} results first differ in {of}{part.place(case)}: {part}."
    place = Place(
        part.name, part.index, part.layer, part.direction, part.step, part.row, part.feature
    )
    details = []
    for count in range(1, layers):
        cut = first_layers(case, count)
        answer = recording.answer(cut)
        if answer is None:
            break
        expected = judged(recording.implementation, cut, answer)
        lower = first_parting(cut, answer, expected)
        if lower is not None:
            lowest = "lowest layer" if count == 1 else f"lowest {count} layers"
            details.append(
                f"With the {lowest} alone, results first differ in {lower.place(cut)}: {lower}."
            )
            case, got, known, part = cut, answer, expected, lower
            break
        if not right(answer, expected):
            break
    else:
        if layers > 1:
            below = "layer below is" if layers == 2 else "layers below are"
            details.append(f"Without the top layer, the {below} right.")
    if case.batched and case.batch_size > 1:
        alone = rows(case, np.array([part.row]))
        answer = recording.answer(alone)
        if answer is not None and right(answer, judged(recording.implementation, alone, answer)):
            details.append(f"In a batch of its own, row {part.row} is right.")
            return Diagnosis(parted=parted, details=tuple(details), place=place)
    details += extent(case, got, known, part)
    if is_small(case):
        details += _about_the_step(recording, case, got, known, part)
    return Diagnosis(parted=parted, details=tuple(details), place=place)


def _about_the_step(
    recording: Recording, case: Case, got: Result, known: Truth, part: Parting
) -> list[str]:
    """Describe the step in which results first differ, run as a separate LSTM."""
    configuration, nth = case.configuration, part.nth
    if case.lengths is not None:
        length = int(case.lengths[part.row])
        if part.step >= length:
            return []
        if part.step < 0 and not part.direction:
            nth = length - 1
    layers = trace(case).layers
    if len(layers) == case.seq_len == 1:
        gates = wrong_gates(recording, case, got, known)
        return [f"In this step {gates}."] if gates else []
    if True not in recording.supports.states or False not in recording.supports.bidirectional:
        return []
    layer = layers[part.layer * configuration.num_directions + part.direction]
    alone = step_alone(case, layer, nth)
    answer = recording.answer(alone)
    if answer is None:
        return []
    expected = judged(recording.implementation, alone, answer)
    if right(answer, expected):
        return ["That step as a separate LSTM, from its true input and states, is right."]
    if first_parting(alone, answer, expected) is None:
        return []
    gates = wrong_gates(recording, alone, answer, expected)
    separate = "In that step as a separate LSTM, from its true input and states"
    return [f"{separate}, {gates}."] if gates else []
