"""The first of a few whole cases on which an adapter is wrong."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np

from conformance.checking.comparison import against_reference
from conformance.checking.engine import examine
from conformance.checking.finding import Finding
from conformance.diagnosis.richer import extreme
from conformance.implementations.by_hand import HandWritten
from conformance.implementations.by_hand.subjects import Subject
from conformance.implementations.failures import Failure
from conformance.requirements.gradients import gradients_match_backpropagation
from reference import Case, Configuration


def failure(mine: HandWritten) -> Finding | None:
    """Return what is found on the first of a few cases on which `mine` is wrong, None if on none.

    The cases are uniform in (-1, 1), and the simplest comes first: its failure is the easiest to
    read. The others show faults that need more than one row, step or unit. Then come cell states
    far from zero, and the gradients of one case.
    """
    cases = [*_ordinary(mine), *_far_from_zero(mine)]
    for case in cases:
        found = examine(against_reference, mine, case)
        if isinstance(found, Finding):
            return found
    if mine.supports.gradients:
        found = examine(gradients_match_backpropagation, mine, cases[1])
    return found if isinstance(found, Finding) else None


def _ordinary(mine: HandWritten) -> Iterator[Case]:
    sizes = ((1, 1, 1, 2), (2, 3, 5, 1), (3, 5, 4, 2), (4, 2, 6, 3))
    ragged = (False, True)[: 1 + mine.supports.lengths]
    for seed, (input_size, hidden_size, steps, rows) in enumerate(sizes):
        for states, of_each in product(mine.supports.states, ragged):
            lengths = np.maximum(steps - np.arange(rows)[::-1], 1) if of_each else None
            yield mine.small_case(
                mine.supports.dtypes[0],
                states=states,
                lengths=lengths,
                configuration=Configuration(input_size, hidden_size),
                steps=steps,
                rows=rows,
                fill=partial(np.random.default_rng(seed).uniform, -1, 1),
            )


def _far_from_zero(mine: HandWritten) -> Iterator[Case]:
    """Yield a case with cell states far from zero: given ones, or the sum of many steps."""
    for states in mine.supports.states:
        if mine.small.num_layers == 1 and (states or mine.biased):
            yield extreme(mine.small_case(mine.supports.dtypes[0], states=states), 5)


def unused_lengths(mine: HandWritten, case: Case) -> list[str]:
    """Say that lengths have no effect, if final states are the same without them."""
    if case.lengths is None:
        return []
    short = mine.small_case(
        case.dtype.name,
        states=mine.supports.states[0],
        steps=4,
        lengths=np.array([1, 4]),
        fill=partial(np.random.default_rng(6).uniform, -1, 1),
    )
    with contextlib.suppress(Failure):
        of_all, of_each = (mine.run(each).h_n for each in (replace(short, lengths=None), short))
        if np.array_equal(of_all, of_each):
            return ["lengths have no effect: rows go on through the steps after their end"]
    return []


def squeezed(case: Case, made: Subject) -> list[str]:
    """Say that a class has a squeeze of any axis, if it is wrong in a case of some size 1."""
    sizes = case.configuration.hidden_size, case.batch_size, case.seq_len
    for each in made.classes if 1 in sizes else ():
        try:
            found = re.search(r"\.squeeze\((\w+)?\)(?!\s*#)", inspect.getsource(each))
        except (OSError, TypeError):
            continue
        if found and not (found[1] or "").isdigit():
            return [f"{found[0]} drops every axis of size 1: name the axis, as squeeze(0)"]
    return []
