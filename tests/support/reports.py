"""Reports, as ``--json`` writes them."""

import json
from pathlib import Path
from typing import Any

import jsonschema

from conformance.running.reporting.report import SCHEMA

PUBLISHED = json.loads(SCHEMA.read_text(encoding="utf-8"))


def checked(written: dict[str, Any]) -> dict[str, Any]:
    """A report, which has to be valid by the schema that is published."""
    jsonschema.validate(written, PUBLISHED, jsonschema.Draft7Validator)
    return written


def report(path: Path) -> dict[str, Any]:
    """The report in a file, which has to be plain JSON and valid."""

    def refuse(token: str) -> None:
        raise AssertionError(f"{path} holds {token}")

    return checked(json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse))
