"""From a case to the calls of a hand-written LSTM, and to its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from conformance.implementations.by_hand.expressions import LENGTHS
from conformance.implementations.by_hand.usage import Run, lengths_of
from conformance.implementations.failures import NoResult
from conformance.implementations.implementation import documented_shapes, without_padding
from reference import Case, Result

if TYPE_CHECKING:
    from conformance.implementations.by_hand.adapter import HandWritten


def begun(mine: HandWritten, case: Case) -> tuple[Run, tuple[str, int]]:
    """Return what computes `case`, and where embedded input is, if it is embedded."""
    asked = case.configuration.num_layers, case.configuration.bidirectional
    if asked != (mine.small.num_layers, mine.small.bidirectional):
        raise NoResult(f"the adapter computes {mine.small!r}, not {case.configuration!r}")
    made, arrays = mine.subject(case), case.arguments()
    size, columns = case.configuration.hidden_size, mine.usage.columns
    if mine.is_function:
        own = mine.parameters.of(case)
        # where rows of the batch are columns, a bias is a column
        arrays |= {k: a[:, None] if columns and a.ndim == 1 else a for k, a in own.items()}
    if mine.usage.call.starts_at_zero or mine.usage.draws:
        zeros = np.zeros(case.state_shape(size), case.dtype.numpy)
        arrays = {"h_0": zeros, "c_0": zeros, **arrays}
    x = arrays.pop("input")
    embedded = made.embed(mine.embedding, x) if mine.embedding else (made.given(x), "", 0)
    given = {"input": embedded[0], **{name: made.given(each) for name, each in arrays.items()}}
    given |= made.constants(mine.usage.call.names, size, columns, case.dtype.numpy)
    if LENGTHS in mine.usage.call.names:
        given[LENGTHS] = made.given(lengths_of(case))
    return Run(mine.usage, made, case, given, mine.around), embedded[1:]


def computed(mine: HandWritten, case: Case) -> Result:
    """Compute `case`; what is not returned is NaN."""
    run, _ = begun(mine, case)
    results = run.results()
    arrays = {
        name: run.made.taken(results[name], name)
        if name in results and (name in mine.returned or f"top_{name}" in mine.returned)
        else np.full(shape, np.nan, case.dtype.numpy)
        for name, shape in documented_shapes(case).items()
    }
    devices = {name: str(getattr(value, "device", "cpu")) for name, value in results.items()}
    result = Result(arrays["output"], arrays["h_n"], arrays["c_n"], devices)
    # what comes beyond the end of a row is not output, and few classes set it to zero
    return without_padding(result, case)
