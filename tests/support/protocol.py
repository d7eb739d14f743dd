"""The protocol for other languages, as another library and another program read and write it."""

import json
from typing import Any

import jsonschema
import numpy as np

from conformance.implementations.programs.protocol import SCHEMA
from reference import Array

PUBLISHED = json.loads(SCHEMA.read_text())


def valid(kind: str, said: Any) -> bool:
    """Whether `said` is what the schema defines under that name, as another library reads it."""
    schema = {"$ref": f"#/definitions/{kind}", "definitions": PUBLISHED["definitions"]}
    return jsonschema.Draft7Validator(schema).is_valid(said)


def written(array: Array) -> dict[str, Any]:
    """An array as a process would write it."""
    spelled = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    values = array.astype(np.float64).ravel().tolist()
    return {"shape": array.shape, "values": [spelled.get(str(value), value) for value in values]}


def read(array: dict[str, Any]) -> Array:
    """An array of a request, as a process would read it."""
    values = [float(value) for value in array["values"]]
    return np.array(values, np.float64).reshape(array["shape"])
