"""Hypotheses on what is wrong with an LSTM: each is the reference with one change.

:data:`HYPOTHESES` lists them, the simplest first; :func:`hypotheses` adds what can be said of a
case with several layers or directions.
"""

from __future__ import annotations

from collections.abc import Iterator

from conformance.diagnosis.alternatives.altered import AlteredLSTM
from conformance.diagnosis.alternatives.cells import CELLS
from conformance.diagnosis.alternatives.states import STATES, ZEROS
from conformance.diagnosis.alternatives.weights import WEIGHTS
from conformance.diagnosis.alternatives.wiring import WIRING
from reference import Case

HYPOTHESES: tuple[AlteredLSTM, ...] = (ZEROS, *WEIGHTS, *CELLS, *STATES, *WIRING)
"""Every hypothesis that is about the whole network."""


def hypotheses(case: Case) -> Iterator[AlteredLSTM]:
    """All of them, then those that can be about a part of the network, for each part of it."""
    yield from HYPOTHESES
    local = [each for each in HYPOTHESES if each.local]
    if case.configuration.bidirectional:
        for each in local:
            yield each.only("in the reverse direction only", lambda s: s.endswith("_reverse"))
        for each in local:
            yield each.only("in the forward direction only", lambda s: not s.endswith("_reverse"))
    if case.configuration.num_layers > 1:
        for each in local:
            yield each.only("in the layers above the lowest only", lambda s: s[:3] != "_l0")
        for each in local:
            yield each.only("in the lowest layer only", lambda s: s[:3] == "_l0")


__all__ = ["HYPOTHESES", "AlteredLSTM", "hypotheses"]
