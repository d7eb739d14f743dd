"""Cases and results as lines of JSON, for an LSTM in a process of its own.

``protocol.schema.json`` beside this module is the published schema: what a process writes is
checked against it when it is read, before anything else is made of it. ``PROTOCOL.md`` tells what
the fields mean. Numbers are written as the shortest text that reads back as the same float64,
which holds every number of every dtype; NaN and the infinities, which JSON has not, are strings.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from conformance.implementations.failures import Mismatch
from conformance.recording.json import Damaged, decode, encode_numbers
from reference import Array, Case, DType, Precision, Result
from strategies import Support

VERSION = 1
SCHEMA = Path(__file__).with_name("protocol.schema.json")
SHOWN = 160
"""How many characters of a line are shown."""

UNSAID: dict[str, Any] = {
    "dtypes": ("float32",),
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
"""What a process supports of which it says nothing: one plain layer in float32."""


class Malformed(Exception):
    """A line is not what the protocol says; the text says why, and shows it."""


@dataclass(frozen=True)
class Hello:
    """What a process says it is."""

    name: str
    supports: Support
    version: str = ""
    precision: Precision = field(default_factory=Precision)
    protocol: int = VERSION


def hello(line: bytes) -> Hello:
    """The first line of a process. Raises :class:`Malformed`."""
    said = _object(line)
    if said.get("protocol", VERSION) != VERSION:
        raise Malformed(
            f"speaks protocol {said['protocol']!r}, and this lstm-conformance {VERSION}"
        )
    _check("hello", said, line)
    supports = {**UNSAID, **said.get("supports", {}), "own_process": True}
    try:
        return decode(Hello, {**said, "supports": supports})
    except Damaged as error:
        raise Malformed(f"wrote no valid hello ({error}): {shown(line)}") from error


def request(number: int, case: Case, cotangents: Result | None = None) -> bytes:
    """The line that asks for the result of `case`, or with `cotangents` for gradients."""
    said = {"id": number, "dtype": case.dtype.name, **encode_numbers(case)}
    if cotangents is not None:
        said["cotangents"] = encode_numbers(dict(cotangents.items()))
    return json.dumps(said, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def result(number: int, case: Case, line: bytes) -> Result | str:
    """What `line` answers to the request of this number: a result, or the error that it tells.

    The arrays have the shapes that the process gave them and the dtype of `case`. Raises
    :class:`Malformed` for a line that does not answer this request, and
    :class:`~conformance.Mismatch` for a number that the dtype does not have.
    """
    said = _answer("result", number, line)
    if isinstance(said, str):
        return said
    return Result.of(_read(name, said[name], case.dtype, line) for name in ("output", "h_n", "c_n"))


def gradients(number: int, case: Case, line: bytes) -> dict[str, Array] | str:
    """As :func:`result`, for a request with cotangents: gradients by name."""
    said = _answer("gradients", number, line)
    if isinstance(said, str):
        return said
    return {
        name: _read(f"gradient of {name}", array, case.dtype, line)
        for name, array in said["gradients"].items()
    }


def _answer(kind: str, number: int, line: bytes) -> dict[str, Any] | str:
    said = _object(line)
    kind = "error" if "error" in said else kind
    _check(kind, said, line)
    if said["id"] != number:
        raise Malformed(f"answered id {said['id']} to id {number}: {shown(line)}")
    return str(said["error"]) if kind == "error" else said


def shown(line: bytes) -> str:
    """A line for people: quoted, control characters escaped, cut to :data:`SHOWN` characters."""
    text = line.decode("utf-8", errors="backslashreplace").rstrip("\r\n")
    rest = "" if len(text) <= SHOWN else f"... ({len(text)} characters)"
    return repr(text[:SHOWN]) + rest


def _object(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line.decode("utf-8"), parse_constant=_unspelled)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"wrote what is no JSON ({error}): {shown(line)}") from error
    if not isinstance(said, dict):
        raise Malformed(f"wrote what is no JSON object: {shown(line)}")
    return said


def _unspelled(token: str) -> float:
    raise ValueError(f'{token} has to be spelled "{token}"')


def _check(kind: str, said: dict[str, Any], line: bytes) -> None:
    """Against the definition of that name in the schema."""
    import fastjsonschema

    try:
        _validator(kind)(said)
    except fastjsonschema.JsonSchemaValueException as error:
        text = str(error.message).removeprefix("data").removeprefix(".").strip()
        if error.rule == "additionalProperties":
            known = [error.definition.get(key, ()) for key in ("properties", "patternProperties")]
            text += f", only {', '.join(name for names in known for name in names)}"
        elif not isinstance(error.value, (dict, list)):
            text += f", and is {json.dumps(error.value)[:SHOWN]}"
        raise Malformed(f"wrote no valid {kind} ({text}): {shown(line)}") from error


@cache
def _validator(kind: str) -> Callable[[Any], Any]:
    import fastjsonschema

    definitions = json.loads(SCHEMA.read_text(encoding="utf-8"))["definitions"]
    validate: Callable[[Any], Any] = fastjsonschema.compile(
        {"$ref": f"#/definitions/{kind}", "definitions": definitions}, use_default=False
    )
    return validate


def _read(name: str, said: dict[str, Any], dtype: DType, line: bytes) -> Array:
    shape, values = tuple(said["shape"]), said["values"]
    if math.prod(shape) != len(values):
        what = f"{name} has {len(values)} values for shape {list(shape)}"
        raise Malformed(f"wrote no valid array ({what}): {shown(line)}")
    spelled = np.array([isinstance(value, str) for value in values], bool)
    try:
        wide = np.array([float(value) for value in values])
    except OverflowError:
        wide = np.array([np.inf])
    if (np.isinf(wide) & ~spelled).any():
        what = f"{name} has a number beyond the largest of float64"
        raise Malformed(f"wrote no valid array ({what}): {shown(line)}")
    with np.errstate(all="ignore"):
        narrow = wide.astype(dtype.numpy)
        other = (narrow.astype(np.float64) != wide) & ~np.isnan(wide)
    if other.any():
        at = int(np.argmax(other))
        place = ", ".join(str(int(index)) for index in np.unravel_index(at, shape))
        raise Mismatch(name, f"[{place}]", repr(float(wide[at])), f"a number of {dtype.name}")
    return narrow.reshape(shape)
