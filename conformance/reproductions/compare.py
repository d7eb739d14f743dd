"""The end of a script that compares two arrays element by element."""

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
    """After `steps`, two arrays are compared element by element."""
    expected = arrays.expected
    if isinstance(expected, Literal):
        # only its numbers matter, and without strides they are easier to read
        expected = Literal(expected.array.astype(np.float64, order="C"), tensor=False)
    operands = {
        "name": Text(quoted(name)),
        "got": arrays.got,
        "expected": expected,
        "allowed": arrays.allowed,
    }
    return Ending(DIFFERS, operands, steps)


def allowance(allowed: Literal) -> Any:
    """What is allowed, as one number where it is the same everywhere."""
    limit = short(allowed.array)
    if limit.size and (limit == limit.flat[0]).all() and np.isfinite(limit.flat[0]):
        return Text(number(limit.flat[0]))
    return Literal(limit, tensor=False)


def quoted(text: str) -> str:
    """A text as Python, in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def short(bound: Array) -> Array:
    """A bound rounded up to three digits, which read better."""
    up = decimal.Context(prec=3, rounding=decimal.ROUND_CEILING)
    wide = np.asarray(bound, np.float64)
    told = [float(up.create_decimal_from_float(value)) for value in wide.ravel().tolist()]
    return np.array(told).reshape(wide.shape)
