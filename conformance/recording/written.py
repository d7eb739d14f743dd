"""Cases and steps as JSON, and back, in a file that grows line by line.

A value of one of :data:`KINDS` is an object with its `kind` and its fields. An array that stands in
the file already is not written again, but named by its number. Reading runs no code of others: it
makes objects of these kinds only, with the fields that these have.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from conformance.recording.json import SPELLED, Damaged, spelled
from conformance.recording.operands import OPERANDS
from conformance.recording.steps import Step
from conformance.recording.strides import storage
from reference import DTYPES, Array, Case, Configuration

_JSON = json.JSONEncoder(default=repr)

MANY = 2**13
"""The size from which on it is worth while to see whether an array repeats itself."""

KINDS: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (Case, Configuration, Step, *OPERANDS)
}
"""The dataclasses that can be written, by name."""


PLAIN = frozenset({str, int, bool, type(None)})
"""The types of most values, which are written as they are."""


class Writer:
    """Converts values to lines; it remembers which arrays were written."""

    def __init__(self) -> None:
        # by id, because arrays cannot be keys; keeping the arrays keeps their ids from being reused
        self._numbers: dict[int, int] = {}
        self._kept: list[Array] = []

    def line(self, value: Any) -> bytes:
        """Convert `value` to a line of ASCII; an object of another kind becomes its description."""
        return _JSON.encode(self._encode(value)).encode() + b"\n"

    def _encode(self, value: Any) -> Any:
        of = type(value)
        if of in PLAIN:
            return value
        kind = of.__name__
        if KINDS.get(kind) is of:
            parts = {name: self._encode(part) for name, part in vars(value).items()}
            if isinstance(value, Case):
                parts["dtype"] = value.dtype.name
            return {"kind": kind, **parts}
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            return self._array(value)
        if isinstance(value, tuple):
            return {"kind": "tuple", "of": [self._encode(each) for each in value]}
        if isinstance(value, Mapping):
            return {"kind": "mapping", "of": {str(k): self._encode(v) for k, v in value.items()}}
        if isinstance(value, list):
            return [self._encode(each) for each in value]
        if isinstance(value, float) and not math.isfinite(value):
            return {"kind": "number", "of": spelled(value)}
        return value

    def _array(self, array: Array) -> dict[str, Any]:
        number = self._numbers.setdefault(id(array), len(self._kept))
        if number < len(self._kept):
            return {"kind": "same", "of": number}
        self._kept.append(array)
        numbers = _once(array)
        text = base64.b64encode(numbers.tobytes()).decode()
        written = {"dtype": array.dtype.name, "shape": array.shape, "base64": text}
        repeated = {} if numbers is array else {"repeated": True}
        return {"kind": "array", **written, **repeated, "strides": array.strides}


def _once(array: Array) -> Array:
    """Give the first numbers of a large `array` that repeats them, as it was drawn; else itself."""
    if array.size < MANY or not array.flags.c_contiguous or array.itemsize not in (2, 4, 8):
        return array
    from strategies.tensors import PERIOD  # which imports Hypothesis, and most arrays are small

    bits = array.reshape(-1).view(f"u{array.itemsize}")
    repeats = np.array_equal(bits[PERIOD:], bits[:-PERIOD])
    return array.reshape(-1)[:PERIOD] if repeats else array


class Reader:
    """Converts the lines of one file back, in their order."""

    def __init__(self) -> None:
        self._arrays: list[Array] = []

    def value(self, line: bytes) -> Any:
        """Convert what :meth:`Writer.line` returned back; raises :class:`Damaged` for any other."""
        try:
            return self._decode(json.loads(line))
        except Damaged:
            raise
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise Damaged(str(error)) from error
        except (MemoryError, OverflowError, RecursionError) as error:
            raise Damaged("too large") from error

    def _decode(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._decode(each) for each in value]
        if not isinstance(value, dict):
            return value
        kind: str = value["kind"]
        of: Any = value.get("of")
        if kind in KINDS:
            return self._object(KINDS[kind], {k: value[k] for k in value if k != "kind"})
        if kind == "array":
            self._arrays.append(self._array(value))
        if kind in ("array", "same"):
            return self._arrays[-1 if of is None else of]
        if kind == "number":
            return SPELLED[of]
        if kind == "mapping":
            return {name: self._decode(each) for name, each in of.items()}
        if kind == "tuple":
            return tuple(map(self._decode, of))
        raise Damaged(f"unknown kind {kind!r}")

    def _object(self, kind: type[Any], parts: dict[str, Any]) -> Any:
        """Make an object without checks: cases can be impossible ones, to be refused."""
        if kind is Configuration:
            return Configuration.unchecked(**parts)
        strange = set(parts) - {each.name for each in fields(kind)}
        if strange:
            raise Damaged(f"unknown {', '.join(sorted(strange))}")
        made = {name: self._decode(part) for name, part in parts.items()}
        if kind is Case:
            return Case.unchecked(**{**made, "dtype": DTYPES[made["dtype"]]})
        return kind(**made)

    @staticmethod
    def _array(value: dict[str, Any]) -> Array:
        name, shape, strides = value["dtype"], tuple(value["shape"]), tuple(value["strides"])
        dtype = DTYPES[name].numpy if name in DTYPES else np.dtype(name)
        numbers = np.frombuffer(base64.b64decode(value["base64"]), dtype)
        if value.get("repeated") and numbers.size:
            numbers = np.resize(numbers, math.prod(shape))
        array = numbers.reshape(shape).copy()
        if array.strides == strides:
            return array
        if len(strides) != len(shape) or any(s < 0 or s % dtype.itemsize for s in strides):
            raise Damaged(f"strides {strides} do not fit shape {shape}")
        memory = storage(array, strides)
        return np.lib.stride_tricks.as_strided(memory, shape, strides)
