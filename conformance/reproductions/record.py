"""A case as JSON and back, bit for bit, with what it is a case of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from conformance.errors import UsageError
from conformance.recording.json import Damaged, decode, encode, write
from conformance.reproductions.subject import Subject
from reference import Case

SCHEMA = "lstm-conformance/case"
VERSION = 2
FILE = "case.json"
HEAD = ("schema", "version", "told")
"""What stands in a file before its record: what it is, and the case in words."""


@dataclass(frozen=True)
class Record:
    """What was verified, the case, and what was found on it."""

    subject: Subject
    case: Case
    outcome: str
    message: str

    def write(self, folder: Path) -> None:
        """Write it into `folder`."""
        head = dict(zip(HEAD, (SCHEMA, VERSION, repr(self.case)), strict=True))
        write(folder / FILE, {**head, **encode(self)})


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
        return decode(Record, {name: values[name] for name in values if name not in HEAD})
    except Damaged as error:
        raise UsageError(f"{path} is damaged: {error}") from None
