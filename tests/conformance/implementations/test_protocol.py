"""Cases and results as lines of JSON, and the schema that says what they are."""

import json
from dataclasses import asdict, fields, replace
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.implementations.failures import Mismatch
from conformance.implementations.programs.protocol import (
    DEFAULTS,
    SCHEMA,
    Malformed,
    gradients,
    hello,
    request,
    result,
    shown,
)
from reference import DTYPES, Case, Configuration, Precision, Result, lstm, rounded
from reference.precision import PRODUCTS
from strategies import Support, lstm_cases
from tests.support.cases import random_case
from tests.support.protocol import PUBLISHED, read, valid, written

FORWARD = settings(max_examples=30)


def line(said: Any) -> bytes:
    return json.dumps(said).encode() + b"\n"


def result_of(case: Case, number: int = 7, **changes: Any) -> dict[str, Any]:
    """A right answer, with `changes`."""
    arrays = rounded(lstm(case), case.dtype).items()
    return {"id": number, **{name: written(array) for name, array in arrays}, **changes}


def test_schema_is_one() -> None:
    """The published schema is itself valid, and no definition is unused."""
    jsonschema.Draft7Validator.check_schema(PUBLISHED)
    text = SCHEMA.read_text()
    for name in PUBLISHED["definitions"]:
        assert f'"#/definitions/{name}"' in text


def test_schema_has_the_fields_of_support_and_configuration() -> None:
    """What a process declares is named as in Python; the schema tells what it leaves out."""
    supports = PUBLISHED["definitions"]["supports"]["properties"]
    of_adapters = {"hands_on_arrays", "adapts_module", "own_process"}
    of_adapters |= {"second_derivatives", "vmap", "autocast", "compile", "export"}
    assert set(supports) == {item.name for item in fields(Support)} - of_adapters
    told = {name: item["default"] for name, item in supports.items()}
    said = asdict(hello(line({"protocol": 1, "name": "x"})).supports)
    assert told == {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in said.items()
        if name not in of_adapters
    }
    assert set(DEFAULTS) < set(supports)
    configuration = PUBLISHED["definitions"]["request"]["properties"]["configuration"]
    assert set(configuration["properties"]) == set(configuration["required"])
    assert set(configuration["required"]) == {item.name for item in fields(Configuration)}
    assert PUBLISHED["definitions"]["dtype"]["enum"] == list(DTYPES)


@FORWARD
@given(lstm_cases())
def test_request_is_valid_and_exact(case: Case) -> None:
    """Each request is one line, valid by the schema, and holds exactly the numbers of the case."""
    text = request(3, case)
    assert text.count(b"\n") == 1
    assert text.endswith(b"\n")
    said = json.loads(text, parse_constant=pytest.fail)
    assert valid("request", said)
    assert said["id"] == 3
    assert Configuration(**said["configuration"]) == case.configuration
    assert (said["dtype"], said["device"]) == (case.dtype.name, case.device)
    given_arrays = {**case.parameters, "input": case.input, "h_0": case.h_0, "c_0": case.c_0}
    for name, array in given_arrays.items():
        told = said["parameters"].get(name) or said.get(name)
        if array is None:
            assert said[name] is None
        else:
            assert np.array_equal(read(told), array.astype(np.float64), equal_nan=True)
    assert said["lengths"] == (None if case.lengths is None else case.lengths.tolist())


@FORWARD
@given(lstm_cases())
def test_result_is_read_as_written(case: Case) -> None:
    """A valid result is read bit for bit, in the dtype of the case."""
    expected = rounded(lstm(case), case.dtype)
    said = result_of(case)
    assert valid("result", json.loads(json.dumps(said)))
    got = result(7, case, line(said))
    assert isinstance(got, Result)
    for (_, mine), (_, theirs) in zip(got.items(), expected.items(), strict=True):
        assert mine.dtype == case.dtype.numpy
        assert mine.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_survive_both_ways(dtype: str) -> None:
    """The smallest and largest numbers, a signed zero, NaN and the infinities come back."""
    info = DTYPES[dtype]
    values = [info.subnormal, -info.largest, -0.0, np.nan, np.inf, -np.inf, 1 / 3]
    x = np.array(values, info.numpy).reshape(1, 1, 7)
    case = replace(random_case(Configuration(7, 7), dtype=dtype, seq_len=1, batch_size=1), input=x)
    said = json.loads(request(1, case), parse_constant=pytest.fail)["input"]
    assert said["values"][3:6] == ["NaN", "Infinity", "-Infinity"]
    got = result(1, case, line(result_of(case, 1, output=said)))
    assert isinstance(got, Result)
    assert got.output.tobytes() == x.tobytes()


CASE = random_case(Configuration(1, 1), seq_len=1, batch_size=1)
ONE = {"shape": [1, 1, 1], "values": [0.5]}


@pytest.mark.parametrize(
    "changes",
    [
        {"output": None},
        {"output": [0.5]},
        {"output": {"shape": [1, 1, 1]}},
        {"output": {**ONE, "dtype": "float32"}},
        {"output": {"shape": [-1], "values": []}},
        {"output": {"shape": [0.5], "values": []}},
        {"output": {"shape": [1, 1, 1], "values": [True]}},
        {"output": {"shape": [1, 1, 1], "values": ["nan"]}},
        {"output": {"shape": [1, 1, 1], "values": [[0.5]]}},
        {"id": "7"},
        {"id": -1},
        {"more": 1},
        {"error": 1},
        {"error": "and a result"},
    ],
)
def test_result_refuses_what_the_schema_does(changes: dict[str, Any]) -> None:
    """What is not valid by the schema is refused with a text that shows the line."""
    said = result_of(CASE, **changes)
    assert not valid("result", said)
    assert not valid("error", said)
    with pytest.raises(Malformed) as caught:
        result(7, CASE, line(said))
    kind = "error" if "error" in changes else "result"
    assert str(caught.value).startswith(f"wrote an invalid {kind} (")
    assert str(caught.value).endswith(shown(line(said)))


@pytest.mark.parametrize("value", [10**400, -(10**400)])
def test_result_refuses_integers_beyond_float64(value: int) -> None:
    """An integer that no float64 holds is refused."""
    said = result_of(CASE, output={"shape": [1, 1, 1], "values": [value]})
    with pytest.raises(Malformed, match="a number that is too large for float64"):
        result(7, CASE, line(said))


def test_result_refuses_a_number_that_the_dtype_has_not() -> None:
    """A number that would be rounded is a mismatch, at its place; an integer is a number."""
    array = {"shape": [1, 2, 1], "values": [1, 0.1]}
    with pytest.raises(Mismatch) as caught:
        result(7, CASE, line(result_of(CASE, output=array)))
    assert str(caught.value) == "output[0, 1, 0] = 0.1, but should be a number of float32"


def test_result_tells_an_error() -> None:
    """An error in place of a result is its text."""
    said = {"id": 7, "error": "out of memory"}
    assert valid("error", said)
    assert result(7, CASE, line(said)) == "out of memory"


def test_gradients_are_asked_and_read() -> None:
    """A request with cotangents is valid, and gradients are read by name in the case's dtype."""
    weights = rounded(lstm(CASE), CASE.dtype)
    asked = json.loads(request(7, CASE, weights))
    assert valid("request", asked)
    for name, array in weights.items():
        assert np.array_equal(read(asked["cotangents"][name]), array)
    said = {"id": 7, "gradients": {"weight_hh_l0": ONE, "h_0": ONE}}
    assert valid("gradients", said)
    got = gradients(7, CASE, line(said))
    assert isinstance(got, dict)
    assert {name: (array.dtype.name, array.tolist()) for name, array in got.items()} == {
        "weight_hh_l0": ("float32", [[[0.5]]]),
        "h_0": ("float32", [[[0.5]]]),
    }
    for strange in ({"id": 7, "gradients": {"kernel": ONE}}, result_of(CASE)):
        assert not valid("gradients", strange)
        with pytest.raises(Malformed, match="wrote an invalid gradients"):
            gradients(7, CASE, line(strange))


def test_hello_declares_precision() -> None:
    """What is declared of the arithmetic is that of the reference."""
    said = {"protocol": 1, "name": "x", "precision": {"products": "tf32", "activation": 8}}
    assert valid("hello", said)
    assert hello(line(said)).precision == Precision(products="tf32", activation=8)
    declared = PUBLISHED["definitions"]["precision"]["properties"]
    assert set(declared) == {item.name for item in fields(Precision)}
    assert declared["products"]["enum"] == list(PRODUCTS)


def test_hello_may_have_the_top_states_alone() -> None:
    """They are a result as others are."""
    said = {"protocol": 1, "name": "x", "supports": {"results": ["top_h_n"], "gradients": True}}
    assert hello(line(said)).supports.results == ("top_h_n",)


def test_hello_refuses_a_precision_that_allows_everything() -> None:
    """A number of JSON that is infinite in float64 is no precision."""
    said = b'{"protocol": 1, "name": "x", "precision": {"activation": 1e999}}\n'
    with pytest.raises(Malformed, match=r"activation must be from 0 to 9.01e\+15, got inf"):
        hello(said)


def test_hello_says_what_a_process_is() -> None:
    """Name, version and what it supports; lists become tuples."""
    supports = {"dtypes": ["bfloat16"], "bidirectional": [True, False], "lengths": True}
    said = {"protocol": 1, "name": "mine::LSTM", "version": "2", "supports": supports}
    assert valid("hello", said)
    got = hello(line(said))
    assert (got.name, got.version) == ("mine::LSTM", "2")
    assert got.supports.dtypes == ("bfloat16",)
    assert got.supports.bidirectional == (True, False)
    assert got.supports.lengths
    assert not got.supports.projection


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"protocol": 1},
        {"name": "x"},
        {"protocol": "1", "name": "x"},
        {"protocol": 1, "name": ""},
        {"protocol": 1, "name": "two\nlines"},
        {"protocol": 1, "name": "a|b"},
        {"protocol": 1, "name": "x", "license": "MIT"},
        {"protocol": 1, "name": "x", "supports": []},
        {"protocol": 1, "name": "x", "supports": {"bias": True}},
        {"protocol": 1, "name": "x", "supports": {"bias": []}},
        {"protocol": 1, "name": "x", "supports": {"max_layers": 0}},
        {"protocol": 1, "name": "x", "supports": {"devices": ["gpu"]}},
        {"protocol": 1, "name": "x", "supports": {"gradients": [True]}},
        {"protocol": 1, "name": "x", "precision": {"products": "int8"}},
        {"protocol": 1, "name": "x", "precision": {"ulps": 3}},
    ],
)
def test_hello_refuses_what_the_schema_does(said: dict[str, Any]) -> None:
    """What is not valid by the schema is refused."""
    assert not valid("hello", said)
    with pytest.raises(Malformed):
        hello(line(said))


@given(st.binary(max_size=300))
def test_shown_is_one_short_printable_line(text: bytes) -> None:
    """Whatever was written is shown on one line."""
    told = shown(text)
    assert told.isprintable()
    assert len(told) < 1000
