"""The circumstances of a run: versions, settings, devices, and what is declared."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import packages_distributions, version
from typing import Any

import hypothesis
import numpy as np

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
    distributions = packages_distributions()
    needed = (module for name in names if name in SHIPPED for module in SHIPPED[name].needs)
    return {
        module: version(distributions[module][0]) for module in needed if module in distributions
    }


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
        "versions": {
            name: line_of(found)
            for name, each in chosen.items()
            if (found := getattr(each, "version", ""))
        },
    }
