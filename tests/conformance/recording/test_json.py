"""Dataclasses as JSON and back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.recording.json import Damaged, Numbers, decode, encode, encode_numbers, write
from reference import DTYPES, Array, Case, Configuration, Precision
from strategies import Support
from tests.support.cases import random_case


@dataclass(frozen=True)
class Inner:
    count: int = 0
    flag: bool = False


@dataclass(frozen=True)
class Outer:
    name: str
    share: float | None = None
    inner: Inner | None = None
    several: tuple[Inner, ...] = ()
    numbers: Mapping[str, Numbers] = field(default_factory=dict)
    anything: Any = None


FULL = Outer(
    "x", -math.inf, Inner(3, True), (Inner(1),), {"a": [[1.0, math.inf], [2.0, -0.0]], "b": 1e-300}
)


def through_text(values: Any) -> Any:
    """What a reader of the JSON text gets; it has to be JSON as the standard has it."""
    return json.loads(json.dumps(values, allow_nan=False))


@pytest.mark.parametrize(
    "value",
    [Outer("x"), FULL, Support(devices=("cuda:0",)), Precision(weight_bits=8), Configuration(1, 2)],
)
def test_decode_gives_back_what_was_encoded(value: Any) -> None:
    """Fields of every type, infinities among them, come back equal and of their types."""
    again = decode(type(value), through_text(encode(value)))
    assert again == value
    assert repr(again) == repr(value)


def test_encode_spells_what_json_has_not() -> None:
    """In fields, lists of numbers and values of whatever type; NaN is read back as a number."""
    odd = Outer("NaN", math.nan, None, (), {"a": [math.nan]}, {"b": (math.inf, "inf")})
    said = through_text(encode(odd))
    assert (said["name"], said["share"], said["numbers"]) == ("NaN", "NaN", {"a": ["NaN"]})
    assert said["anything"] == {"b": ["Infinity", "inf"]}
    again = decode(Outer, said)
    assert again.name == "NaN"
    assert math.isnan(again.share or 0)
    assert math.isnan(again.numbers["a"][0])


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, "missing @ $.name"),
        ([], "not an object with the fields of Outer @ $"),
        (None, "not an object with the fields of Outer @ $"),
        ({"name": "x", "more": 1, "again": 2}, "unknown again, more @ $"),
        ({"name": 1}, "1 is not of type str @ $.name"),
        ({"name": "x", "share": "inf"}, "'inf' is not a number @ $.share"),
        ({"name": "x", "share": True}, "True is not a number @ $.share"),
        ({"name": "x", "inner": {"count": "3"}}, "'3' is not of type int @ $.inner.count"),
        ({"name": "x", "inner": {"count": True}}, "True is not of type int @ $.inner.count"),
        ({"name": "x", "inner": {"count": 1.5}}, "1.5 is not of type int @ $.inner.count"),
        ({"name": "x", "inner": {"flag": 1}}, "1 is not of type bool @ $.inner.flag"),
        ({"name": "x", "inner": []}, "not an object with the fields of Inner @ $.inner"),
        (
            {"name": "x", "several": [{}, 1]},
            "not an object with the fields of Inner @ $.several[1]",
        ),
        ({"name": "x", "several": [{"n": 1}]}, "unknown n @ $.several[0]"),
        ({"name": "x", "numbers": {"a": [["one"]]}}, "'one' is not a number @ $.numbers['a']"),
    ],
)
def test_decode_names_what_is_wrong_and_its_key(said: Any, told: str) -> None:
    """One line: missing, unknown, or of another type, and where."""
    with pytest.raises(Damaged) as caught:
        decode(Outer, said)
    assert str(caught.value) == told


def test_decode_takes_an_integer_however_it_is_written() -> None:
    """JSON has one type of numbers: 3.0 is an integer, and 3 is a number."""
    assert decode(Outer, {"name": "x", "share": 3, "inner": {"count": 3.0}}) == Outer(
        "x", 3.0, Inner(3)
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_come_back_bit_for_bit(dtype: str) -> None:
    """In every dtype, with NaN, a signed zero and no elements at all; lengths are integers."""
    lengths = np.array([2, 1, 2])
    case = random_case(Configuration(2, 3), dtype=dtype, seq_len=2, lengths=lengths)
    case.input[0, 0] = np.nan, -0.0
    said = through_text(encode(case))
    assert said["lengths"] == [2, 1, 2]
    again = decode(Case, said)
    assert again.dtype is case.dtype
    assert again.input.tobytes() == case.input.tobytes()
    assert again.lengths is not None
    assert again.lengths.tolist() == [2, 1, 2]
    empty = random_case(Configuration(2, 3), dtype=dtype, batch_size=0)
    assert decode(Case, through_text(encode(empty))).input.shape == empty.input.shape


def input_of(**changes: Any) -> dict[str, Any]:
    said: dict[str, Any] = encode(random_case(Configuration(1, 1), seq_len=1, batch_size=1))
    return {**said, "input": {**said["input"], **changes}}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (input_of(dtype="int8"), "unknown dtype 'int8' @ $.input"),
        (input_of(shape=[2]), "cannot reshape array of size 1 into shape (2,) @ $.input"),
        (input_of(base64="AAAA"), "buffer size must be a multiple of element size @ $.input"),
        (input_of(more=1), "not an object of dtype, shape and base64 @ $.input"),
        ({**input_of(), "input": "0"}, "not an object of dtype, shape and base64 @ $.input"),
        ({**input_of(), "h_0": None}, "give both of h_0 and c_0 or neither @ $"),
    ],
)
def test_decode_names_the_array_that_is_damaged(said: Any, told: str) -> None:
    """What NumPy or the constructor says of it, and where."""
    with pytest.raises(Damaged) as caught:
        decode(Case, said)
    assert str(caught.value) == told


def test_encode_numbers_writes_arrays_as_numbers() -> None:
    """The last axis fastest, whatever the strides; integers as a plain list."""
    x: Array = np.array([[1.5, np.nan], [np.inf, -0.0]], np.float16).T
    assert encode_numbers({"x": x, "lengths": np.array([2, 1])}) == {
        "x": {"shape": [2, 2], "values": [1.5, "Infinity", "NaN", -0.0]},
        "lengths": [2, 1],
    }


def test_write_takes_any_text(tmp_path: Path) -> None:
    """What UTF-8 has not is escaped, and read back."""
    said = {"message": "± \udcff"}
    write(tmp_path / "x.json", said)
    text = (tmp_path / "x.json").read_text(encoding="utf-8")
    assert "±" in text
    assert json.loads(text) == said
