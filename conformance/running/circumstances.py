"""The circumstances of a run: versions, settings, devices, and what is declared."""

from __future__ import annotations

import contextlib
import hashlib
import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np

from conformance.checking.expectations.applying import package_version
from conformance.implementations.implementation import Implementation, precision
from conformance.implementations.shipped import SHIPPED
from conformance.recording.text import line_of
from conformance.running import limits


def exact_arithmetic() -> dict[str, str]:
    """Switch TF32 off where torch has been imported, and return the settings made."""
    if "torch" not in sys.modules:
        return {}
    from conformance.implementations.pytorch.modules import set_exact_arithmetic

    return set_exact_arithmetic()


def _cuda() -> dict[str, Any]:
    """The CUDA devices and the libraries behind them, where torch has been imported."""
    if "torch" not in sys.modules:
        return {}
    from conformance.implementations.pytorch.cuda import cuda

    return cuda()


def packages(names: Iterable[str]) -> dict[str, str]:
    """Return versions of the packages that the shipped implementations among `names` need.

    A module that no distribution has, such as one imported from its sources, has no version.
    """
    needed = (module for name in names if name in SHIPPED for module in SHIPPED[name].needs)
    versions = {module: package_version(module) for module in needed}
    return {module: version for module, version in versions.items() if version}


def _sources(chosen: Mapping[str, Implementation]) -> dict[str, str]:
    """Return for each implementation that has one a digest of the file with its class."""
    found = {}
    for name, each in chosen.items():
        of = getattr(each, "cls", None) or getattr(each, "factory", None)
        of = of or type(getattr(each, "inner", each))
        module = str(getattr(of, "__module__", ""))
        file = getattr(sys.modules.get(module), "__file__", None)
        ours = name in SHIPPED or module.partition(".")[0] == __name__.partition(".")[0]
        if isinstance(file, str) and not ours:
            with contextlib.suppress(OSError):
                text = Path(file).read_bytes().replace(b"\r\n", b"\n")
                found[name] = hashlib.sha256(text).hexdigest()[:16]
    return found


def circumstances(implementations: Iterable[Implementation]) -> dict[str, Any]:
    """Return versions, settings and devices, and what each of the `implementations` declares."""
    chosen = {each.name: each for each in implementations}
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "numpy": np.__version__,
        "hypothesis": hypothesis.__version__,
        **exact_arithmetic(),
        "cuda": _cuda(),
        **packages(chosen),
        "supports": {name: asdict(each.supports) for name, each in chosen.items()},
        "precision": {name: asdict(precision(each)) for name, each in chosen.items()},
        "absent": limits.absent(),
        "sources": _sources(chosen),
        "versions": {
            name: line_of(found)
            for name, each in chosen.items()
            if (found := getattr(each, "version", ""))
        },
    }
