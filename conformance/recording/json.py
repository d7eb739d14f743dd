"""Conversion of dataclasses to JSON and back: reports, cases on disk, lines for other processes.

The fields of a dataclass and their types decide what is written. JSON lacks NaN and the infinities,
which are written as strings, see :data:`SPELLED`. A NumPy array of integers becomes a list; any
other array becomes an object with its `shape` and either its bytes, which are read back bit for
bit, or its numbers, for programs in other languages.
"""

from __future__ import annotations

import base64
import json
import math
import os
import shutil
import zlib
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

LARGE = 10_000
"""The size up to which the bytes of an array are written as they are."""

SPELLED = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""The strings that stand for the numbers that JSON lacks."""

if TYPE_CHECKING:
    Numbers: TypeAlias = Any
else:
    Numbers = NewType("Numbers", object)
"""The type of a field that holds a number, or numbers in lists of any depth."""


class Damaged(ValueError):
    """JSON that does not fit a dataclass; the text, one line, names what is wrong and the key."""


def encode(value: Any) -> Any:
    """Convert `value` to lists, dicts, strings and numbers; bytes of arrays are base64."""
    return _BYTES.unstructure(value)


def encode_numbers(value: Any) -> Any:
    """Convert as :func:`encode` does, but arrays to lists of numbers, the last axis fastest."""
    return _NUMBERS.unstructure(value)


def decode(kind: type[T], values: Any) -> T:
    """Convert what :func:`encode` returned back to an object of the dataclass `kind`.

    Raises :class:`Damaged` if a key is missing or unknown, if a value has another type than its
    field, or if `kind` refuses the values.
    """
    try:
        return _BYTES.structure(values, kind)
    except (BaseValidationError, TypeError) as error:
        raise Damaged(transform_error(error, format_exception=_in_words)[0]) from error


def write(path: Path, values: Any) -> None:
    """Write what :func:`encode` returned to a file; see :func:`write_text`."""
    write_text(path, as_text(values))


def as_text(values: Any) -> str:
    """Return what :func:`encode` returned as the text of a file."""
    return json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write_text(path: Path, text: str) -> None:
    """Write a text to a file, as UTF-8, with the ends of lines that it has.

    Half of a surrogate pair, which UTF-8 cannot hold, is written as a backslash escape. The file is
    written beside `path` first, so that an older one stays if the disk is full. Raises
    :class:`OSError`.
    """
    if path.exists() and not path.is_file():  # such as a pipe
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
        return
    target = path.resolve()
    new = target.with_name(f".{target.name}-{os.getpid()}.new")
    try:
        new.write_bytes(text.encode("utf-8", "backslashreplace"))
        if target.exists():
            shutil.copymode(target, new)
        os.replace(new, target)
    finally:
        new.unlink(missing_ok=True)


def parsed(text: bytes) -> Any:
    """Return what the JSON in UTF-8 says; raises :class:`ValueError`, also for a bare NaN."""
    return json.loads(text.decode("utf-8"), parse_constant=_bare)


def spelled(value: Any) -> Any:
    """Return `value` with a string in place of each number, in lists too, that JSON lacks."""
    if isinstance(value, (list, tuple)):
        return [spelled(each) for each in value]
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _bare(token: str) -> float:
    raise ValueError(f'{token} must be in quotes, "{token}"')


def _in_words(error: BaseException, _: type | None) -> str:
    if isinstance(error, ForbiddenExtraKeysError):
        return f"unknown {', '.join(sorted(error.extra_fields))}"
    return "missing" if isinstance(error, KeyError) else str(error)


def _numbers(value: Any, _: Any = None) -> Any:
    if isinstance(value, (list, tuple)):
        return [_numbers(each) for each in value]
    return _number(value)


def _number(value: Any, _: Any = None) -> float:
    if isinstance(value, str) and value in SPELLED:
        return SPELLED[value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    raise TypeError(f"{value!r} is not a number")


def _exactly(value: Any, kind: type[Any]) -> Any:
    """Return a string, bool or int as it is; cattrs by itself would convert other types to it."""
    if kind is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"{value!r} is not of type {kind.__name__}")
    return value


def _written(array: Array, as_numbers: bool) -> Any:
    if array.dtype.kind in "iu":
        return array.tolist()
    shape = list(array.shape)
    if not as_numbers:
        # an array of a large case repeats itself
        coded = array.tobytes() if array.size <= LARGE else zlib.compress(array.tobytes())
        kind = "base64" if array.size <= LARGE else "zlib"
        text = base64.b64encode(coded).decode()
        return {"dtype": array.dtype.name, "shape": shape, kind: text}
    numbers = array.astype(np.float64).ravel()
    values = numbers.tolist()
    for index in np.flatnonzero(~np.isfinite(numbers)):
        values[index] = spelled(values[index])
    return {"shape": shape, "values": values}


def _array(value: Any, _: Any) -> Array:
    if isinstance(value, list):
        return np.array(value, np.int64)
    kinds = "base64", "zlib"
    if not isinstance(value, Mapping) or not any(
        set(value) == {"dtype", "shape", kind} for kind in kinds
    ):
        raise ValueError("not an object of dtype, shape and base64")
    if value["dtype"] not in DTYPES:
        raise ValueError(f"unknown dtype {value['dtype']!r}")
    coded = base64.b64decode(value["base64"] if "base64" in value else value["zlib"])
    numbers = coded if "base64" in value else _inflated(coded, value)
    flat = np.frombuffer(numbers, DTYPES[value["dtype"]].numpy)
    return flat.reshape(value["shape"]).copy()


def _inflated(coded: bytes, value: Mapping[str, Any]) -> bytes:
    """Decompress the bytes of an array, up to as many as its shape needs."""
    size = math.prod(value["shape"]) * DTYPES[value["dtype"]].numpy.itemsize
    try:
        return zlib.decompressobj().decompress(coded, size)
    except zlib.error:
        raise ValueError("zlib cannot decompress the numbers") from None


def _is_array(kind: Any) -> bool:
    return np.ndarray in (kind, get_origin(kind))


def _object(kind: type[Any], converter: Converter) -> Callable[[Any, Any], Any]:
    structure = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True)

    def read(value: Any, kind: Any) -> Any:
        if not isinstance(value, Mapping):
            raise TypeError(f"not an object with the fields of {kind.__name__}")
        return structure(value, kind)

    return read


def _converter(as_numbers: bool) -> Converter:
    converter = Converter()
    converter.register_structure_hook_factory(is_dataclass, _object)
    for kind in (bool, int, str):
        converter.register_structure_hook(kind, _exactly)
    converter.register_structure_hook(float, _number)
    converter.register_unstructure_hook(float, spelled)
    converter.register_structure_hook_func(lambda kind: kind is Numbers, _numbers)
    converter.register_unstructure_hook_func(lambda kind: kind is Numbers, spelled)
    converter.register_structure_hook_func(_is_array, _array)
    converter.register_unstructure_hook_func(_is_array, partial(_written, as_numbers=as_numbers))
    return converter


_BYTES, _NUMBERS = _converter(as_numbers=False), _converter(as_numbers=True)
