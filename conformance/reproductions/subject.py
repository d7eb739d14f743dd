"""What was verified when a failure was found, and how to do it again."""

from __future__ import annotations

import importlib.metadata
import platform
from dataclasses import dataclass, field

PACKAGES = ("lstm-conformance", "torch", "numpy", "hypothesis")


@dataclass(frozen=True)
class Subject:
    """A requirement, the implementation as it was named, and where and with what it was verified.

    `folder` is the one that the name is relative to. `command` verifies again with the same cases.
    `program` is the command of an implementation that is a process, `precision` what was declared
    on the command line.
    """

    requirement: str
    implementation: str
    device: str
    folder: str
    command: str
    environment: dict[str, str] = field(default_factory=dict)
    program: str = ""
    precision: str = ""


def environment(implementation: str) -> dict[str, str]:
    """Versions of what may matter, of the package that the implementation is from as well."""
    found = {"Python": platform.python_version(), "platform": platform.platform()}
    top = implementation.partition(":")[0].partition(".")[0]
    for name in dict.fromkeys((*PACKAGES, top)):
        try:
            found[name] = importlib.metadata.version(name)
        except (importlib.metadata.PackageNotFoundError, ValueError):
            continue
    return found
