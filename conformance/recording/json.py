"""Dataclasses as JSON and back: reports, cases on disk, and lines for other processes.

What is written follows from the fields of a dataclass and their types. JSON has neither NaN nor
the infinities, which are strings, see :data:`SPELLED`. A NumPy array of integers is a list; any
other is an object with its `shape` and either its bytes, so that it is read back bit for bit, or
its numbers, for programs in other languages.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NewType, TypeAlias, TypeVar, get_origin

import numpy as np
from cattrs import Converter, transform_error
from cattrs.errors import BaseValidationError, ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn

from reference import DTYPES, Array

T = TypeVar("T")

SPELLED = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""How numbers that JSON has not are written."""

if TYPE_CHECKING:
    Numbers: TypeAlias = Any
else:
    Numbers = NewType("Numbers", object)
"""The type of a field that holds a number, or numbers in lists of any depth."""


class Damaged(ValueError):
    """What was read does not fit; the text, one line, says what is wrong and at which key."""


def encode(value: Any) -> Any:
    """`value` as what JSON has; arrays with their bytes in base64."""
    return _BYTES.unstructure(value)


def encode_numbers(value: Any) -> Any:
    """As :func:`encode`, with arrays as numbers in order, the last axis fastest."""
    return _NUMBERS.unstructure(value)


def decode(kind: type[T], values: Any) -> T:
    """The object of the dataclass `kind` of which :func:`encode` made `values`.

    Raises :class:`Damaged` if a key is missing or unknown, if a value is of another type than its
    field, and if `kind` refuses the values.
    """
    try:
        return _BYTES.structure(values, kind)
    except (BaseValidationError, TypeError) as error:
        raise Damaged(transform_error(error, format_exception=_told)[0]) from error


def write(path: Path, values: Any) -> None:
    """Write a file of what :func:`encode` gave; half of a surrogate pair is escaped."""
    text = json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def _told(error: BaseException, _: type | None) -> str:
    if isinstance(error, ForbiddenExtraKeysError):
        return f"unknown {', '.join(sorted(error.extra_fields))}"
    return "missing" if isinstance(error, KeyError) else str(error)


def _spelled(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_spelled(each) for each in value]
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _numbers(said: Any, _: Any = None) -> Any:
    if isinstance(said, (list, tuple)):
        return [_numbers(each) for each in said]
    return _number(said)


def _number(said: Any, _: Any = None) -> float:
    if isinstance(said, str) and said in SPELLED:
        return SPELLED[said]
    if isinstance(said, (int, float)) and not isinstance(said, bool):
        return float(said)
    raise TypeError(f"{said!r} is not a number")


def _exactly(said: Any, kind: type[Any]) -> Any:
    """A text, truth value or integer, none of which is made of anything else."""
    if kind is int and isinstance(said, float) and said.is_integer():
        return int(said)
    if not isinstance(said, kind) or (kind is int and isinstance(said, bool)):
        raise TypeError(f"{said!r} is not of type {kind.__name__}")
    return said


def _written(array: Array, as_numbers: bool) -> Any:
    if array.dtype.kind in "iu":
        return array.tolist()
    shape = list(array.shape)
    if not as_numbers:
        text = base64.b64encode(array.tobytes()).decode()
        return {"dtype": array.dtype.name, "shape": shape, "base64": text}
    numbers = array.astype(np.float64).ravel()
    values = numbers.tolist()
    for index in np.flatnonzero(~np.isfinite(numbers)):
        values[index] = _spelled(values[index])
    return {"shape": shape, "values": values}


def _array(said: Any, _: Any) -> Array:
    if isinstance(said, list):
        return np.array(said, np.int64)
    if not isinstance(said, Mapping) or set(said) != {"dtype", "shape", "base64"}:
        raise ValueError("not an object of dtype, shape and base64")
    if said["dtype"] not in DTYPES:
        raise ValueError(f"unknown dtype {said['dtype']!r}")
    flat = np.frombuffer(base64.b64decode(said["base64"]), DTYPES[said["dtype"]].numpy)
    return flat.reshape(said["shape"]).copy()


def _is_array(kind: Any) -> bool:
    return np.ndarray in (kind, get_origin(kind))


def _object(kind: type[Any], converter: Converter) -> Callable[[Any, Any], Any]:
    structure = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True)

    def read(said: Any, kind: Any) -> Any:
        if not isinstance(said, Mapping):
            raise TypeError(f"not an object with the fields of {kind.__name__}")
        return structure(said, kind)

    return read


def _converter(as_numbers: bool) -> Converter:
    converter = Converter()
    converter.register_structure_hook_factory(is_dataclass, _object)
    for kind in (bool, int, str):
        converter.register_structure_hook(kind, _exactly)
    converter.register_structure_hook(float, _number)
    converter.register_unstructure_hook(float, _spelled)
    converter.register_structure_hook_func(lambda kind: kind is Numbers, _numbers)
    converter.register_unstructure_hook_func(lambda kind: kind is Numbers, _spelled)
    converter.register_structure_hook_func(_is_array, _array)
    converter.register_unstructure_hook_func(_is_array, partial(_written, as_numbers=as_numbers))
    return converter


_BYTES, _NUMBERS = _converter(as_numbers=False), _converter(as_numbers=True)
