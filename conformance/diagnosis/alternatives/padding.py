"""LSTMs that take the padding of shorter rows for steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conformance.diagnosis.alternatives.altered import AlteredLSTM, unchanged
from conformance.diagnosis.alternatives.states import by_length
from conformance.requirements.parts import last_steps
from conformance.requirements.variations import with_input
from reference import Array, Case, Result


def padding(case: Case) -> Array:
    """Mark steps (T, N) beyond the length of a row; raises :class:`ValueError` without lengths."""
    if case.lengths is None:
        raise ValueError("no lengths")
    return ~case.valid_steps()


def padded_with_zeros(case: Case) -> Case:
    """Replace the input beyond the lengths by zeros."""
    x = np.where(padding(case)[..., None], 0, case.time_major(case.input))
    return with_input(case, x)


def zeroed_afterwards(case: Case, result: Result) -> Result:
    """Zero the output beyond the lengths, and read h_n of the top layer at the last valid step."""
    if case.lengths is None:
        return result
    output = np.where(padding(case)[..., None], 0, case.time_major(result.output))
    output, h_n = case.user_order(output), result.h_n.copy()
    h_n[-case.configuration.num_directions :] = last_steps(case, output)
    return Result(output, h_n, result.c_n)


def last_of_padded(case: Case, result: Result) -> Result:
    """Read h_n of the top layer at the last step of the padded output, whatever the length."""
    if case.lengths is None:
        return result
    output = np.where(padding(case)[..., None], 0, case.time_major(result.output))
    count, h_n = case.configuration.num_directions, result.h_n.copy()
    h_n[-count:] = np.stack(np.split(output[-1], count, -1))
    return replace(result, h_n=h_n)


def last_of_padded_alone(case: Case, result: Result) -> Result:
    """Read h_n as :func:`last_of_padded`, and the output of the last step of each row from h_n."""
    if case.lengths is None or case.configuration.bidirectional:
        return result
    changed = last_of_padded(case, result)
    output = case.time_major(result.output).copy()
    output[case.lengths - 1, np.arange(case.batch_size)] = changed.h_n[-1]
    return replace(changed, output=case.user_order(output))


def sorted_by_length(case: Case, result: Result) -> Result:
    """Return everything with the longest row first."""
    if case.lengths is None:
        return result
    order = by_length(case)
    # what lies beyond the end of a row, by the lengths as they were, is not looked at
    output = np.where(padding(case)[..., None], 0, case.time_major(result.output)[:, order])
    return Result(case.user_order(output), result.h_n[:, order], result.c_n[:, order])


def zero_states(case: Case, result: Result) -> Result:
    """Return zeros for the final states of rows that end before others."""
    if case.lengths is None:
        return result
    whole = (case.lengths == case.seq_len)[:, None]
    return Result(result.output, result.h_n * whole, result.c_n * whole)


PADDING = (
    AlteredLSTM("that returns all results with rows sorted by length", result=sorted_by_length),
    AlteredLSTM(
        "that returns zeros for the final states of rows that end before others",
        result=zero_states,
    ),
    AlteredLSTM("that ignores lengths", case=lambda case: replace(case, lengths=None)),
    AlteredLSTM(
        "that ignores lengths and afterwards zeroes the output beyond the lengths",
        case=lambda case: replace(case, lengths=None),
        result=zeroed_afterwards,
    ),
    AlteredLSTM(
        "that takes the last step of the padded output for h_n, though shorter rows ended before",
        result=last_of_padded,
    ),
    AlteredLSTM(
        "that takes the last step of the padded output for h_n, though shorter rows ended before, "
        "and returns h_n alone",
        result=last_of_padded_alone,
    ),
    *(
        AlteredLSTM(f"{what} the padding{read}", active=active, case=case)
        for read, case in (("", unchanged), (", which it reads as zeros", padded_with_zeros))
        for what, active in (
            ("whose states keep changing in", lambda valid, _: np.ones_like(valid)),
            (
                "whose reverse direction starts in",
                lambda valid, suffix: valid | suffix.endswith("_reverse"),
            ),
        )
    ),
)
"""Every hypothesis on lengths."""
