"""What was verified when a failure was found, and its case, as JSON and back, bit for bit."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.errors import UsageError
from conformance.recording.json import Damaged, decode, encode, write
from reference import Case

PACKAGES = ("lstm-conformance", "torch", "numpy", "hypothesis")
SCHEMA = "lstm-conformance/case"
VERSION = 2
FILE = "case.json"
LARGEST = 2**26
"""The size in bytes of the largest file that is read, far more than the cases of a run take."""
HEAD = ("schema", "version", "told")
"""The first keys of a file, before the record: kind, version, and the case in words."""


@dataclass(frozen=True)
class Subject:
    """A requirement, the implementation under test, and how both met.

    - `requirement`, `implementation`, `device`: names; the implementation's is as it was given
    - `folder`: the folder that a path in the name of the implementation is relative to
    - `command`: the command that verifies again with the same cases, after one that infers the
      adapter if that was not given; or Python that does, where no command can
    - `environment`: versions by name
    - `program`: the command of an implementation that is a process, else empty
    - `precision`: the precision declared on the command line
    - `unloadable`: why no command can load the implementation, empty if one can
    """

    requirement: str
    implementation: str
    device: str
    folder: str
    command: str
    environment: dict[str, str] = field(default_factory=dict)
    program: str = ""
    precision: str = ""
    unloadable: str = ""


@functools.cache
def environment(implementation: str) -> dict[str, str]:
    """Return the versions that may matter; the package of the implementation is among them."""
    found = {"Python": platform.python_version(), "platform": platform.platform()}
    top = implementation.partition(":")[0].partition(".")[0]
    for name in dict.fromkeys((*PACKAGES, top)):
        try:
            found[name] = importlib.metadata.version(name)
        except (importlib.metadata.PackageNotFoundError, ValueError):
            continue
    return found


@dataclass(frozen=True)
class Record:
    """What was verified, the case, and what was found on it."""

    subject: Subject
    case: Case
    outcome: str
    message: str

    def write(self, folder: Path) -> None:
        """Write the record into `folder`."""
        head = dict(zip(HEAD, (SCHEMA, VERSION, repr(self.case)), strict=True))
        write(folder / FILE, {**head, **encode(self)})


def read(folder: Path) -> Record:
    """Read what :meth:`Record.write` wrote into `folder`.

    Raises :class:`UsageError` where there is no record, or one that cannot be read.
    """
    path = folder / FILE
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    if not path.is_file():
        below = sorted(str(each.parent) for each in folder.glob(f"*/**/{FILE}"))
        hint = f"; name a folder below it that has one, such as {below[0]}" if below else ""
        raise UsageError(f"{folder} has no {FILE}{hint}")
    if path.stat().st_size > LARGEST:
        raise UsageError(f"{path} has more than {LARGEST >> 20} MiB, as no case of this suite has")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        schema, version = values["schema"], values["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(f"{path} was not written by lstm-conformance") from None
    if schema != SCHEMA:
        raise UsageError(f"{path} is a {schema}, not a {SCHEMA}")
    if version != VERSION:
        raise UsageError(
            f"{path} has version {version}, but this lstm-conformance reads version {VERSION}: "
            f"install the {'newer' if str(version) > str(VERSION) else 'older'} one that wrote it"
        )
    _refuse_many_layers(path, values)
    try:
        return decode(Record, {name: values[name] for name in values if name not in HEAD})
    except Damaged as error:
        raise UsageError(f"{path} is damaged: {error}") from None


def _refuse_many_layers(path: Path, values: Mapping[str, Any]) -> None:
    """Raise :class:`UsageError` for more layers than parameters, before these are looked for."""
    with contextlib.suppress(KeyError, TypeError):  # which is reported later
        layers = values["case"]["configuration"]["num_layers"]
        if layers > len(values["case"]["parameters"]):
            raise UsageError(f"{path} is damaged: {layers} layers have more parameters than it has")
