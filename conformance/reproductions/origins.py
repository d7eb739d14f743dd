"""How a separate script imports a class."""

from __future__ import annotations

import sys
from pathlib import Path

from conformance.implementations.naming import installed
from conformance.recording.operands import Origin
from conformance.recording.text import UNDER_TEST

_TAKEN = sys.stdlib_module_names | {"torch", "numpy", "ml_dtypes"}
"""Modules that a file of the same name would hide from the script."""

HERE = "  # the folder of the LSTM under test"


def importing(origin: Origin) -> tuple[list[str], str]:
    """Return the lines that import a class, and the expression for the class after them."""
    if origin.module.startswith("torch.nn."):
        return ["import torch"], f"torch.nn.{origin.name}"
    top = origin.name.partition(".")[0]
    if "<" in origin.name:
        name = origin.name.rpartition(".")[2]
        return [f"# define {name} here, as in the function in which it was verified"], name
    if origin.module == "__main__" and not origin.file:
        return [f"# define {top} here, as in the notebook in which it was verified"], origin.name
    if origin.module.startswith(UNDER_TEST) or origin.module == "__main__":
        path = Path(origin.file)
        lines = [
            "import importlib.util",
            "import sys",
            f"sys.path.insert(0, {str(path.parent)!r}){HERE}",
            f"spec = importlib.util.spec_from_file_location({path.stem!r}, {str(path)!r})",
            "module = importlib.util.module_from_spec(spec)",
            "sys.modules[spec.name] = module",
            "spec.loader.exec_module(module)",
            f"{top} = module.{top}",
        ]
        if path.stem.isidentifier() and path.stem not in _TAKEN:
            lines = ["import sys", lines[2], f"from {path.stem} import {top}"]
        return lines, origin.name
    imported = f"from {origin.module} import {top}"
    folder = _folder(origin)
    if folder is None:
        return [imported], origin.name
    return ["import sys", f"sys.path.insert(0, {str(folder)!r}){HERE}", imported], origin.name


def _folder(origin: Origin) -> Path | None:
    """Return the folder from which the module is imported, None if the module is installed."""
    if not origin.file:
        return None
    path = Path(origin.file).resolve()
    depth = origin.module.count(".") + (path.name == "__init__.py")
    folder = path.parents[depth]
    return None if folder in installed() else folder
