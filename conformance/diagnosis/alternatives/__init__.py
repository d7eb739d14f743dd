"""Hypotheses on what is wrong with an LSTM: each is the reference with one change.

:data:`HYPOTHESES` lists the hypotheses on the whole network, the simplest first. For a case with
several layers or directions :func:`hypotheses` adds changes of some of them only.
"""

from __future__ import annotations

from collections.abc import Iterator

from conformance.diagnosis.alternatives.altered import AlteredLSTM
from conformance.diagnosis.alternatives.cells import CELLS
from conformance.diagnosis.alternatives.padding import PADDING
from conformance.diagnosis.alternatives.rows import ROWS
from conformance.diagnosis.alternatives.states import STATES, ZEROS
from conformance.diagnosis.alternatives.weights import BIASED_ORDERS, WEIGHTS
from conformance.diagnosis.alternatives.wiring import WIRING
from reference import Case

HYPOTHESES: tuple[AlteredLSTM, ...] = (
    ZEROS,
    *WEIGHTS,
    *CELLS,
    *STATES,
    *WIRING,
    *PADDING,
    *ROWS,
    *BIASED_ORDERS,
)
"""Every hypothesis on the whole network, the simplest first."""


def hypotheses(case: Case) -> Iterator[AlteredLSTM]:
    """Yield :data:`HYPOTHESES`, then local changes in each direction and in some layers only."""
    yield from HYPOTHESES
    # orders of gates with a forget bias are many, and are tried for the whole network only
    local = [each for each in HYPOTHESES if each.local and each not in BIASED_ORDERS]
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
