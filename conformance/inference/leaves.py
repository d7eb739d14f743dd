"""Answers taken apart: their arrays, and their form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.implementations.by_hand.answers import attributes
from conformance.implementations.by_hand.subjects import Subject
from conformance.inference.numbers import FIRST, SECOND
from reference import Array


@dataclass(frozen=True, eq=False)
class Leaf:
    """One array of an answer, in float64.

    - `module`: the submodule that got the array as its input; empty if the array was returned
    - `listed`: whether the array was a list of one array for each step
    - `dtype`: the dtype in which the array was returned
    """

    array: Array
    module: str = ""
    listed: bool = False
    dtype: Any = None


@dataclass(frozen=True, eq=False)
class Returned:
    """An answer: its arrays, `leaves`; its `form`, which has the index of a leaf in place of each.

    `modules` are the inputs of submodules.
    """

    form: Any
    leaves: list[Leaf]
    modules: list[Leaf]


def form_of(answer: Any, made: Subject, leaves: list[Leaf]) -> Any:
    """Return `answer` with the index of a leaf in place of each array, which goes to `leaves`."""
    if hasattr(answer, "_fields"):  # a named tuple
        answer = attributes(answer)
    if isinstance(answer, Mapping):
        return {key: form_of(value, made, leaves) for key, value in answer.items()}
    if isinstance(answer, (tuple, list)):
        parts = [made.taken(part, "a part") if hasattr(part, "shape") else None for part in answer]
        steps = [part for part in parts if part is not None]
        alike = len(steps) == len(parts) and len({part.shape for part in steps}) == 1
        if alike and len(parts) in (FIRST, SECOND):
            leaves.append(leaf_of(np.stack(steps), listed=True))
            return len(leaves) - 1
        if isinstance(answer, list) and len(answer) in (FIRST, SECOND):
            return None  # what a backward pass would need of each step, say
        return tuple(form_of(part, made, leaves) for part in answer)
    if answer is None or isinstance(answer, (str, int, float)):
        return None
    if not hasattr(answer, "shape") and (parts_by_name := attributes(answer)):
        return {key: form_of(value, made, leaves) for key, value in parts_by_name.items()}
    leaves.append(leaf_of(made.taken(answer, "the answer")))
    return len(leaves) - 1


def leaf_of(array: Array, listed: bool = False) -> Leaf:
    """Make a leaf of an array of any dtype."""
    return Leaf(array.astype(np.float64), listed=listed, dtype=array.dtype)


def by_part(answers: list[Any]) -> Any:
    """Return the answers to one call for each step, for each of their parts if they are tuples."""
    if all(isinstance(each, tuple) for each in answers):
        return tuple(map(list, zip(*answers, strict=True)))
    return answers
