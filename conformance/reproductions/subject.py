"""What was verified when a failure was found, and how to verify it again."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
from dataclasses import dataclass, field

PACKAGES = ("lstm-conformance", "torch", "numpy", "hypothesis")


@dataclass(frozen=True)
class Subject:
    """A requirement, the implementation under test, and how both met.

    - `requirement`, `implementation`, `device`: names; the implementation's is as it was given
    - `folder`: the folder that a path in the name of the implementation is relative to
    - `command`: the command that verifies again with the same cases
    - `environment`: versions by name
    - `program`: the command of an implementation that is a process, else empty
    - `precision`: the precision declared on the command line
    """

    requirement: str
    implementation: str
    device: str
    folder: str
    command: str
    environment: dict[str, str] = field(default_factory=dict)
    program: str = ""
    precision: str = ""


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
