"""Conversion of cases and results to lines of JSON, for an LSTM in a separate process.

``protocol.schema.json`` beside this module is the published schema. Every line that a process
writes is checked against the schema before anything else happens to it. ``PROTOCOL.md`` explains
the fields. A number is written as the shortest text that reads back as the same float64, which
holds every number of every dtype; NaN and the infinities, which JSON lacks, are strings.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from conformance.implementations.failures import Mismatch
from conformance.recording.json import Damaged, decode, encode_numbers, parsed
from conformance.recording.text import line_of, printable, text_of
from reference import RESULTS, Array, Case, DType, Precision, Result
from strategies import Support

VERSION = 1
SCHEMA = Path(__file__).with_name("protocol.schema.json")
SHOWN = 160
"""The number of characters that are shown of a line."""

DEFAULTS: dict[str, Any] = {
    "dtypes": ("float32",),
    "min_layers": 1,
    "max_layers": 1,
    "bias": (True,),
    "batch_first": (False,),
    "bidirectional": (False,),
    "projection": False,
    "dropout": False,
    "lengths": False,
    "states": (True,),
    "batched": (True,),
    "empty_batch": False,
    "gradients": False,
}
"""What a process supports if its hello does not mention it: one plain layer in float32."""


class Malformed(Exception):
    """A line that breaks the protocol; the text explains why, and shows the line."""


@dataclass(frozen=True)
class Hello:
    """The first line of a process: its name, what it supports, and its arithmetic."""

    name: str
    supports: Support
    version: str = ""
    precision: Precision = field(default_factory=Precision)
    protocol: int = VERSION


def hello(line: bytes) -> Hello:
    """Read the first line of a process. Raises :class:`Malformed`."""
    values = _object(line)
    if values.get("protocol", VERSION) != VERSION:
        theirs = values["protocol"]
        raise Malformed(f"speaks protocol {theirs!r}, but this lstm-conformance speaks {VERSION}")
    _check("hello", values, line)
    supports = {**DEFAULTS, **values.get("supports", {}), "own_process": True}
    try:
        found = decode(Hello, {**values, "supports": supports})
        return replace(found, name=line_of(found.name), version=line_of(found.version))
    except Damaged as error:
        raise Malformed(f"wrote an invalid hello ({error}): {shown(line)}") from error


def request(number: int, case: Case, cotangents: Result | None = None) -> bytes:
    """Write the line that asks for the result of `case`, or with `cotangents` for gradients."""
    values = {"id": number, "dtype": case.dtype.name, **encode_numbers(case)}
    if cotangents is not None:
        values["cotangents"] = encode_numbers(dict(cotangents.items()))
    return json.dumps(values, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def result(number: int, case: Case, line: bytes) -> Result | str:
    """Read the answer to the request with this number: a result, or the text of an error.

    The arrays have the shapes that the process gave them and the dtype of `case`. Raises
    :class:`Malformed` for a line that does not answer this request, and
    :class:`~conformance.Mismatch` for a number that the dtype does not have.
    """
    values = _answer("result", number, line)
    if isinstance(values, str):
        return values
    return Result.of(_read(name, values[name], case.dtype, line) for name in RESULTS)


def gradients(number: int, case: Case, line: bytes) -> dict[str, Array] | str:
    """Read the answer to a request with cotangents, gradients by name; see :func:`result`."""
    values = _answer("gradients", number, line)
    if isinstance(values, str):
        return values
    return {
        name: _read(f"gradient of {name}", array, case.dtype, line)
        for name, array in values["gradients"].items()
    }


def _answer(kind: str, number: int, line: bytes) -> dict[str, Any] | str:
    values = _object(line)
    kind = "error" if "error" in values else kind
    _check(kind, values, line)
    if values["id"] != number:
        raise Malformed(f"answered id {values['id']} to id {number}: {shown(line)}")
    return text_of(values["error"]) if kind == "error" else values


def shown(line: bytes) -> str:
    """Quote a line for a message, cut to :data:`SHOWN` characters, control characters escaped."""
    text = line.decode("utf-8", errors="backslashreplace").rstrip("\r\n")
    rest = "" if len(text) <= SHOWN else f"... ({len(text)} characters)"
    return repr(text[:SHOWN]) + rest


def _object(line: bytes) -> dict[str, Any]:
    try:
        values = parsed(line)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"wrote something that is not JSON ({error}): {shown(line)}") from error
    if not isinstance(values, dict):
        raise Malformed(f"wrote something that is not a JSON object: {shown(line)}")
    return values


def _check(kind: str, values: dict[str, Any], line: bytes) -> None:
    """Check `values` against the definition `kind` in the schema; raises :class:`Malformed`."""
    import fastjsonschema

    try:
        _validator(kind)(values)
    except fastjsonschema.JsonSchemaValueException as error:
        text = str(error.message).removeprefix("data").removeprefix(".").strip()
        if error.rule == "additionalProperties":
            known = [error.definition.get(key, ()) for key in ("properties", "patternProperties")]
            text += f", only {', '.join(name for names in known for name in names)}"
        elif not isinstance(error.value, (dict, list)):
            text += f", and is {json.dumps(error.value)[:SHOWN]}"
        text = printable(text)
        raise Malformed(f"wrote an invalid {kind} ({text}): {shown(line)}") from error


@cache
def _validator(kind: str) -> Callable[[Any], Any]:
    import fastjsonschema

    definitions = json.loads(SCHEMA.read_text(encoding="utf-8"))["definitions"]
    validate: Callable[[Any], Any] = fastjsonschema.compile(
        {"$ref": f"#/definitions/{kind}", "definitions": definitions}, use_default=False
    )
    return validate


def _read(name: str, array: dict[str, Any], dtype: DType, line: bytes) -> Array:
    shape, values = tuple(array["shape"]), array["values"]
    if math.prod(shape) != len(values):
        what = f"{name} has {len(values)} values for shape {list(shape)}"
        raise Malformed(f"wrote an invalid array ({what}): {shown(line)}")
    quoted = np.array([isinstance(value, str) for value in values], bool)
    try:
        wide = np.array([float(value) for value in values])
    except OverflowError:  # of an integer; a number with a point becomes infinite
        wide = np.array([np.inf])
    if (np.isinf(wide) & ~quoted).any():
        what = f"{name} has a number that is too large for float64"
        raise Malformed(f"wrote an invalid array ({what}): {shown(line)}")
    with np.errstate(all="ignore"):
        narrow = wide.astype(dtype.numpy)
        other = (narrow.astype(np.float64) != wide) & ~np.isnan(wide)
    if other.any():
        at = int(np.argmax(other))
        place = ", ".join(str(int(index)) for index in np.unravel_index(at, shape))
        raise Mismatch(name, f"[{place}]", repr(float(wide[at])), f"a number of {dtype.name}")
    return narrow.reshape(shape)
