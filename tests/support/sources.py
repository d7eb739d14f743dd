"""Where the sources of each package are, and what needs the whole tree of the project."""

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    name: Path(str(importlib.import_module(name).__file__)).parent
    for name in ("reference", "strategies", "conformance")
} | {"tests": ROOT / "tests"}
"""The folder of each package, which need not lie beside the tests."""

needs_source_tree = pytest.mark.skipif(
    not (ROOT / "README.md").is_file() or not (ROOT / "conformance").is_dir(),
    reason="the source tree does not lie beside the tests",
)
