"""A case as JSON and back, bit for bit, with what it is a case of."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from conformance.errors import UsageError
from conformance.reproductions.subject import Subject
from reference import DTYPES, Array, Case, Configuration

SCHEMA = "lstm-conformance/case"
VERSION = 1
FILE = "case.json"


@dataclass(frozen=True)
class Record:
    """What was verified, the case, and what was found on it."""

    subject: Subject
    case: Case
    outcome: str
    message: str

    def write(self, folder: Path) -> None:
        """Write it into `folder`."""
        values = {
            "schema": SCHEMA,
            "version": VERSION,
            **asdict(self.subject),
            "outcome": self.outcome,
            "message": self.message,
            "case": _told(self.case),
        }
        text = json.dumps(values, indent=1, ensure_ascii=False)
        (folder / FILE).write_text(text + "\n", encoding="utf-8")


def read(folder: Path) -> Record:
    """What :meth:`Record.write` wrote; :class:`UsageError` where there is nothing to be read."""
    path = folder / FILE
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    if not path.is_file():
        below = sorted(str(each.parent) for each in folder.glob(f"*/**/{FILE}"))
        hint = f"; give one of those below it, such as {below[0]}" if below else ""
        raise UsageError(f"{folder} has no {FILE}{hint}")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        schema, version = values["schema"], values["version"]
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{path} is not one that lstm-conformance wrote") from None
    if schema != SCHEMA:
        raise UsageError(f"{path} is a {schema}, not a {SCHEMA}")
    if version != VERSION:
        raise UsageError(
            f"{path} has version {version}, this lstm-conformance reads {VERSION}: install one "
            f"{'as new' if str(version) > str(VERSION) else 'as old'} as that which wrote it"
        )
    try:
        subject = {name: values[name] for name in Subject.__dataclass_fields__}
        case = _case(values["case"])
        return Record(Subject(**subject), case, values["outcome"], values["message"])
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is damaged: {type(error).__name__}: {error}") from None


def _told(case: Case) -> dict[str, Any]:
    """A case as JSON: in words, then its parts."""
    arrays = {name: getattr(case, name) for name in ("input", "h_0", "c_0")}
    return {
        "told": repr(case),
        "configuration": asdict(case.configuration),
        "dtype": case.dtype.name,
        "device": case.device,
        "lengths": None if case.lengths is None else case.lengths.tolist(),
        "parameters": {name: _bytes(array) for name, array in case.parameters.items()},
        **{name: None if array is None else _bytes(array) for name, array in arrays.items()},
    }


def _bytes(array: Array) -> dict[str, Any]:
    return {"shape": array.shape, "base64": base64.b64encode(array.tobytes()).decode()}


def _case(values: Mapping[str, Any]) -> Case:
    dtype = DTYPES[values["dtype"]].numpy

    def array(told: Any) -> Any:
        if told is None:
            return None
        return np.frombuffer(base64.b64decode(told["base64"]), dtype).reshape(told["shape"]).copy()

    lengths = values["lengths"]
    return Case(
        Configuration(**values["configuration"]),
        {name: array(each) for name, each in values["parameters"].items()},
        array(values["input"]),
        array(values["h_0"]),
        array(values["c_0"]),
        None if lengths is None else np.array(lengths),
        values["device"],
    )
