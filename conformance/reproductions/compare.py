"""The ending of a script that compares two arrays element by element."""

from __future__ import annotations

import decimal
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from conformance.recording.ending import Ending
from conformance.recording.operands import Literal, Text
from conformance.recording.steps import Comparison, Step
from conformance.reproductions.literals import number
from reference import Array

DIFFERS = "fault = differs({name}, {got}, {expected}, {allowed})"


def compare(name: str, arrays: Comparison, steps: Sequence[Step]) -> Ending:
    """Return the ending that compares two arrays, called `name`, after `steps`."""
    expected = arrays.expected
    if isinstance(expected, Literal):
        # only the numbers matter here, and an array without strides is easier to read
        expected = Literal(expected.array.astype(np.float64, order="C"), tensor=False)
    operands = {
        "name": Text(json.dumps(name + arrays.part, ensure_ascii=False)),
        "got": arrays.got,
        "expected": expected,
        "allowed": arrays.allowed,
    }
    return Ending(DIFFERS, operands, steps)


def allowance(allowed: Literal) -> Any:
    """Return the allowed differences, as one number where all elements have the same."""
    limit = short(allowed.array)
    if limit.size and (limit == limit.flat[0]).all() and np.isfinite(limit.flat[0]):
        return Text(number(limit.flat[0]))
    return Literal(limit, tensor=False)


def short(bound: Array) -> Array:
    """Round a bound up to three digits, which are easier to read."""
    up = decimal.Context(prec=3, rounding=decimal.ROUND_CEILING)
    wide = np.asarray(bound, np.float64)
    rounded = [float(up.create_decimal_from_float(value)) for value in wide.ravel().tolist()]
    return np.array(rounded).reshape(wide.shape)
