"""Requirements on rows of different lengths in one packed batch."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from conformance.checking.comparison import agree, close, same_results
from conformance.checking.requirement import requirement
from conformance.checking.truth import truth
from conformance.implementations.implementation import Implementation, answer, checked, run
from conformance.implementations.torch_module import TorchModule
from conformance.requirements.errors import SHAPES, WITH_STATES
from conformance.requirements.helpers.needs import returning, torch_module
from conformance.requirements.helpers.refusals import refused, works_as_before
from conformance.requirements.helpers.torch_only import session as session_of
from conformance.requirements.helpers.torch_only import to_result, to_tensor
from conformance.requirements.parts import last_steps, rows, rows_of, shown_by_last_step
from conformance.requirements.variations import with_input
from reference import Array, Case, Result

PACKED = (
    "torch.nn.utils.rnn.pack_padded_sequence documentation; torch.nn.LSTM documentation: the "
    "input can be a packed variable length sequence"
)


@requirement(source=PACKED, level="sequence", lengths=True, share_of_cases=0.7)
def packed_batch_equals_rows_alone(implementation: Implementation, case: Case) -> float:
    """Each row of a packed batch gives the results of that row alone, cut to its length."""
    assert case.lengths is not None
    whole, bound = run(implementation, case), truth(case, implementation).bound
    worst = 0.0
    for row, length in enumerate(case.lengths):
        chosen = np.array([row])
        alone = run(implementation, replace(rows(case, chosen), lengths=None))
        padded = np.zeros_like(row_output(case, whole, row))
        padded[:length] = case.time_major(alone.output)[:, 0]
        worst = max(
            worst,
            close(
                f"output of row {row}",
                row_output(case, whole, row),
                padded,
                2 * row_output(case, bound, row),
            ),
            close("h_n", whole.h_n[:, row], alone.h_n[:, 0], 2 * bound.h_n[:, row]),
            close("c_n", whole.c_n[:, row], alone.c_n[:, 0], 2 * bound.c_n[:, row]),
        )
    return worst


def row_output(case: Case, result: Result, row: int) -> Array:
    """Select the output of one row, (T, features)."""
    return case.time_major(result.output)[:, row]


@requirement(source=PACKED, level="sequence", lengths=True, batch_size=(2, 33))
def order_of_lengths_does_not_matter(implementation: Implementation, case: Case) -> float:
    """Sorting the rows of a packed batch by length sorts the results in the same way."""
    assert case.lengths is not None
    order = np.argsort(-case.lengths, kind="stable")
    sorted_rows = rows(case, order)
    return same_results(
        implementation, sorted_rows, case, lambda result: rows_of(case, result, order)
    )


@requirement(source=PACKED, level="sequence", lengths=True)
def padding_is_irrelevant(implementation: Implementation, case: Case) -> float:
    """Input values beyond the length of a row do not change the results."""
    x = case.time_major(case.input).copy()
    beyond = ~case.valid_steps()
    x[beyond] = 1000
    return same_results(implementation, with_input(case, x), case)


@requirement(
    source="torch.nn.utils.rnn.pad_packed_sequence documentation: padding_value is 0 by default",
    level="sequence",
    applies=returning("output"),
    lengths=True,
)
def output_beyond_length_is_zero(implementation: Implementation, case: Case) -> None:
    """The output of each row is zero beyond the length of that row."""
    output = case.time_major(checked(answer(implementation, case), case).output)
    beyond = ~case.valid_steps()
    close("output beyond the lengths", output[beyond], np.zeros_like(output[beyond]), 0.0)


@requirement(
    source="torch.nn.LSTM documentation: when the input is a packed sequence, h_n is the final "
    "hidden state for each element in the sequence",
    level="sequence",
    applies=returning("output", "h_n"),
    lengths=True,
)
def h_n_is_last_valid_step(implementation: Implementation, case: Case) -> float:
    """In a packed batch, h_n is each row's output at the row's last step, or at 0 in reverse."""
    result = run(implementation, case)
    directions = case.configuration.num_directions
    last = last_steps(case, result.output)
    shown = partial(shown_by_last_step, case, result)
    return close("h_n", result.h_n[-directions:], last, 0.0, ending=shown)


@requirement(source=PACKED, level="sequence", lengths=True)
def full_lengths_equal_no_lengths(implementation: Implementation, case: Case) -> float:
    """Packing rows that all have the full length does not change the results."""
    full = replace(case, lengths=np.full(case.batch_size, case.seq_len))
    return same_results(implementation, full, replace(case, lengths=None))


@requirement(
    source="torch.Tensor.stride documentation: strides are a matter of storage, not of value",
    level="sequence",
    applies=torch_module,
    lengths=True,
    share_of_cases=0.2,
)
def layout_of_packed_data_does_not_matter(implementation: TorchModule, case: Case) -> float:
    """The data of a packed sequence can have gaps in memory, or be transposed."""
    from conformance.implementations.pytorch.wrapped import STRIDED, Wrapped

    module, known = implementation.build(case), truth(case, implementation)
    calls = (Wrapped.of(module, form, text) for text, form in STRIDED.items())
    answers = [to_result(implementation.call(each, case), case) for each in calls]
    return max(agree(each, known.result, known.bound) for each in answers)


@requirement(
    source=f"{SHAPES}; the packed input of torch.nn.utils.rnn.pack_padded_sequence is no exception",
    applies=torch_module,
    **{**WITH_STATES, "lengths": True},
    should=True,
)
def wrong_state_batch_is_refused_when_packed(implementation: TorchModule, case: Case) -> float:
    """Initial states for another number of rows are refused for packed input as well.

    The rows are packed with the lengths of the case in falling order, the last of them 1.
    """
    assert case.lengths is not None
    assert case.h_0 is not None
    assert case.c_0 is not None
    in_order = replace(case, lengths=np.append(np.sort(case.lengths)[:0:-1], 1))
    session = session_of(implementation, case)
    before = session.run(case)
    x, h, c = (to_tensor(each, case.device) for each in (case.input, case.h_0, case.c_0))
    for what, states in {
        "h_0 of one row with packed input": (h[:, :1], c),
        "c_0 of one row with packed input": (h, c[:, :1]),
        "states with one row too few with packed input": (h[:, 1:], c[:, 1:]),
    }.items():
        call = partial(_call_packed, implementation, session.module, in_order, x, states)
        refused(what, call, case.device)
    return works_as_before(session, before)


def _call_packed(implementation: TorchModule, module: Any, case: Case, x: Any, states: Any) -> None:
    """Call the module with rows packed in the order of the case, which is longest first."""
    from torch.nn.utils.rnn import pack_padded_sequence

    from conformance.implementations.pytorch import notes as torch_notes

    assert case.lengths is not None
    packing = torch_notes.packing(case, x, in_order=True)
    packed = pack_padded_sequence(x, case.lengths.tolist(), case.configuration.batch_first)
    packing.gave(packed)
    torch_notes.call(case, module, packed, states)
    with implementation.around():
        module(packed, states)
