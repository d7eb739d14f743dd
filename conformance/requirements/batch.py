"""Requirements on batches: each row is computed independently of the others."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from conformance.checking.comparison import agree, plus, same_results
from conformance.checking.requirement import requirement
from conformance.checking.truth import truth
from conformance.implementations.implementation import Implementation, run
from conformance.requirements.helpers.needs import supporting
from conformance.requirements.parts import rows, rows_of
from conformance.requirements.variations import converted, packed, with_input
from reference import Case, Result

EQUATIONS = "torch.nn.LSTM documentation: for each element in the input sequence the equations hold"


@requirement(source=EQUATIONS, level="core", batched=True, batch_size=(2, 33), lengths=False)
def rows_do_not_interact(implementation: Implementation, case: Case) -> float:
    """Changing the inputs and states of all other rows does not change the results of a row."""
    kept = np.array([case.seq_len % case.batch_size])
    x = case.time_major(case.input).copy()
    others = np.arange(case.batch_size) != kept[0]
    x[:, others] = -x[:, others] + 1
    changed = with_input(case, x)
    if case.h_0 is not None and case.c_0 is not None:
        h_0, c_0 = case.h_0.copy(), case.c_0.copy()
        h_0[:, others], c_0[:, others] = -h_0[:, others] + 1, -c_0[:, others] + 1
        changed = replace(changed, h_0=h_0, c_0=c_0)
    bounds = [rows_of(case, truth(each, implementation).bound, kept) for each in (case, changed)]
    before = rows_of(case, run(implementation, case), kept)
    after = rows_of(case, run(implementation, changed), kept)
    return agree(after, before, plus(*bounds))


@requirement(source=EQUATIONS, level="core", batched=True, batch_size=(2, 33))
def permuting_rows_permutes_results(implementation: Implementation, case: Case) -> float:
    """Permuting the rows of a batch permutes the rows of the results in the same way."""
    order = np.roll(np.arange(case.batch_size)[::-1], case.batch_size // 2)
    permuted = rows(case, order)
    return same_results(implementation, permuted, case, lambda whole: rows_of(case, whole, order))


@requirement(source=EQUATIONS, level="core", batched=True, batch_size=(2, 33), lengths=False)
def splitting_a_batch_changes_nothing(implementation: Implementation, case: Case) -> float:
    """Splitting a batch into two smaller ones does not change the results of any row."""
    middle = (case.batch_size + 1) // 2
    whole, bound = run(implementation, case), truth(case, implementation).bound
    worst = 0.0
    for chosen in np.split(np.arange(case.batch_size), [middle]):
        part = run(implementation, rows(case, chosen))
        allowed = rows_of(case, bound, chosen)
        worst = max(worst, agree(part, rows_of(case, whole, chosen), plus(allowed, allowed)))
    return worst


@requirement(
    source="torch.nn.LSTM documentation, 'Outputs': shapes with a batch of N rows, of which there "
    "may be none",
    level="sequence",
    applies=supporting(lambda each: each.empty_batch, "does not take an empty batch"),
    share_of_cases=0.5,
    batched=True,
    lengths=False,
    batch_size=(1, 1),
)
def empty_batch_gives_empty_results(implementation: Implementation, case: Case) -> float:
    """A batch without rows gives results without rows, of the documented shapes."""
    empty = rows(case, np.array([], int))
    shapes = (
        empty.output_shape(),
        empty.state_shape(case.configuration.output_size),
        empty.state_shape(case.configuration.hidden_size),
    )
    nothing = Result.of(np.zeros(shape) for shape in shapes)
    return agree(run(implementation, empty), nothing, nothing)


@requirement(
    source=EQUATIONS,
    level="sequence",
    share_of_cases=0.2,
    batched=True,
    lengths=False,
    batch_size=(3, 3),
    seq_len=(1, 4),
    hidden_size=(1, 8),
    input_size=(1, 8),
    weights=["default", "unit", "small"],
)
def large_batches_agree_with_rows_alone(implementation: Implementation, case: Case) -> float:
    """In a batch of hundreds of rows, each row gives the same results as in a small batch.

    In rows of different lengths, which are packed, it is so in each dtype.
    """
    many = np.arange(257 + 64 * case.seq_len) % case.batch_size
    forms, supports = [case], implementation.supports
    if supports.lengths:
        forms += [converted(packed(case), dtype) for dtype in supports.dtypes]
    return max(
        same_results(implementation, rows(form, many), form, partial(rows_of, form, chosen=many))
        for form in forms
    )
